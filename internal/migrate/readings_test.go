package migrate

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/travis"
)

func readAll(s *scope, phase string, lines ...string) []*reading {
	r := &reader{scope: s}
	var readings []*reading
	for i, text := range lines {
		readings = append(readings, r.read(parseLine(phase, travis.Text{Value: text, Place: travis.Place{File: "t", Line: i + 1}})))
	}
	return readings
}

// Tests stay as they are where a service of actions/test would do otherwise.
func TestTestsThatStay(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{[]string{"docker build -t a .", "docker run a || exit 1"}, ""},
		{[]string{"docker run a || true"}, "t:1: docker run may fail without effect"},
		{[]string{"echo y | docker run -i a"}, "t:1: docker run reads what is piped into it"},
		{[]string{"docker run a | tee log"}, "t:1: docker is within another command"},
		{[]string{"ID=$(docker create a)"}, "t:1: docker is within another command"},
		{[]string{"docker logs a | grep ready"}, "t:1: docker is within another command"},
		{[]string{"docker images | grep a", "docker run a"}, ""},
		{[]string{"cd $(mktemp -d)", "docker build -t a ."}, "t:2: the folder in which docker build runs is only known to a shell"},
		{[]string{"cd /tmp && docker build -t a ."}, "t:1: the folder in which docker build runs is only known to a shell"},
		{[]string{"docker run -d --name db --network n -p 1:1 postgres", "docker run --network n a"}, ""},
		{[]string{"docker run -d --name db --network n -p 1:1 postgres", "docker run --network n a", "psql"}, "t:1: the container db publishes a port, which t:3 may use"},
	} {
		s := newScope(newTodo())
		_, err := readTests(readAll(s, "script", c.lines...), s)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s\n got %s\nwant %s", strings.Join(c.lines, "\n"), got, c.want)
		}
	}
}

// The tags that a push means.
func TestPushedTags(t *testing.T) {
	for _, c := range []struct {
		lines []string
		want  []string
	}{
		{[]string{"docker build -t a -t a:1 .", "docker push a"}, []string{"latest", "1"}},
		{[]string{"docker build -t a:1 .", "docker push a"}, []string{"1"}},
		{[]string{"docker build -t a:1 .", "docker tag a:1 a", "docker push a:1", "docker push a:latest"}, []string{"1", "latest"}},
		{[]string{"docker build -t a .", "docker push a"}, nil},
	} {
		s := newScope(newTodo())
		images, err := readImages(readAll(s, "after_success", c.lines...), s, func(*build) bool { return true })
		if err != nil || len(images.groups) != 1 {
			t.Errorf("%s: %d groups, error %v", strings.Join(c.lines, "\n"), len(images.groups), err)
			continue
		}
		if diff := cmp.Diff(c.want, images.groups[0].tags); diff != "" {
			t.Errorf("%s: tags (-want +got):\n%s", strings.Join(c.lines, "\n"), diff)
		}
	}
}

// A push among tests stays where another one keeps build-push from pushing.
func TestPushesStay(t *testing.T) {
	source := `
language: generic
script:
  - docker compose up -d
  - docker build -t acme/a a
  - docker push acme/a
  - docker build -t acme/b b && docker push acme/b
`
	result, err := Migrate([]travis.File{{Name: "t", Source: []byte(source)}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"run: docker push acme/a\n", "run: docker build -t acme/b b && docker push acme/b\n"} {
		if !strings.Contains(result.Workflow, want) {
			t.Errorf("%q is missing in\n%s", want, result.Workflow)
		}
	}
}
