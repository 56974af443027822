package ebdeploy

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/eblocal"
)

const (
	singleFile = `{"AWSEBDockerrunVersion": "1", "Image": {"Name": "guk0/app", "Update": "true"}, "Ports": [{"ContainerPort": 8080}]}`
	// loginFile is where registry-auth has the instances look.
	loginFile = "docker-fullstack/.dockercfg"
)

// TestLocalFiles deploys each kind of deploy file in each kind of bundle. What is
// in the bundle is known, and what the instance runs.
func TestLocalFiles(t *testing.T) {
	_, compose := deployFileFor(eblocal.Docker)
	_, task := deployFileFor(eblocal.ECS)
	for name, c := range map[string]struct {
		platform eblocal.Platform
		files    map[string]string
		zip      map[string]string // at app.zip
		inputs   map[string]string
		bundle   []string
		runs     []string // what the instance's file has
		names    string   // what the bundle's Dockerrun.aws.json has
	}{
		"compose": {files: map[string]string{"docker-compose.yml": compose, ".ebextensions/a.config": "option_settings: []\n", "left.txt": "x"},
			bundle: []string{".ebextensions/a.config", "docker-compose.yml"}, runs: []string{"guk0/docker-nginx:v1", "guk0/docker-backend:v1"}},
		"compose of another name": {files: map[string]string{"ops/prod.yml": compose}, inputs: map[string]string{"compose-file": "ops/prod.yml"},
			bundle: []string{"docker-compose.yml"}, runs: []string{"guk0/docker-nginx:v1"}},
		"compose, the whole source": {files: map[string]string{"docker-compose.yml": compose, ".ebignore": "*.log\n", "a.log": "x", "backend/server.js": "serve()"},
			inputs: map[string]string{"bundle": "source"}, bundle: []string{".ebignore", "backend/server.js", "docker-compose.yml"}, runs: []string{"guk0/docker-backend:v1"}},
		"compose, a ready zip": {zip: map[string]string{"docker-compose.yml": compose, "backend/server.js": "serve()"},
			inputs: map[string]string{"bundle": "app.zip"}, bundle: []string{"backend/server.js", "docker-compose.yml"}, runs: []string{"guk0/docker-nginx:v1"}},
		"compose with logins": {files: map[string]string{"docker-compose.yml": compose}, inputs: map[string]string{"registry-auth": "true", "username": "guk0", "password": value},
			bundle: []string{"Dockerrun.aws.json", "docker-compose.yml"}, runs: []string{"guk0/docker-nginx:v1"}, names: `"key": "` + loginFile + `"`},
		"Dockerrun v1": {files: map[string]string{"Dockerrun.aws.json": singleFile}, inputs: map[string]string{"tags": `{"app":"v1"}`},
			bundle: []string{"Dockerrun.aws.json"}, runs: []string{"guk0/app:v1", ":8080"}, names: `"Image": {"Name": "guk0/app:v1", "Update": "true"}`},
		"Dockerrun v1 with logins": {files: map[string]string{"Dockerrun.aws.json": singleFile}, inputs: map[string]string{"tags": `{"app":"v1"}`, "registry-auth": "true", "username": "guk0", "password": value},
			bundle: []string{"Dockerrun.aws.json"}, runs: []string{"guk0/app:v1"}, names: `"Key": "` + loginFile + `"`},
		"Dockerrun v2": {platform: eblocal.ECS, files: map[string]string{"Dockerrun.aws.json": task},
			bundle: []string{"Dockerrun.aws.json"}, runs: []string{"guk0/docker-nginx:v1", "guk0/docker-backend:v1"}},
		"Dockerrun v2 by digest, with logins": {platform: eblocal.ECS, files: map[string]string{"Dockerrun.aws.json": task},
			inputs: map[string]string{"digests": `{"nginx":"` + digest + `","backend":"` + digest + `"}`, "registry-auth": "true", "username": "guk0", "password": value},
			bundle: []string{"Dockerrun.aws.json"}, runs: []string{"guk0/docker-nginx@" + digest}, names: `"key": "` + loginFile + `"`},
		"both files, on Docker": {files: map[string]string{"docker-compose.yml": compose, "Dockerrun.aws.json": task}, bundle: []string{"docker-compose.yml"}, runs: []string{"guk0/docker-nginx:v1"}},
		"both files, on ECS": {platform: eblocal.ECS, files: map[string]string{"docker-compose.yml": compose, "Dockerrun.aws.json": task},
			bundle: []string{"Dockerrun.aws.json"}, runs: []string{"guk0/docker-nginx:v1"}},
	} {
		t.Run(name, func(t *testing.T) {
			locally(t, eblocal.Options{Platform: c.platform}, func(t *testing.T, l *local) {
				l.holds(t, c.files)
				if c.zip != nil {
					l.zip(t, "app.zip", c.zip)
				}
				l.inputs["version-label"], l.inputs["tags"] = "v1", `{"nginx":"v1","backend":"v1"}`
				maps.Copy(l.inputs, c.inputs)
				l.must(t, l.run(t), expected{result: "deployed", end: end{"v1", "Green", v1, []string{"v1"}, 1}})
				files := l.shipped(t)
				if diff := cmp.Diff(c.bundle, slices.Sorted(maps.Keys(files))); diff != "" {
					t.Errorf("the bundle (-want +got):\n%s", diff)
				}
				if text := files["Dockerrun.aws.json"]; !strings.Contains(text, c.names) {
					t.Errorf("Dockerrun.aws.json lacks %q:\n%s", c.names, text)
				}
				stored := slices.ContainsFunc(l.aws.Account(t).Objects, func(path string) bool { return strings.HasSuffix(path, "/"+loginFile) })
				if stored != (l.inputs["registry-auth"] == "true") {
					t.Errorf("the logins are stored: %t", stored)
				}
				l.mustRun(t, c.runs)
			})
		})
	}
}

// holds makes these the files of the workspace.
func (l *local) holds(t *testing.T, files map[string]string) {
	t.Helper()
	for _, name := range []string{"docker-compose.yml", "Dockerrun.aws.json"} {
		if err := os.Remove(filepath.Join(l.dir, name)); err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
	}
	for name, text := range files {
		l.file(t, name, text)
	}
}

// shipped are the files of the only bundle, by path.
func (l *local) shipped(t *testing.T) map[string]string {
	t.Helper()
	all := bundles(l.aws.Account(t))
	if len(all) != 1 {
		t.Fatalf("there are the bundles %q", all)
	}
	return unpacked(t, l.aws.Object(t, all[0]))
}

func (l *local) mustRun(t *testing.T, texts []string) {
	t.Helper()
	for _, file := range l.aws.Engine.Running() {
		for _, text := range texts {
			if !strings.Contains(file, text) {
				t.Errorf("the instance lacks %q:\n%s", text, file)
			}
		}
	}
}

// TestLocalWrongFiles has deploy files that the environment's platform does not
// take: nothing is written.
func TestLocalWrongFiles(t *testing.T) {
	_, compose := deployFileFor(eblocal.Docker)
	_, task := deployFileFor(eblocal.ECS)
	for name, c := range map[string]struct {
		platform   eblocal.Platform
		file, text string
		want       string
	}{
		"compose on ECS":       {eblocal.ECS, "docker-compose.yml", compose, `which does not take a Compose file; use an environment of the platform "Docker"`},
		"Dockerrun v2, Docker": {eblocal.Docker, "Dockerrun.aws.json", task, `use an environment of the platform "ECS"`},
		"Dockerrun v1 on ECS":  {eblocal.ECS, "Dockerrun.aws.json", singleFile, `use an environment of the platform "Docker"`},
		"Dockerrun v3 alone":   {eblocal.Docker, "Dockerrun.aws.json", `{"AWSEBDockerrunVersion": "3"}`, "docker-compose.yml"},
		"a key of v1 in v2":    {eblocal.ECS, "Dockerrun.aws.json", strings.Replace(task, `"memory"`, `"mem"`, 1), "memory"},
	} {
		t.Run(name, func(t *testing.T) {
			locally(t, eblocal.Options{Platform: c.platform}, func(t *testing.T, l *local) {
				l.holds(t, map[string]string{c.file: c.text})
				l.inputs["tags"] = `{"nginx":"v1","backend":"v1"}`
				if c.text == singleFile {
					l.inputs["tags"] = `{"app":"v1"}`
				}
				got := l.run(t)
				l.wrote(t, 0)
				l.must(t, got, expected{result: "rejected", code: 1, log: []string{c.want}, end: end{"", "Grey", nil, nil, 0}})
			})
		})
	}
}
