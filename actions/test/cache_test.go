package test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

// TestCache shows that a suite's image is made of the steps that were pushed
// with an earlier image, where the engine has lost them, and that without the
// cache they run again.
func TestCache(t *testing.T) {
	eng := enginetest.Connect(t)
	host, marker := enginetest.Registry(t), rand.Text()
	dir := enginetest.Context(t)
	enginetest.Write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY program /program\nRUN [\"/program\", \"file=/x:"+marker+"\"]\nENTRYPOINT [\"/program\"]\n")
	name := host + "/guk0/web:latest"
	logins := func(context.Context, string) (string, string, error) {
		return enginetest.Username, enginetest.Password, nil
	}
	pushed := engine.Image{
		Build: compose.Build{Service: "web", Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile"), CacheTo: []compose.Cache{{Type: "inline"}}},
		Names: []string{name}, Output: &bytes.Buffer{},
	}
	if _, err := eng.Build(t.Context(), []engine.Image{pushed}, logins); err != nil {
		t.Fatal(err)
	}
	builder, err := eng.Builder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = builder.Close(context.Background()) }()
	if _, err := builder.Push(t.Context(), pushed, logins, host); err != nil {
		t.Fatal(err)
	}
	if err := eng.RemoveImages(t.Context(), []string{name}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		kind   string
		cached bool
	}{{"none", false}, {"auto", true}} {
		forget(t, marker)
		var out bytes.Buffer
		r := action.NewRunner([]string{
			"GITHUB_WORKSPACE=" + dir, "GITHUB_RUN_ID=" + marker, "DOCKER_HOST=" + os.Getenv("DOCKER_HOST"), "INPUT_CACHE=" + c.kind, "INPUT_REGISTRY=" + host,
			"INPUT_SERVICES=web: {image: guk0/web, build: ., command: read=/x}",
		}, &out)
		if code := r.Run(t.Context(), run); code != 0 {
			t.Fatalf("cache %s: exit %d\n%s", c.kind, code, &out)
		}
		if got := stepCached(out.String(), marker); got != c.cached {
			t.Errorf("cache %s: the step came from the cache: %t, want %t\n%s", c.kind, got, c.cached, &out)
		}
	}
}

// forget removes the steps that name a marker from the engine's own cache.
func forget(t *testing.T, marker string) {
	t.Helper()
	text, err := exec.Command("docker", "system", "df", "--verbose", "--format", "{{json .BuildCache}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	var records []struct{ ID, Description string }
	if err := json.Unmarshal(text, &records); err != nil {
		t.Fatal(err)
	}
	for _, one := range records {
		if !strings.Contains(one.Description, marker) {
			continue
		}
		if out, err := exec.Command("docker", "builder", "prune", "--force", "--all", "--filter", "id="+one.ID).CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
}

// stepCached tells whether BuildKit's text says of the step with a marker that
// it was cached.
func stepCached(log, marker string) bool {
	for part := range strings.SplitSeq(log, "\nweb | \n") {
		if strings.Contains(part, "RUN ") && strings.Contains(part, marker) {
			return strings.Contains(part, "CACHED")
		}
	}
	return false
}
