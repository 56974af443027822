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

// TestDockerfileBesideDockerrun has a Dockerrun.aws.json of version 1, whose image
// Elastic Beanstalk passes over for a Dockerfile.
func TestDockerfileBesideDockerrun(t *testing.T) {
	const dockerfile = "FROM nginx\nEXPOSE 80\n"
	const built = `{"AWSEBDockerrunVersion": "1", "Logging": "/var/log/nginx"}`
	for name, c := range map[string]struct {
		dockerrun, bundle, tags, result, says string
		uploaded                              map[string]string
	}{
		"built": {built, "source", "", "deployed", "", map[string]string{"Dockerfile": dockerfile, dockerrunName: built}},
		"without the sources": {built, "minimal", "", "rejected",
			`Dockerrun.aws.json:1: Image.Name is missing; version 1 deploys the image it names: write "Image": {"Name": "guk0/app"}, or have the instances build a Dockerfile beside it, with bundle: source`, nil},
		"with an image": {singleFile, "source", `{"app":"v1"}`, "deployed", "Dockerfile left out: Elastic Beanstalk would build it in the place of the image that Dockerrun.aws.json names",
			map[string]string{dockerrunName: strings.Replace(singleFile, "guk0/app", "guk0/app:v1", 1)}},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				if err := os.Remove(filepath.Join(s.dir, composeName)); err != nil {
					t.Fatal(err)
				}
				s.file(t, "Dockerfile", dockerfile)
				s.file(t, dockerrunName, c.dockerrun)
				s.inputs["bundle"], s.inputs["tags"] = c.bundle, c.tags
				delete(s.inputs, "digests")
				got := s.run(t)
				if got.result() != c.result || !strings.Contains(got.log, c.says) {
					t.Fatalf("want %s, %q\n%s", c.result, c.says, got)
				}
				if c.uploaded == nil {
					return
				}
				if diff := cmp.Diff(c.uploaded, s.uploaded(t)); diff != "" {
					t.Errorf("the bundle (-want +got):\n%s", diff)
				}
			})
		})
	}
}
