package ebdeploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDockerfile deploys a folder whose image Elastic Beanstalk builds by itself.
func TestDockerfile(t *testing.T) {
	const dockerfile = "FROM nginx\nCOPY page /usr/share/nginx/html\nEXPOSE 80\n"
	for _, c := range []struct {
		name   string
		inputs map[string]string
		result string
		says   string
	}{
		{"the whole folder", nil, "deployed", ""},
		{"without the sources", map[string]string{"bundle": "minimal"}, "rejected", "input bundle: Dockerfile is a Dockerfile, which Elastic Beanstalk builds on the instances from the files around it: write `bundle: source`"},
		{"with images", map[string]string{"tags": `{"web":"1"}`}, "rejected", "Dockerfile: images are given for web, and a Dockerfile takes none, since the instances build it"},
		{"with logins", map[string]string{"registry-auth": "true", "username": "guk0", "password": value}, "rejected", "registry-auth: Dockerfile: a Dockerfile names no logins"},
		{"by name", map[string]string{"compose-file": "Dockerfile"}, "rejected", `input compose-file: "Dockerfile" is a Dockerfile: leave compose-file out`},
	} {
		t.Run(c.name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				if err := os.Remove(filepath.Join(s.dir, composeName)); err != nil {
					t.Fatal(err)
				}
				s.file(t, "Dockerfile", dockerfile)
				s.file(t, "page/index.html", "hello")
				s.inputs["bundle"] = "source"
				delete(s.inputs, "tags")
				delete(s.inputs, "digests")
				for name, value := range c.inputs {
					s.inputs[name] = value
				}
				got := s.run(t)
				if got.result() != c.result || !strings.Contains(got.log, c.says) {
					t.Fatalf("want %s, %q\n%s", c.result, c.says, got)
				}
				if c.result == "rejected" {
					if wrote := s.wire.Wrote(); len(wrote) > 0 {
						t.Errorf("it wrote %v", wrote)
					}
					return
				}
				if diff := cmp.Diff(map[string]string{"Dockerfile": dockerfile, "page/index.html": "hello"}, s.uploaded(t)); diff != "" {
					t.Errorf("the bundle (-want +got):\n%s", diff)
				}
			})
		})
	}
	on(t, func(t *testing.T, s *stage) {
		s.env.Stack = "64bit Amazon Linux 2023 v4.0.9 running ECS"
		if err := os.Remove(filepath.Join(s.dir, composeName)); err != nil {
			t.Fatal(err)
		}
		s.file(t, "Dockerfile", dockerfile)
		s.inputs["bundle"] = "source"
		delete(s.inputs, "tags")
		delete(s.inputs, "digests")
		if got := s.run(t); got.result() != "rejected" || !strings.Contains(got.log, "does not take") {
			t.Errorf("on ECS: %s", got)
		}
	})
}
