package buildpush

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/enginetest"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
	"github.com/guk0/travois/internal/registry/registrytest"
)

// pushBench is a workspace with one service, and a registry that can be troubled.
type pushBench struct {
	dir, host string
	registry  *registrytest.Faulty
	// engine is for DOCKER_HOST, builder is the input.
	engine, builder string
	services, tags  string // the inputs
	// names are the services that give made.
	names []string
	// also takes the log while it is written.
	also io.Writer
}

func newPushBench(t *testing.T) *pushBench {
	t.Helper()
	enginetest.Connect(t)
	b := &pushBench{
		dir: t.TempDir(), registry: &registrytest.Faulty{Next: registrytest.New(enginetest.Username, enginetest.Password, "guk0/")},
		engine: os.Getenv("DOCKER_HOST"), builder: builderEngine, services: "one: {image: guk0/one, build: .}", also: io.Discard,
	}
	server := httptest.NewServer(b.registry)
	t.Cleanup(func() {
		server.CloseClientConnections() // an engine keeps those that hang
		server.Close()
	})
	b.host = strings.TrimPrefix(server.URL, "http://")
	enginetest.Write(t, filepath.Join(b.dir, "Dockerfile"), "FROM scratch\nCOPY content /\n")
	b.change(t)
	return b
}

// eachBuilder runs a test with every kind of engine, and with a builder in a
// container.
func eachBuilder(t *testing.T, test func(t *testing.T, b *pushBench)) {
	for kind, host := range enginetest.Hosts() {
		t.Run(kind, func(t *testing.T) {
			b := newPushBench(t)
			b.engine = host
			test(t, b)
		})
	}
	t.Run("builder", func(t *testing.T) {
		b := newPushBench(t)
		b.engine, b.builder = enginetest.ContainerdHost, builderContainer
		test(t, b)
	})
}

// change makes the next image another one than every image before.
func (b *pushBench) change(t *testing.T) {
	t.Helper()
	enginetest.Write(t, filepath.Join(b.dir, "content"), rand.Text())
}

// give makes the services others, each with a folder of its own.
func (b *pushBench) give(t *testing.T, names ...string) {
	t.Helper()
	var services strings.Builder
	for _, name := range names {
		if err := os.Mkdir(filepath.Join(b.dir, name), 0o755); err != nil {
			t.Fatal(err)
		}
		enginetest.Write(t, filepath.Join(b.dir, name, "Dockerfile"), "FROM scratch\nCOPY content /\n")
		b.changeService(t, name)
		fmt.Fprintf(&services, "%s: {image: guk0/%s, build: %s}\n", name, name, name)
	}
	b.services, b.names = services.String(), names
}

// changeService does for services that give made what change does for one.
func (b *pushBench) changeService(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		enginetest.Write(t, filepath.Join(b.dir, name, "content"), rand.Text())
	}
}

// run runs the action for a commit and gives its outputs and its log.
func (b *pushBench) run(t *testing.T, sha string) (outputs map[string]string, log string, code int) {
	t.Helper()
	return b.do(t, sha, run)
}

// do is run with another way through the action.
func (b *pushBench) do(t *testing.T, sha string, run func(context.Context, *action.Runner) error) (outputs map[string]string, log string, code int) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "outputs")
	var out bytes.Buffer
	r := action.NewRunner([]string{
		"GITHUB_WORKSPACE=" + b.dir, "GITHUB_OUTPUT=" + file, "GITHUB_SHA=" + sha, "GITHUB_REF=refs/heads/main", "GITHUB_EVENT_NAME=push",
		"INPUT_SERVICES=" + b.services, "INPUT_TAGS=" + b.tags, "INPUT_REGISTRY=" + b.host, "INPUT_USERNAME=" + enginetest.Username, "INPUT_PASSWORD=" + enginetest.Password,
		"INPUT_DEFAULT-BRANCH=main", "DOCKER_HOST=" + b.engine, "INPUT_BUILDER=" + b.builder, "GITHUB_RUN_ID=" + b.host,
	}, io.MultiWriter(&out, b.also))
	code = r.Run(t.Context(), run)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if outputs, err = actiontest.Outputs(string(text)); err != nil {
		t.Fatal(err)
	}
	return outputs, out.String(), code
}

const (
	firstSHA  = "0123456789abcdef0123456789abcdef01234567"
	secondSHA = "fedcba9876543210fedcba9876543210fedcba98"
)

var manifests = regexp.MustCompile(`/manifests/`)

var moving = regexp.MustCompile(`/manifests/latest`)

// pushTroubles are a registry's, with the result and how often a final refusal
// may be asked for.
var pushTroubles = []struct {
	name  string
	fault registrytest.Fault
	want  string
}{
	{"503 on a manifest", registrytest.Fault{Method: http.MethodPut, Path: manifests, Times: 1, Status: 503}, pushed},
	{"500 on a manifest", registrytest.Fault{Method: http.MethodPut, Path: manifests, Times: 1, Status: 500}, pushed},
	{"408 on a manifest", registrytest.Fault{Method: http.MethodPut, Path: manifests, Times: 1, Status: 408}, pushed},
	{"429 on a manifest, with a pause", registrytest.Fault{Method: http.MethodPut, Path: manifests, Times: 2, Status: 429, Header: http.Header{"Retry-After": {"1"}}}, pushed},
	{"500 on a moving tag", registrytest.Fault{Method: http.MethodPut, Path: moving, Times: 1, Status: 500}, pushed},
	{"a connection cut on a manifest", registrytest.Fault{Method: http.MethodPut, Path: manifests, Times: 1}, pushed},
	{"a connection cut on a layer", registrytest.Fault{Method: http.MethodPatch, Times: 1}, pushed},
	{"503 on a layer", registrytest.Fault{Method: http.MethodPut, Path: regexp.MustCompile(`/blobs/uploads/`), Times: 1, Status: 503}, pushed},
	{"401 on a manifest", registrytest.Fault{Method: http.MethodPut, Path: manifests, Times: -1, Status: 401}, failed},
	{"403 on a manifest", registrytest.Fault{Method: http.MethodPut, Path: manifests, Times: -1, Status: 403}, failed},
	{"404 on a manifest", registrytest.Fault{Method: http.MethodPut, Path: manifests, Times: -1, Status: 404}, failed},
	{"403 on a moving tag", registrytest.Fault{Method: http.MethodPut, Path: moving, Times: -1, Status: 403}, failed},
}

// TestPushTroubles shows what a registry's trouble does to a push: some pass,
// some are final, and whatever was said to be pushed is in the registry.
func TestPushTroubles(t *testing.T) {
	eachBuilder(t, func(t *testing.T, b *pushBench) {
		for _, c := range pushTroubles {
			t.Run(c.name, func(t *testing.T) {
				b.change(t)
				b.registry.Set(c.fault)
				outputs, log, code := b.run(t, firstSHA)
				if outputs["result"] != c.want || (code == 0) != (c.want == pushed) {
					t.Fatalf("result %q, exit %d, want %q\n%s", outputs["result"], code, c.want, log)
				}
				if c.want == pushed {
					b.check(t, outputs, "sha-"+firstSHA[:12], "main", "latest")
					return
				}
				if count := b.registry.Asked("PUT .*" + c.fault.Path.String()); count > 2 || c.fault.Path == manifests && b.registry.Asked("PUT .*/manifests/(main|latest)") > 0 {
					t.Errorf("a final refusal was asked %d times\n%s", count, log)
				}
				if !strings.Contains(log, "::error::") {
					t.Errorf("no error is told:\n%s", log)
				}
				if c.fault.Path == moving { // The image is up, and handed on.
					b.check(t, outputs, "sha-"+firstSHA[:12])
				} else if outputs["digests"] != "{}" || outputs["images"] != "{}" {
					t.Errorf("digests %s, images %s of what is not up\n%s", outputs["digests"], outputs["images"], log)
				}
			})
		}
	})
}

// TestPushRefusedOfWhatIsThere shows that an image which the registry has, and
// refuses another tag for, is not handed on under that tag.
func TestPushRefusedOfWhatIsThere(t *testing.T) {
	b := newPushBench(t)
	if outputs, log, code := b.run(t, firstSHA); code != 0 || outputs["result"] != pushed {
		t.Fatalf("result %q\n%s", outputs["result"], log)
	}
	b.registry.Set(registrytest.Fault{Method: http.MethodPut, Path: regexp.MustCompile(`/manifests/sha-`), Times: -1, Status: 403})
	outputs, log, code := b.run(t, secondSHA)
	if code != 1 || outputs["result"] != failed || outputs["images"] != "{}" || outputs["digests"] != "{}" {
		t.Errorf("exit %d, result %q, images %s, digests %s\n%s", code, outputs["result"], outputs["images"], outputs["digests"], log)
	}
}

// check reads the tags back from the registry and compares the digests.
func (b *pushBench) check(t *testing.T, outputs map[string]string, tags ...string) {
	t.Helper()
	var digests map[string]string
	if err := json.Unmarshal([]byte(outputs["digests"]), &digests); err != nil {
		t.Fatal(err)
	}
	b.registry.Set()
	for _, tag := range tags {
		got, err := registry.Credentials{}.Digest(t.Context(), image.Reference{Registry: b.host, Repository: "guk0/one", Tag: tag})
		if err != nil || got != digests["one"] {
			t.Errorf("the registry has %s as %q (%v), the output says %q", tag, got, err, digests["one"])
		}
	}
}

// TestPushUnchanged shows that the next commit's image, which is the same one,
// gets its tag without a layer or an image being sent.
func TestPushUnchanged(t *testing.T) {
	eachBuilder(t, func(t *testing.T, b *pushBench) {
		first, log, code := b.run(t, firstSHA)
		if code != 0 {
			t.Fatal(errors.New(log))
		}
		b.registry.Set()
		second, log, code := b.run(t, secondSHA)
		if code != 0 || second["digests"] != first["digests"] {
			t.Fatalf("digests %s, then %s\n%s", first["digests"], second["digests"], log)
		}
		if sent := b.registry.Asked(`^(PATCH|PUT) .*/blobs/`); sent != 0 {
			t.Errorf("%d pieces of layers were sent again", sent)
		}
		if put := b.registry.Asked(`^PUT .*/manifests/`); put != 1 {
			t.Errorf("%d manifests were put, want the new tag's alone\n%s", put, log)
		}
		b.check(t, second, "sha-"+secondSHA[:12], "main", "latest")
	})
}

// TestLookUpRefused shows that a registry which does not say what it has is
// asked once, and not for every tag, and is sent the image.
func TestLookUpRefused(t *testing.T) {
	b := newPushBench(t)
	asked, tagged := 0, regexp.MustCompile(`/manifests/(sha-[0-9a-f]+|main|latest)$`)
	next := b.registry.Next
	b.registry.Next = http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		isOurs := strings.HasPrefix(request.UserAgent(), "go-containerregistry")
		if isOurs && request.Method == http.MethodGet && tagged.MatchString(request.URL.Path) {
			asked++
			w.WriteHeader(http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, request)
	})
	outputs, log, code := b.run(t, firstSHA)
	if code != 0 || asked != 1 {
		t.Fatalf("exit %d, asked %d times\n%s", code, asked, log)
	}
	b.check(t, outputs, "sha-"+firstSHA[:12], "main", "latest")
}
