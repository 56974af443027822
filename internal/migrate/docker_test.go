package migrate

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/travis"
)

// Flags of docker in all the ways in which they are written.
func TestDockerFlags(t *testing.T) {
	for shell, want := range map[string][]string{
		`docker build -t a:1 --tag=b -f x/Dockerfile .`:          {"build", "tag=a:1", "tag=b", "file=x/Dockerfile", "."},
		`sudo docker image build -qt a --no-cache .`:             {"build", "quiet=", "tag=a", "no-cache=", "."},
		`docker build -ta .`:                                     {"build", "tag=a", "."},
		`docker run -it --rm -eA=1 -e B="x y" img sh -c "a b"`:   {"run", "interactive=", "tty=", "rm=", "env=A=1", "env=B=x y", "img", "sh", "-c", "a b"},
		`docker login -u$U_NAME -p$THE_TOKEN`:                    {"login", "username=${{ vars.U_NAME }}", "password=${{ secrets.THE_TOKEN }}"},
		`docker build -$FLAGS --$MORE=1 -t$IMG .`:                {"build", "--${{ vars.MORE }}=1=", "tag=${{ vars.IMG }}", "-${{ vars.FLAGS }}", "."},
		`docker run -d -p 80:80 --net=ci img`:                    {"run", "detach=", "publish=80:80", "network=ci", "img"},
		`docker run -itd -v $PWD/x:/y img -v`:                    {"run", "interactive=", "tty=", "detach=", "volume=./x:/y", "img", "-v"},
		`travis_retry docker push acme/a`:                        {"push", "acme/a"},
		`docker login -u="$U_NAME" -p "$THE_TOKEN" quay.io`:      {"login", "username=${{ vars.U_NAME }}", "password=${{ secrets.THE_TOKEN }}", "quay.io"},
		`docker-compose -f a.yml -f b.yml up --exit-code-from x`: {"compose", "file=a.yml", "file=b.yml", "up", "--exit-code-from", "x"},
		`docker compose -fa.yml push`:                            {"compose", "file=a.yml", "push"},
		`docker tag a:$TRAVIS_COMMIT b`:                          {"tag", "a:${{ github.sha }}", "b"},
		`DOCKER_BUILDKIT=1 docker build .`:                       {"build", "."},
	} {
		l := parseLine("script", travis.Text{Value: shell})
		d, err := parseDocker(newScope(newTodo()), l.commands[0], "")
		if err != nil {
			t.Errorf("%s: %v", shell, err)
			continue
		}
		got := []string{d.verb}
		for _, f := range d.flags {
			got = append(got, f.name+"="+f.value.String())
		}
		for _, a := range d.args {
			got = append(got, a.String())
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", shell, diff)
		}
	}
}

// What only a shell knows is an error, not a guess.
func TestDockerUnread(t *testing.T) {
	for shell, want := range map[string]string{
		`docker build -t a:$(date +%s) .`: "$(date +%s) needs a shell",
		`docker push a:${X%%-*}`:          "${X%%-*} needs a shell",
		`docker run -v $HOME/x:/y a`:      "$HOME is only known to the shell",
		`docker build -t`:                 "--tag has no value",
		`TAG=1 docker build -t a .`:       "a variable is set for it alone",
	} {
		l := parseLine("script", travis.Text{Value: shell})
		if _, err := parseDocker(newScope(newTodo()), l.commands[0], ""); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", shell, err, want)
		}
	}
}
