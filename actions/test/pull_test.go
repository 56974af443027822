package test

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
	"github.com/guk0/travois/internal/registry/registrytest"
)

// TestPull shows what is seen of a pull, and that one which a registry refuses
// for a moment is tried again.
func TestPull(t *testing.T) { enginetest.Each(t, pull) }

func pull(t *testing.T, eng *engine.Engine) {
	trouble := &registrytest.Faulty{Next: registrytest.New(enginetest.Username, enginetest.Password, enginetest.Username+"/")}
	server := httptest.NewServer(trouble)
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	name := host + "/guk0/pulled:1"
	publish(t, eng, host, name)
	t.Cleanup(func() { _ = eng.RemoveImages(context.Background(), []string{name}) })
	start := func(ended func(*bytes.Buffer)) (string, int) {
		out := &writer{seen: ended}
		r := action.NewRunner([]string{
			"GITHUB_WORKSPACE=" + t.TempDir(), "DOCKER_HOST=" + eng.Host, "INPUT_REGISTRY=" + host, "INPUT_USERNAME=" + enginetest.Username,
			"INPUT_PASSWORD=" + enginetest.Password, "INPUT_SERVICES=unit: {image: guk0/pulled:1, command: print=ran}", "PATH=" + os.Getenv("PATH"),
		}, out)
		code := r.Run(t.Context(), run)
		return out.text.String(), code
	}
	refusing := registrytest.Fault{Path: regexp.MustCompile("manifests"), Times: -1, Status: http.StatusServiceUnavailable}
	trouble.Set(refusing)
	log, code := start(nil)
	if code == 0 || strings.Count(log, "; once more") != pullTries-1 || !strings.Contains(log, `suite "unit": pull `+name) {
		t.Errorf("exit %d, want tries and an error\n%s", code, log)
	}
	trouble.Set(refusing)
	log, code = start(func(text *bytes.Buffer) {
		if strings.Contains(text.String(), "once more") {
			trouble.Set()
		}
	})
	for _, want := range []string{"unit | try 1 of 3: pull " + name, "unit | 1: Pulling from guk0/pulled", "unit | Status: Downloaded newer image", "\nran\n"} {
		if code != 0 || !strings.Contains(log, want) {
			t.Errorf("exit %d, lacks %q\n%s", code, want, log)
		}
	}
	if strings.Contains(log, "Downloading") {
		t.Errorf("shows progress as lines\n%s", log)
	}
}

// writer keeps what is written to it, and tells of it.
type writer struct {
	text bytes.Buffer
	seen func(*bytes.Buffer)
}

func (w *writer) Write(text []byte) (int, error) {
	n, err := w.text.Write(text)
	if w.seen != nil {
		w.seen(&w.text)
	}
	return n, err
}

// publish pushes an image of the program that the engine then forgets.
func publish(t *testing.T, eng *engine.Engine, host, name string) {
	t.Helper()
	logins := func(context.Context, string) (string, string, error) {
		return enginetest.Username, enginetest.Password, nil
	}
	dir := enginetest.Context(t)
	one := engine.Image{
		Build: compose.Build{Service: "pulled", Context: dir, Dockerfile: dir + "/Dockerfile", Labels: map[string]string{"of": name}},
		Names: []string{name}, Output: &bytes.Buffer{},
	}
	builder, err := eng.Builder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = builder.Close(context.Background()) }()
	if _, err := builder.Build(t.Context(), []engine.Image{one}, logins); err != nil {
		t.Fatal(err)
	}
	if _, err := builder.Push(t.Context(), one, logins, host); err != nil {
		t.Fatal(err)
	}
	if err := eng.RemoveImages(t.Context(), []string{name}); err != nil {
		t.Fatal(err)
	}
}
