package eblocal

import (
	"archive/tar"
	"bytes"
	"context"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

// appBinary is the tests' container program, compiled once.
var appBinary = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "eblocal-app-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	out := filepath.Join(dir, "app")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", out, "./testdata/app")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
})

// site is a registry with the images of the tests, and what to call them.
type site struct {
	t    *testing.T
	host string
}

func newSite(t *testing.T) site {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(discardLog())))
	t.Cleanup(server.Close)
	return site{t, strings.TrimPrefix(server.URL, "http://")}
}

// push builds an image from scratch whose program sees env, and pushes it. It
// returns repository:tag@digest, as a deployment names its images.
func (s site) push(repoTag string, env ...string) string {
	s.t.Helper()
	ref := s.host + "/" + repoTag
	image, err := appImage(env)
	if err != nil {
		s.t.Fatal(err)
	}
	tag, err := name.ParseReference(ref, name.Insecure)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := remote.Write(tag, image, remote.WithContext(s.t.Context())); err != nil {
		s.t.Fatal(err)
	}
	digest, err := image.Digest()
	if err != nil {
		s.t.Fatal(err)
	}
	ref += "@" + digest.String()
	s.t.Cleanup(func() { _ = exec.Command("docker", "image", "rm", "-f", ref, tagged(ref)).Run() })
	return ref
}

// tagged is a reference without the digest.
func tagged(ref string) string {
	ref, _, _ = strings.Cut(ref, "@")
	return ref
}

func appImage(env []string) (v1.Image, error) {
	binary, err := appBinary()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	if err := w.WriteHeader(&tar.Header{Name: "app", Mode: 0o755, Size: int64(len(binary))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(binary); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b.Bytes())), nil })
	if err != nil {
		return nil, err
	}
	image, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return nil, err
	}
	return mutate.ConfigFile(image, &v1.ConfigFile{
		OS: "linux", Architecture: runtime.GOARCH, RootFS: v1.RootFS{Type: "layers", DiffIDs: diffIDs(image)},
		Config: v1.Config{Entrypoint: []string{"/app"}, Env: env},
	})
}

func diffIDs(image v1.Image) []v1.Hash {
	cfg, err := image.ConfigFile()
	if err != nil {
		return nil
	}
	return cfg.RootFS.DiffIDs
}

// onEngine serves an environment on the engine, and takes it down at the end.
func onEngine(t *testing.T, opts Options) *bench {
	t.Helper()
	opts.Environ = os.Environ()
	opts.HealthTimeout, opts.Settle, opts.Watch = time.Minute, time.Second, 200*time.Millisecond
	b := serve(t, opts)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		if err := b.Down(ctx); err != nil {
			t.Error(err)
		}
		for _, kind := range []string{"container", "network", "volume"} {
			if left := b.objects(kind); left != "" {
				t.Errorf("%s left after Down: %s", kind, left)
			}
		}
	})
	return b
}

// objects lists the environment's objects of a kind on the engine.
func (b *bench) objects(kind string) string {
	b.t.Helper()
	args := []string{kind, "ls", "-q", "--filter", "label=" + labelEnv + "=" + b.id}
	if kind == "container" {
		args = append(args, "-a")
	}
	out, err := exec.Command("docker", args...).Output()
	if err != nil {
		b.t.Fatalf("list %ss: %v", kind, err)
	}
	return strings.TrimSpace(string(out))
}

func (b *bench) mustServe(parts ...string) {
	b.t.Helper()
	status, body := fetch(b.t, b.EnvironmentURL())
	if status != 200 {
		b.t.Fatalf("page: status %d: %s", status, body)
	}
	mustContain(b.t, "page", body, parts...)
}

func TestDeployCompose(t *testing.T) {
	t.Parallel()
	images := newSite(t)
	opts := testOptions(t)
	opts.EnvVars = map[string]string{"PROPERTY": "a $mall #1"}
	b := onEngine(t, opts)
	compose := func(web, backend string) map[string]string {
		return map[string]string{composeFile: `version: "2.4"
services:
  frontend:
    image: ` + web + `
    restart: always
    ports:
      - "80:8000"
    mem_limit: 64m
    environment:
      PROPERTY: ${PROPERTY}
      PEER: backend:9000
    links:
      - backend
    depends_on:
      - backend
  backend:
    image: ` + backend + `
    container_name: app_backend
    env_file: .env
    volumes:
      - data:/data
    mem_limit: 64m
volumes:
  data:
    name: shared
`}
	}
	web1 := images.push("web:1", "PORT=8000", "TEXT=one")
	web2 := images.push("web:2", "PORT=8000", "TEXT=two")
	backend := images.push("backend:1", "PORT=9000", "TEXT=backend")
	broken := images.push("backend:broken", "DIE=the database is not there")

	if status, _ := fetch(t, b.EnvironmentURL()); status != 503 {
		t.Errorf("before the first deployment: status %d, expected 503", status)
	}
	b.version("v1", compose(web1, backend))
	events := strings.Join(b.deployed("v1"), "\n")
	mustContain(t, "events", events, "INFO Environment update completed successfully.")
	b.mustServe("text=one property=a $mall #1", "peer: text=backend property=a $mall #1")
	first := strings.Fields(b.objects("container"))

	b.version("v2", compose(web2, backend))
	b.deployed("v2")
	b.mustServe("text=two")
	for _, id := range strings.Fields(b.objects("container")) {
		if slices.Contains(first, id) {
			t.Errorf("container %s of v1 is left after v2 was deployed", id)
		}
	}

	b.version("v3", compose(web1, broken))
	events = strings.Join(b.deployed("v3"), "\n")
	mustContain(t, "events", events, `Container "backend" exited with code 1.`, "ERROR Failed to deploy application.")
	b.mustServe("text=two")
	if e := b.environment(); aws.ToString(e.VersionLabel) != "v2" || e.Health != ebtypes.EnvironmentHealthGreen {
		t.Errorf("after a failed deployment: label %q, health %s; expected v2, Green", aws.ToString(e.VersionLabel), e.Health)
	}
	mustContain(t, "tail", b.tail(), "the database is not there", "backend-stdouterr.log", "serving two")
}

func TestInstanceGoesAndComes(t *testing.T) {
	t.Parallel()
	images := newSite(t)
	opts := testOptions(t)
	b := onEngine(t, opts)
	image := tagged(images.push("web:1", "PORT=80", "TEXT=here"))
	b.version("v1", map[string]string{composeFile: "services:\n  web:\n    image: " + image + "\n    ports: ['80:80']\n"})
	b.deployed("v1")
	docker(t, append([]string{"stop", "-t", "1"}, strings.Fields(b.objects("container"))...)...)
	await(t, "the cause", func() (bool, string) {
		causes := strings.Join(b.health().Causes, " ")
		return strings.Contains(causes, `Container "web" exited with code`), causes
	})
	if e := b.environment(); e.Health != ebtypes.EnvironmentHealthRed {
		t.Errorf("health without containers: %s, expected Red", e.Health)
	}
	// A port that the engine chose changes with a restart: traffic must follow.
	docker(t, append([]string{"start"}, strings.Fields(b.objects("container"))...)...)
	b.awaitHealth(ebtypes.EnvironmentHealthGreen)
	b.mustServe("text=here")
}

func docker(t *testing.T, args ...string) {
	t.Helper()
	if out, err := exec.Command("docker", args...).CombinedOutput(); err != nil {
		t.Fatalf("docker %s: %v: %s", args[0], err, out)
	}
}

func TestDeployDockerrun(t *testing.T) {
	t.Parallel()
	images := newSite(t)
	opts := testOptions(t)
	opts.Platform = ECS
	opts.EnvVars = map[string]string{"PROPERTY": "from $the environment"}
	b := onEngine(t, opts)
	broken := images.push("backend:broken", "DIE=the database is not there")
	dockerrun := func(web, backend, aside string) map[string]string {
		return map[string]string{dockerrunFile: `{
  "AWSEBDockerrunVersion": 2,
  "containerDefinitions": [
    {"name": "backend", "image": "` + backend + `", "hostname": "backend", "memory": 64},
    {"name": "aside", "image": "` + aside + `", "essential": false, "memory": 64},
    {"name": "nginx", "image": "` + web + `", "hostname": "nginx", "memory": 64, "links": ["backend:api"],
     "environment": [{"name": "PEER", "value": "api:9000"}],
     "portMappings": [{"hostPort": 80, "containerPort": 8000}]}
  ]
}`}
	}
	web1 := images.push("web:1", "PORT=8000", "TEXT=one")
	web2 := images.push("web:2", "PORT=8000", "TEXT=two")
	backend := images.push("backend:1", "PORT=9000", "TEXT=backend")
	aside := images.push("aside:1", "PORT=9001", "TEXT=aside")

	b.version("v1", dockerrun(web1, backend, images.push("aside:done", "DONE=1")))
	b.deployed("v1")
	b.mustServe("text=one property=from $the environment", "peer: text=backend")
	b.version("v2", dockerrun(web2, broken, aside))
	events := strings.Join(b.deployed("v2"), "\n")
	mustContain(t, "events", events, `Container "backend" exited with code 1.`)
	b.mustServe("text=one")
	mustContain(t, "tail", b.tail(), "the database is not there")
	b.version("v3", dockerrun(web2, backend, broken))
	events = strings.Join(b.deployed("v3"), "\n")
	mustContain(t, "events", events, `Container "aside" exited with code 1.`, "ERROR Failed to deploy application.")
	b.mustServe("text=one")
	b.version("v4", dockerrun(web2, backend, aside))
	b.deployed("v4")
	b.mustServe("text=two", "peer: text=backend")

	docker(t, "kill", b.container("aside"))
	b.awaitHealth(ebtypes.EnvironmentHealthYellow)
	mustContain(t, "causes", strings.Join(b.health().Causes, " "), `Container "aside" exited with code 137.`)
	b.mustServe("text=two", "peer: text=backend")
}

// container is the id of a service's container.
func (b *bench) container(service string) string {
	b.t.Helper()
	out, err := exec.Command("docker", "ps", "-q", "--filter", "label="+labelEnv+"="+b.id,
		"--filter", "label=com.docker.compose.service="+service).Output()
	if err != nil {
		b.t.Fatalf("find the container of %s: %v", service, err)
	}
	return strings.TrimSpace(string(out))
}

func TestPullFailureIsTold(t *testing.T) {
	t.Parallel()
	images := newSite(t)
	b := onEngine(t, testOptions(t))
	b.version("v1", map[string]string{composeFile: "services:\n  web:\n    image: " + images.host + "/absent:1\n    ports: ['80:80']\n"})
	events := strings.Join(b.deployed("v1"), "\n")
	mustContain(t, "events", events, "failed to pull image", "/absent:1", "ERROR Failed to deploy application.")
	if e := b.environment(); e.Health != ebtypes.EnvironmentHealthRed || aws.ToString(e.VersionLabel) != "" {
		t.Errorf("after the failed first deployment: health %s, label %q; expected Red and none", e.Health, aws.ToString(e.VersionLabel))
	}
}

func TestRestartTakesUpTheInstance(t *testing.T) {
	t.Parallel()
	images := newSite(t)
	opts := testOptions(t)
	opts.Environ = os.Environ()
	image := images.push("web:1", "PORT=80", "TEXT=still here")
	first, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(first.Handler())
	b := benchFor(t, first, api.URL)
	b.version("v1", map[string]string{composeFile: "services:\n  web:\n    image: " + image + "\n    ports: ['80:80']\n"})
	b.deployed("v1")
	api.Close()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again := onEngine(t, opts)
	again.mustServe("text=still here")
	if again.EnvironmentURL() != first.EnvironmentURL() {
		t.Errorf("address after a restart: %s, expected %s", again.EnvironmentURL(), first.EnvironmentURL())
	}
}
