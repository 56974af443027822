package migrate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/travis"
)

// Secrets in plain text become variables, in all the ways in which they stand.
func TestPlainSecrets(t *testing.T) {
	for _, c := range []struct {
		line, want string
		names      []string
	}{
		{`docker login -u me -p hunter22`, `docker login -u me -p "$DOCKER_PASSWORD"`, []string{"DOCKER_PASSWORD"}},
		{`sudo docker login -u=me -p=hunter22 quay.io`, `sudo docker login -u=me -p="$QUAY_IO_PASSWORD" quay.io`, []string{"QUAY_IO_PASSWORD"}},
		{`docker login -phunter22 -u me`, `docker login -p"$DOCKER_PASSWORD" -u me`, []string{"DOCKER_PASSWORD"}},
		{`docker login --password 'hunter 22' -u me`, `docker login --password "$DOCKER_PASSWORD" -u me`, []string{"DOCKER_PASSWORD"}},
		{`docker login --password password -u me`, `docker login --password "$DOCKER_PASSWORD" -u me`, []string{"DOCKER_PASSWORD"}},
		{`docker login -u me -p "$PW"`, `docker login -u me -p "$PW"`, nil},
		{`echo hunter22 | docker login -u me --password-stdin a.b:5000/x`, `echo "$A_B_5000_X_PASSWORD" | docker login -u me --password-stdin a.b:5000/x`, []string{"A_B_5000_X_PASSWORD"}},
		{`docker login -u me --password-stdin quay.io <<< hunter22; make`, `docker login -u me --password-stdin quay.io <<< "$QUAY_IO_PASSWORD"; make`, []string{"QUAY_IO_PASSWORD"}},
		{`docker login -u me --password-stdin <<< "$PW"`, `docker login -u me --password-stdin <<< "$PW"`, nil},
		{`export API_TOKEN=abcdef OTHER=abcdef; make`, `export API_TOKEN="$API_TOKEN" OTHER=abcdef; make`, []string{"API_TOKEN"}},
		{`curl -u me:hunter22 https://x`, `curl -u me:"$HTTP_PASSWORD" https://x`, []string{"HTTP_PASSWORD"}},
		{`git push "https://me:hunter22@a.example/x.git" master`, `git push "https://me:${HTTP_PASSWORD}@a.example/x.git" master`, []string{"HTTP_PASSWORD"}},
		{`REPO=https://me:hunter22@a.example/x.git`, `REPO="$REPO"`, []string{"REPO"}},
		{`VERSION=$(curl -u me:hunter22 https://x)`, `VERSION=$(curl -u me:"$HTTP_PASSWORD" https://x)`, []string{"HTTP_PASSWORD"}},
		{`make SOME_TOKEN=https://me:hunter22-hunter22@a.example`, `make SOME_TOKEN="$SOME_TOKEN"`, []string{"SOME_TOKEN"}},
		{`sudo curl -u "me:hunter22" https://me:hunter22@a.example`, `sudo curl -u me:"$HTTP_PASSWORD" https://me:${HTTP_PASSWORD}@a.example`, []string{"HTTP_PASSWORD", "HTTP_PASSWORD"}},
		{`git clone 'https://me:hunter22@a.example/x'`, `git clone 'https://me:'"$HTTP_PASSWORD"'@a.example/x'`, []string{"HTTP_PASSWORD"}},
		{`psql postgres://me:test-only@localhost/x`, `psql postgres://me:test-only@localhost/x`, nil},
		{`heroku config:set API_KEY=abcdef`, `heroku config:set API_KEY="$API_KEY"`, []string{"API_KEY"}},
		{`if true; then docker run -e "S_TOKEN=abcdef" x; fi`, `if true; then docker run -e S_TOKEN="$S_TOKEN" x; fi`, []string{"S_TOKEN"}},
		{`A_TOKEN=$B POSTGRES_PASSWORD=abcdef SECRET=test make`, `A_TOKEN=$B POSTGRES_PASSWORD=abcdef SECRET=test make`, nil},
	} {
		l := parseLine("script", travis.Text{Value: c.line})
		got, names, _ := modern(l)
		if diff := cmp.Diff(c.names, names); got != c.want || diff != "" {
			t.Errorf("%s\n got %s\nwant %s\nnames (-want +got):\n%s", c.line, got, c.want, diff)
		}
		if parseLine("script", travis.Text{Value: got}).file == nil || strings.Contains(got, "hunter") {
			t.Errorf("%s became %s", c.line, got)
		}
	}
}
