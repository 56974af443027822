package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/junit"
)

// planFor plans services in a workspace that has the folders web and sql.
func planFor(t *testing.T, c config) (plan, error) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"web/Dockerfile", "web/src/a", "sql/init.sql"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte("FROM scratch\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	source := c.Source(dir, nil)
	source.Select = c.Suites
	project, err := compose.Load(t.Context(), source)
	if err != nil {
		return plan{}, err
	}
	return makePlan(c, "key", project)
}

func inline(services string) config {
	return config{ServiceInputs: compose.ServiceInputs{Services: services}}
}

func TestSuites(t *testing.T) {
	for _, c := range []struct {
		name, services string
		suites         action.Lines
		want           map[string][]string // needs by suite
	}{
		{"what is built", "a: {build: web, depends_on: [db]}\ndb: {image: x}\nidle: {image: y}\n", nil, map[string][]string{"a": {"db"}}},
		{"nothing is built", "lint: {image: x}\nfmt: {image: y}\n", nil, map[string][]string{"lint": {}, "fmt": {}}},
		{"a built dependency", "e2e: {build: web, depends_on: [api]}\napi: {build: web, depends_on: [db]}\ndb: {image: x}\n", nil, map[string][]string{"e2e": {"db", "api"}}},
		{"named", "a: {build: web}\nb: {image: x}\n", action.Lines{"b"}, map[string][]string{"b": {}}},
		{"links", "a: {build: web, links: ['db:mysql']}\ndb: {image: x}\n", nil, map[string][]string{"a": {"db"}}},
	} {
		config := inline(c.services)
		config.Suites = c.suites
		p, err := planFor(t, config)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		got := map[string][]string{}
		for _, one := range p.suites {
			got[one.name] = append([]string{}, one.needs...)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestBases shows what of the services that images start from is run: what is a
// dependency as well, or has a command, or is named.
func TestBases(t *testing.T) {
	type shape struct{ Needs, Bases []string }
	const services = `
unit: {build: {context: web, additional_contexts: {base: service:base, pulled: service:pulled}}, depends_on: [db]}
lint: {command: check, build: {context: web, additional_contexts: [base=service:base]}}
e2e: {build: {context: web, additional_contexts: {lint: service:lint}}}
base: {privileged: true, build: {context: web, additional_contexts: {deep: service:deep}}}
deep: {build: web}
db: {build: {context: web, additional_contexts: {base: service:base}}}
pulled: {image: x}
`
	for _, c := range []struct {
		name   string
		suites action.Lines
		want   map[string]shape
		order  []string
		notes  []string
	}{
		{"inline", nil, map[string]shape{
			"unit": {[]string{"db"}, []string{"base", "deep"}}, "lint": {nil, []string{"base", "deep"}}, "e2e": {nil, []string{"lint", "base", "deep"}},
		}, []string{"unit", "lint", "e2e", "base", "deep", "db"}, []string{
			"base: is built and not started, since suites start from its image and none depends on it",
			"deep: is built and not started, since suites start from its image and none depends on it",
			"pulled: is not started, since no suite depends on it",
		}},
		{"named", action.Lines{"e2e", "deep"}, map[string]shape{
			"e2e": {nil, []string{"lint", "base", "deep"}}, "deep": {},
		}, []string{"lint", "e2e", "base", "deep"}, nil},
	} {
		config := inline(services)
		config.Suites = c.suites
		p, err := planFor(t, config)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		got := map[string]shape{}
		for _, one := range p.suites {
			got[one.name] = shape{one.needs, one.bases}
		}
		if diff := cmp.Diff(c.want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.order, p.order); diff != "" {
			t.Errorf("%s: images (-want +got):\n%s", c.name, diff)
		}
		if diff := cmp.Diff(c.notes, p.notes); c.notes != nil && diff != "" {
			t.Errorf("%s: notes (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestContainer(t *testing.T) {
	p, err := planFor(t, inline(`
a:
  build: {context: web, platforms: [linux/amd64, linux/arm64]}
  platform: linux/arm64
  command: [run]
  entrypoint: /main
  environment: {B: "2", A: "1"}
  working_dir: /w
  user: "1000"
  hostname: host
  init: true
  mem_limit: 128m
  shm_size: 64m
  cpus: 0.5
  tmpfs: ["/t:size=1m", /u]
  extra_hosts: ["one:10.0.0.1"]
  ulimits: {nofile: 100, nproc: {soft: 1, hard: 2}}
  pids_limit: 9
  healthcheck: {test: [CMD, ok], interval: 2s, retries: 4}
  depends_on:
    db: {condition: service_healthy, required: false}
db:
  image: mysql:8
  container_name: app_db
  deploy: {resources: {limits: {memory: 256m, cpus: "2"}, reservations: {memory: 64m}}}
  networks: {default: {aliases: [store]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	init := true
	want := engine.Container{
		Platform: "linux/arm64", Entrypoint: []string{"/main"}, Command: []string{"run"}, Env: []string{"A=1", "B=2", "CI=true"}, WorkingDir: "/w", User: "1000", Hostname: "host",
		Labels: map[string]string{label: "key"}, ExtraHosts: []string{"one:10.0.0.1"}, Tmpfs: map[string]string{"/t": "size=1m", "/u": ""},
		Memory: 128 << 20, ShmSize: 64 << 20, NanoCPUs: 5e8, PidsLimit: 9, Init: &init,
		Ulimits: map[string]engine.Ulimit{"nofile": {Soft: 100, Hard: 100}, "nproc": {Soft: 1, Hard: 2}},
		Health:  &engine.Health{Test: []string{"CMD", "ok"}, Interval: 2 * time.Second, Retries: 4},
	}
	if diff := cmp.Diff(want, p.services["a"].container); diff != "" {
		t.Errorf("container (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"linux/arm64"}, p.services["a"].build.Platforms); diff != "" {
		t.Errorf("platforms of the build (-want +got):\n%s", diff)
	}
	if db := p.services["db"].container; db.Memory != 256<<20 || db.MemoryReservation != 64<<20 || db.NanoCPUs != 2e9 {
		t.Errorf("resources of db: %+v", db)
	}
	if diff := cmp.Diff([]need{{"db", healthy, true}}, p.services["a"].needs, cmp.AllowUnexported(need{})); diff != "" {
		t.Errorf("needs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"db", "app_db", "store"}, p.services["db"].aliases); diff != "" {
		t.Errorf("aliases (-want +got):\n%s", diff)
	}
}

func TestVolumes(t *testing.T) {
	c := inline(`
web:
  build: web
  volumes: [/app/node_modules, "./web:/app", "./web/src:/src", "./sql:/sql:ro", "data:/data", ./db-data:/var/lib/db, /cache, {type: tmpfs, target: /t, tmpfs: {size: 1024}}]
  ports: ["80:80"]
  stdin_open: true
`)
	p, err := planFor(t, c)
	if err != nil {
		t.Fatal(err)
	}
	got := p.services["web"]
	if diff := cmp.Diff([]engine.Volume{{Name: "data", Target: "/data"}, {Name: "mount-" + imageName("db-data"), Target: "/var/lib/db"}, {Target: "/cache"}}, got.volumes); diff != "" {
		t.Errorf("volumes (-want +got):\n%s", diff)
	}
	var copies []string
	for _, one := range got.copies {
		copies = append(copies, fmt.Sprintf("%s to %s, of a context: %t", filepath.Base(one.from), one.to, one.context != nil))
	}
	if diff := cmp.Diff([]string{"web to /app, of a context: true", "src to /src, of a context: false", "sql to /sql, of a context: false"}, copies); diff != "" {
		t.Errorf("copies (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(junit.PathMap{{From: "/app", To: "web"}, {From: "/src", To: "web/src"}, {From: "/sql", To: "sql"}, {From: "/var/lib/db", To: "db-data"}}, got.paths); diff != "" {
		t.Errorf("paths (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"/t": "size=1024"}, got.container.Tmpfs); diff != "" {
		t.Errorf("tmpfs (-want +got):\n%s", diff)
	}
	want := []string{
		"web: anonymous volume /app/node_modules left out with the mount that it was a hole in",
		"web: mount web:/app left out: the image has these files, and gets those that it lacks",
		"web: web/src copied to /src in place of a mount",
		"web: sql copied to /sql in place of a mount",
		"web: db-data is not in the workspace: /var/lib/db is a fresh volume",
		"web: without effect in a test: ports, stdin_open",
	}
	if diff := cmp.Diff(want, p.notes); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestPlanErrors(t *testing.T) {
	for _, c := range []struct {
		name   string
		config config
		want   []string
	}{
		{"unknown and twice", config{Suites: action.Lines{"a", "x", "a"}, ServiceInputs: compose.ServiceInputs{Services: "a: {image: x}\n"}},
			[]string{`there is no service "x"; there are: a`, `input suites: "a" is given twice`}},
		{"keys", inline("a: {image: x, privileged: true, network_mode: host, devices: ['/dev/x']}\n"), []string{"privileged is not supported", "network_mode is not supported", "devices is not supported"}},
		{"binds", inline("a: {image: x, volumes: ['/var/run/docker.sock:/s', './none.sql:/n', './none:/etc/n.conf', {type: bind, source: ./off, target: /o, bind: {create_host_path: false}}]}\n"), []string{"/var/run/docker.sock is outside the workspace", "there is no none.sql in the workspace", "there is no none in the workspace", "there is no off in the workspace"}},
		{"a platform", inline("a: {image: x, platform: 'linux/'}\n"), []string{`input services:1: service "a": platform: "linux/" is no platform; write it as linux/amd64`}},
		{"replicas", inline("a: {image: x, deploy: {replicas: 2}}\n"), []string{"deploy.replicas other than 1"}},
		{"a cycle", inline("a: {image: x, depends_on: [b]}\nb: {image: x, depends_on: [a]}\n"), []string{"cycle"}},
		{"a circle of images", inline("a: {build: {context: web, additional_contexts: {b: 'service:b'}}}\nb: {command: x, build: {context: web, additional_contexts: {a: 'service:a'}}}\n"),
			[]string{`input services:1: service "a": build.additional_contexts: the images start from each other in a circle: a → b → a; remove one of the contexts`}},
		{"a base that is wrong", config{Artifacts: action.Lines{"base:/x=x"}, ServiceInputs: compose.ServiceInputs{
			Services: "a: {build: {context: web, additional_contexts: {b: 'service:base'}}}\nbase: {build: none}\n"}},
			[]string{`input services:2: service "base": build.context none is no folder in the workspace`, `input artifacts: line "base:/x=x": "base" takes no part in the test; there are: a`}},
		{"an unknown dependency", inline("a: {image: x, depends_on: [b]}\n"), []string{`"b"`}},
		{"reports", config{Reports: action.Lines{"a:/../x.xml", "b:/x.xml", "a:x.xml"}, ServiceInputs: compose.ServiceInputs{Services: "a: {image: x}\n"}},
			[]string{`line "a:/../x.xml"`, `"b" takes no part`, `line "a:x.xml": is not service:/path`}},
		{"artifacts", config{Artifacts: action.Lines{"a:/x=../y", "a:/x=/y", "a:/x", "a:/x=y", "a:/z=y", "a:/=z"}, ServiceInputs: compose.ServiceInputs{Services: "a: {image: x}\n"}},
			[]string{`line "a:/x=../y"`, `line "a:/x=/y"`, `line "a:/x": has no destination`, `line "a:/z=y": goes where line "a:/x=y" goes`, `line "a:/=z": give the path`}},
		{"whose artifact", config{Artifacts: action.Lines{"/x=y", "db:/x=z"}, ServiceInputs: compose.ServiceInputs{Services: "a: {build: web, depends_on: [db]}\nb: {build: web, depends_on: [db]}\ndb: {image: x}\n"}},
			[]string{`line "/x=y": which suite's? there are: a, b`, `line "db:/x=z": which suite's?`}},
	} {
		_, err := planFor(t, c.config)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v\nwant an error with %q", c.name, err, want)
			}
		}
	}
}
