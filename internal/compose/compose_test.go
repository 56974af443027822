package compose_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/image"
)

func TestLoadInline(t *testing.T) {
	project, err := compose.Load(t.Context(), compose.Source{
		Workspace: "/repo", Vars: map[string]string{"OWNER": "guk0"},
		Inline: "...\nweb:\n  image: ${OWNER}/web\n  build: ./web\n  command: |\n    a\n      b\n\n    c\ntest:\n  build: {context: ., dockerfile: Dockerfile.dev}\n",
	})
	if err != nil {
		t.Fatal(err)
	}
	web := project.Services["web"]
	if diff := cmp.Diff([]string{"web", "test"}, project.Names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	if web.Image != "guk0/web" || web.Build.Context != "/repo/web" || web.Build.Dockerfile != "Dockerfile" {
		t.Errorf("web: image %q, build %+v", web.Image, web.Build)
	}
	if test := project.Services["test"]; test.Build.Context != "/repo" || test.Build.Dockerfile != "Dockerfile.dev" {
		t.Errorf("test: build %+v", test.Build)
	}
}

// TestLoadInlineDeclares shows that inline services need no place to declare
// volumes and networks.
func TestLoadInlineDeclares(t *testing.T) {
	project, err := compose.Load(t.Context(), compose.Source{
		Workspace: "/repo",
		Inline:    "a:\n  image: x\n  networks: [back, default]\n  volumes: ['data:/d', './x:/x', /anonymous, {type: volume, source: more, target: /m}]",
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"data", "more"}, project.VolumeNames()); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"back", "default"}, project.NetworkNames()); diff != "" {
		t.Errorf("networks (-want +got):\n%s", diff)
	}
}

// TestLoadSelectedNeeds shows that what a selected service depends on must be
// complete too.
func TestLoadSelectedNeeds(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "compose.yml", `x-common: &common
  depends_on: {db: {condition: service_started}}
services:
  web: {<<: *common, image: x, links: ['cache:c']}
  db: {image: "${DB}"}
  cache: {image: "${CACHE}"}
  other: {image: "${OTHER}"}
`)
	_, err := compose.Load(t.Context(), compose.Source{Workspace: dir, Files: []string{"compose.yml"}, Select: []string{"web"}})
	want := `compose.yml:5: service "db": image: ${DB} has no value; give the input vars a line DB=…, or write $$DB for the container's own
compose.yml:6: service "cache": image: ${CACHE} has no value; give the input vars a line CACHE=…, or write $$CACHE for the container's own`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
}

// TestLoadSelectedImages shows that of what an image starts from only the image
// must be complete, wherever it is said.
func TestLoadSelectedImages(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "compose.yml", `include: [sub.yml]
x-build: &build {context: ., additional_contexts: [base=service:base]}
services:
  web: {build: {<<: *build, target: t}, depends_on: [db]}
  db: {image: x, build: {context: ., additional_contexts: {lower: service:deep}}}
  base: {build: {context: ., args: {A: "${A}"}}, environment: {X: "${UNUSED}"}, env_file: none.env}
  deep: {image: "${DEEP}"}
  other: {image: "${OTHER}"}
`)
	put(t, dir, "sub.yml", "services:\n  sub: {build: {context: ., additional_contexts: {b: 'service:deep'}}, env_file: sub.env}\n")
	put(t, dir, "sub.env", "X=1\n")
	source := compose.Source{Workspace: dir, Files: []string{"compose.yml"}, Select: []string{"web"}}
	_, err := compose.Load(t.Context(), source)
	want := `compose.yml:6: service "base": build: ${A} has no value; give the input vars a line A=…, or write $$A for the container's own
compose.yml:7: service "deep": image: ${DEEP} has no value; give the input vars a line DEEP=…, or write $$DEEP for the container's own`
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	source.Vars = map[string]string{"A": "1", "DEEP": "y"}
	for selected, want := range map[string][]string{"web": {"base", "db", "deep", "web"}, "sub": {"deep", "sub"}} {
		source.Select = []string{selected}
		project, err := compose.Load(t.Context(), source)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, project.ServiceNames()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", selected, diff)
		}
		if value := project.Services["sub"].Environment["X"]; selected == "sub" && (value == nil || *value != "1") {
			t.Errorf("sub.env is not read: %v", project.Services["sub"].Environment)
		}
	}
}

func TestLoadMergesFiles(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "deploy/a.yml", "services:\n  web:\n    image: a\n    build: ./x\n  db: {image: mysql}\n")
	put(t, dir, "b.yml", "services:\n  web:\n    image: b\n")
	project, err := compose.Load(t.Context(), compose.Source{Workspace: dir, Files: []string{"deploy/a.yml", "b.yml"}})
	if err != nil {
		t.Fatal(err)
	}
	if web := project.Services["web"]; web.Image != "b" || web.Build.Context != filepath.Join(dir, "deploy/x") {
		t.Errorf("web: image %q, build %+v", web.Image, web.Build)
	}
}

// TestLoadMergesBuild shows a build that two files make, as Compose merges them:
// mappings by key, lists one behind the other, what is reset taken away.
func TestLoadMergesBuild(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "deploy/x/Dockerfile", "FROM scratch\n")
	put(t, dir, "deploy/lib/a", "")
	put(t, dir, "deploy/a.yml", `services:
  web:
    image: a
    build:
      context: x
      args: [A=1, B=2, FILLED, EMPTY]
      labels: {a: "1", b: "2"}
      tags: [a:1]
      cache_from: [a:cache]
      extra_hosts: ["a:192.0.2.1"]
      target: first
      no_cache: true
      ulimits: {nofile: 1}
  old: {image: "${NONE}"}
`)
	put(t, dir, "b.yml", `services:
  web:
    build:
      args: {B: 3}
      labels: ["b=4"]
      tags: [a:2]
      cache_from: [b:cache]
      extra_hosts: {b: 192.0.2.2}
      target: second
      no_cache: !reset false
      ulimits: !override {core: 0}
      additional_contexts: {lib: ./lib}
  old: !reset null
`)
	project, err := compose.Load(t.Context(), compose.Source{Workspace: dir, Files: []string{"deploy/a.yml", "b.yml"}, Vars: map[string]string{"FILLED": "f"}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := project.Build(project.Services["web"], image.Parse)
	cached := func(ref string) compose.Cache {
		return compose.Cache{Type: "registry", Attrs: map[string]string{"ref": ref}}
	}
	want := compose.Build{
		Service: "web", Context: filepath.Join(dir, "deploy/x"), Dockerfile: filepath.Join(dir, "deploy/x/Dockerfile"), Target: "second",
		Args: map[string]string{"A": "1", "B": "3", "FILLED": "f"}, Labels: map[string]string{"a": "1", "b": "4"}, Tags: []string{"a:1", "a:2"},
		CacheFrom: []compose.Cache{cached("a:cache"), cached("b:cache")}, ExtraHosts: []string{"a=192.0.2.1", "b=192.0.2.2"},
		Ulimits: map[string]string{"core": "0:0"}, Contexts: map[string]string{"lib": filepath.Join(dir, "deploy/lib")},
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{"web"}, project.Names); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
}

// TestEnvironmentStaysOutside shows that ${NAME} is never filled from the
// action's own environment, which holds tokens.
func TestEnvironmentStaysOutside(t *testing.T) {
	t.Setenv("GITHUB_SECRET_THING", "leaked")
	_, err := compose.Load(t.Context(), compose.Source{Inline: "a:\n  image: x:${GITHUB_SECRET_THING}\n", Workspace: "/"})
	want := `input services:2: service "a": image: ${GITHUB_SECRET_THING} has no value; give the input vars a line GITHUB_SECRET_THING=…, or write $$GITHUB_SECRET_THING for the container's own`
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	project, err := compose.Load(t.Context(), compose.Source{Inline: "a:\n  image: x\n  environment: [GITHUB_SECRET_THING]\n", Workspace: "/"})
	if err != nil {
		t.Fatal(err)
	}
	if value := project.Services["a"].Environment["GITHUB_SECRET_THING"]; value != nil && *value != "" {
		t.Errorf("environment holds %q", *value)
	}
}

func TestLoadOnlyNeedsWhatIsUsed(t *testing.T) {
	source := compose.Source{Inline: "a:\n  image: x\n  build: .\n  environment:\n    HOST: ${MYSQL_HOST}\n  env_file: none.env\n", Workspace: t.TempDir()}
	source.Keys = []string{"image", "build"}
	if _, err := compose.Load(t.Context(), source); err != nil {
		t.Errorf("build-push can't read a file whose environment comes from elsewhere: %v", err)
	}
}

// TestLoadSelected shows that what other services lack is no error.
func TestLoadSelected(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "compose.yml", "include: [sub.yml]\nservices:\n  unit: {build: .}\n  db: {image: x, env_file: .env, environment: {HOST: '${HOST}'}}\n")
	put(t, dir, "sub.yml", "services:\n  sub: {build: .}\n")
	project, err := compose.Load(t.Context(), compose.Source{Workspace: dir, Files: []string{"compose.yml"}, Select: []string{"unit", "nobody"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := project.Select("suites", []string{"unit"}); err != nil {
		t.Error(err)
	}
	project, err = compose.Load(t.Context(), compose.Source{Workspace: dir, Files: []string{"compose.yml"}, Keys: []string{"build"}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"unit", "db", "sub"}, project.Names); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
}

func TestLoadErrors(t *testing.T) {
	seed, err := os.ReadFile("testdata/seed.yml")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put(t, dir, "docker-compose.yml", string(seed))
	put(t, dir, "plain.yml", "web: {image: x}\n")
	put(t, dir, "type.yml", "version: '2.4'\nservices:\n  web:\n    image: 3\n    build: [x]\n")
	put(t, dir, "cycle.yml", "services:\n  a: {image: x, depends_on: [b]}\n  b: {image: x, depends_on: [a]}\n")
	for _, c := range []struct {
		name   string
		source compose.Source
		want   []string
	}{
		{"the seed's file as it stands", compose.Source{}, []string{"docker-compose.yml:39: ", "tab"}},
		{"both sources", compose.Source{Inline: "a: {image: x}", Files: []string{"x"}}, []string{"inputs services and compose-file are both given"}},
		{"no file", compose.Source{Files: []string{"none.yml", "also.yml"}}, []string{"there is no file none.yml", "there is no file also.yml"}},
		{"no services", compose.Source{Files: []string{"plain.yml"}}, []string{"plain.yml: is no Compose file"}},
		{"the key itself", compose.Source{Inline: "services:\n  a: {image: x}\n"}, []string{"input services:1: holds a key `services:`"}},
		{"no mapping", compose.Source{Inline: "- a"}, []string{"input services is no mapping"}},
		{"hollow services", compose.Source{Inline: "a: {image: x}\nb:\n  command: ls\nc:\n"},
			[]string{`input services:2: service "b" has neither image nor build`, `input services:4: service "c" has neither image nor build`}},
		{"wrong type", compose.Source{Files: []string{"type.yml"}}, []string{"type.yml:3: services.web.image must be a string"}},
		{"no duration", compose.Source{Inline: "a: {image: x}\nb: {image: x, healthcheck: {interval: soon}}\n"}, []string{`input services:2: 'services[b].healthcheck.interval' time: invalid duration "soon"`}},
		{"files of variables", compose.Source{Inline: "a: {image: x, env_file: [.env, {path: none, required: false}]}\nb: {image: x, env_file: also.env}\n"},
			[]string{`input services:1: service "a": env_file: there is no .env in the workspace; write it in a step before this one, or say {path: .env, required: false}`,
				`input services:2: service "b": env_file: there is no also.env in the workspace`}},
		{"a cycle", compose.Source{Files: []string{"cycle.yml"}}, []string{"cycle"}},
		{"a key twice", compose.Source{Inline: "a:\n  image: x\n  image: y\n"}, []string{`input services:3: key "image" is given twice, first on line 2: keep one`}},
		{"an anchor that holds itself", compose.Source{Inline: "a: &x\n  image: y\n  build: {context: ., args: *x}\n"}, []string{`input services:1: anchor "x" contains itself`}},
		{"a marker keeps the lines", compose.Source{Inline: "\n\n---\na:\n  command: ls\n"}, []string{`input services:4: service "a" has neither image nor build`}},
		{"through an alias", compose.Source{Inline: "a:\n  image: x\n  build: &b\n    context: .\n    args: {V: '${MISSING}'}\nb: {image: y, build: *b}\n"},
			[]string{`service "a": build: ${MISSING}`, `service "b": build: ${MISSING}`}},
		{"several variables", compose.Source{Inline: "a:\n  image: ${X}\n  build: {context: '$Y', args: {Z: '${Z:-}'}}\n"},
			[]string{"input services:2: ", "${X}", "input services:3: ", "${Y}"}},
	} {
		c.source.Workspace = dir
		_, err := compose.Load(t.Context(), c.source)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v\nwant an error with %q", c.name, err, want)
			}
		}
		if err != nil && strings.Contains(err.Error(), dir) {
			t.Errorf("%s: the error shows a path of the machine: %v", c.name, err)
		}
	}
}

func TestSelect(t *testing.T) {
	project, err := compose.Load(t.Context(), compose.Source{Inline: "a: {image: x}\nb: {image: y}\n", Workspace: "/"})
	if err != nil {
		t.Fatal(err)
	}
	services, err := project.Select("suites", []string{"b", "a"})
	if err != nil || services[0].Name != "b" || services[1].Name != "a" {
		t.Errorf("got %v, %v", services, err)
	}
	_, err = project.Select("suites", []string{"x", "a", "y"})
	want := "input suites: there is no service \"x\"; there are: a, b\ninput suites: there is no service \"y\"; there are: a, b"
	if err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestBuild(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "web/Dockerfile.dev", "FROM scratch\n")
	put(t, dir, "small/dockerfile", "FROM scratch\n")
	project, err := compose.Load(t.Context(), compose.Source{Workspace: dir, Inline: `
good: {build: {context: web, dockerfile: Dockerfile.dev, target: t, args: {A: b, C: }, labels: {l: v}, extra_hosts: [h:1.2.3.4], shm_size: 64m}}
file: {build: web}
folder: {build: nowhere}
keys: {build: {context: web, dockerfile: Dockerfile.dev, ssh: [default], privileged: true}}
plain: {image: x}
small: {build: small}
less: {build: {context: small, shm_size: -1}}
`})
	if err != nil {
		t.Fatal(err)
	}
	if small, err := project.Build(project.Services["small"], image.Parse); err != nil || small.Dockerfile != filepath.Join(dir, "small/dockerfile") {
		t.Errorf("small: Dockerfile %q, %v", small.Dockerfile, err)
	}
	got, err := project.Build(project.Services["good"], image.Parse)
	want := compose.Build{
		Service: "good", Context: filepath.Join(dir, "web"), Dockerfile: filepath.Join(dir, "web/Dockerfile.dev"), Target: "t",
		Args: map[string]string{"A": "b"}, Labels: map[string]string{"l": "v"}, ExtraHosts: []string{"h=1.2.3.4"}, ShmSize: 64 << 20,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for service, wants := range map[string][]string{
		"file":   {`input services:3: service "file": there is no Dockerfile web/Dockerfile; the context has Dockerfile.dev; name it in build.dockerfile`},
		"folder": {`input services:4: service "folder": build.context nowhere is no folder in the workspace`},
		"keys":   {`service "keys": build.ssh: default needs an agent`, `service "keys": build.privileged is not supported`},
		"plain":  {`service "plain" has no build`},
		"less":   {`service "less": build.shm_size: -1 is less than nothing`},
	} {
		_, err := project.Build(project.Services[service], image.Parse)
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v\nwant %s", service, err, want)
			}
		}
	}
}

func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
