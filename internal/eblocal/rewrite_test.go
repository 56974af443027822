package eblocal

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

var updateGolden = flag.Bool("update", false, "write the golden files anew")

// golden compares with a file in testdata.
func golden(t *testing.T, path string, got []byte) {
	t.Helper()
	if *updateGolden {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got; -update writes it anew):\n%s", path, diff)
	}
}

var testRewriting = rewriting{
	labels: map[string]string{labelEnv: "e-0123456789", labelInstance: "eb-env-1"},
	vars:   map[string]string{"TAG": "7", "WEB_PORT": "80"},
}

// summary is what a rewriting tells beside the file.
type summary struct {
	Expect   expect
	Images   []string
	Build    bool
	Warnings []string
}

func TestRewriteGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/rewrite/*.in.yml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in testdata/rewrite: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			r, err := rewrite(data, testRewriting)
			if err != nil {
				t.Fatal(err)
			}
			told, err := yaml.Marshal(summary{r.expect, r.images, r.build, r.warnings})
			if err != nil {
				t.Fatal(err)
			}
			golden(t, strings.TrimSuffix(file, ".in.yml")+".out.yml", append(r.compose, "---\n"+string(told)...))
		})
	}
}

func TestRewriteRefuses(t *testing.T) {
	const web = "services:\n  web: {image: a, ports: ['80:80']}\n"
	cases := []struct{ name, text, want string }{
		{"empty", "", "expected a mapping with services"},
		{"list", "- a", "expected a mapping with services"},
		{"no services", "version: '2.4'", "it has no services"},
		{"empty services", "services: {}", "it has no services"},
		{"service", "services: {web: nginx}", `service "web": expected a mapping`},
		{"no image", "services: {web: {ports: ['80:80']}}", `service "web": expected an image or a build`},
		{"two webs", web + "  other: {image: a, ports: ['80:1']}\n", `service "other" publishes port 80, which service "web" does already`},
		{"no web", "services: {web: {image: a, ports: ['8080:80']}}", "no service publishes port 80"},
		{"loopback web", "services: {web: {image: a, ports: ['127.0.0.1:80:80']}}", "no service publishes port 80"},
		{"udp web", "services: {web: {image: a, ports: ['80:80/udp']}}", "no service publishes port 80"},
		{"port", "services: {web: {image: a, ports: ['x:y']}}", `service "web": ports:`},
		{"long port", "services: {web: {image: a, ports: [{target: x}]}}", `target "x": expected a port number`},
		{"ports", "services: {web: {image: a, ports: 80}}", "ports: expected a list"},
		{"variable", "services: {web: {image: '${TAG', ports: ['80:80']}}", `image "${TAG"`},
		{"all at once", "services: {web: {ports: ['x:y']}, other: 1}", `service "other": expected a mapping`},
		{"cycle", "services: &a {web: {image: x, ports: ['80:80'], build: *a}}", "contains itself"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, err := rewrite([]byte(c.text), testRewriting)
			if err == nil {
				t.Fatalf("accepted; expected an error with %q", c.want)
			}
			mustContain(t, "error", err.Error(), c.want)
		})
	}
}

func TestTaskGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/task/*.in.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases in testdata/task: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			task, warnings, err := parseTask(data)
			if err != nil {
				t.Fatal(err)
			}
			got, err := task.compose(layout{app: "/state/app", host: "/state/host"}, map[string]string{"MYSQL_HOST": "db", "PASSWORD": "a$b"})
			if err != nil {
				t.Fatal(err)
			}
			for _, w := range warnings {
				got = append(got, "# "+w+"\n"...)
			}
			golden(t, strings.TrimSuffix(file, ".in.json")+".out.yml", got)
		})
	}
}

func TestTaskRefuses(t *testing.T) {
	const start = `{"AWSEBDockerrunVersion": 2, "containerDefinitions": [`
	cases := []struct{ name, text, want string }{
		{"json", "{", "is not valid JSON"},
		{"no containers", `{"AWSEBDockerrunVersion": 2}`, "at least one container"},
		{"none essential", start + `{"name": "a", "image": "a", "memory": 1, "essential": false}]}`, "at least one container must be essential"},
		{"no memory", start + `{"name": "a", "image": "a"}]}`, `container "a": at least one of memory and memoryReservation`},
		{"no image", start + `{"name": "a", "memory": 1}]}`, `container "a": name and image must be given`},
		{"link", start + `{"name": "a", "image": "a", "memory": 1, "links": ["b"]}]}`, `links to "b"`},
		{"volume", start + `{"name": "a", "image": "a", "memory": 1, "mountPoints": [{"sourceVolume": "b", "containerPath": "/b"}]}]}`, `mounts the volume "b"`},
		{"dependency", start + `{"name": "a", "image": "a", "memory": 1, "dependsOn": [{"containerName": "b", "condition": "START"}]}]}`, "dependsOn"},
		{"port", start + `{"name": "a", "image": "a", "memory": 1, "portMappings": [{"hostPort": 80}]}]}`, "containerPort 0"},
		{"type", start + `{"name": "a", "image": "a", "memory": "128"}]}`, "memory"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := parseTask([]byte(c.text))
			if err == nil {
				t.Fatalf("accepted; expected an error with %q", c.want)
			}
			mustContain(t, "error", err.Error(), c.want)
		})
	}
}
