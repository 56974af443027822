package migrate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/travis"
)

func TestPasswords(t *testing.T) {
	for line, want := range map[string]string{
		`echo "$P" | docker login -u "$U" --password-stdin`:           "P",
		`echo ${HUB} | docker login -u "$U" --password-stdin quay.io`: "HUB",
		`printf %s "$P" | sudo docker login -u x --password-stdin`:    "P",
		`docker login -u $U -p $P`:                                    "P",
		`docker login -u="$U" --password="${P}" ghcr.io`:              "P",
		`docker login -u $U --password-stdin <<< "$P"`:                "P",
		`docker login -u $U -p word; echo $X`:                         "",
		`docker login quay.io && docker run -p $PORT:80 x`:            "",
		`echo $X | docker build -`:                                    "",
	} {
		wanted := map[string]bool{}
		if want != "" {
			wanted[want] = true
		}
		got := passwords([]travis.File{{Source: []byte("script: " + line + "\n")}})
		if diff := cmp.Diff(wanted, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", line, diff)
		}
	}
}
