package engine_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"path/filepath"
	"testing"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
)

// TestPushOutOfCache shows that a builder which found all steps in a cache
// elsewhere pushes what it built, although its layers are not here yet: a step
// run anew would give another image.
func TestPushOutOfCache(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, eng *engine.Engine) {
		if !eng.ContainerdStore {
			t.Skip("an old runc starts no privileged container on every machine")
		}
		host := enginetest.Registry(t)
		credentials, err := registry.NewCredentials(host, registry.Login{Username: enginetest.Username, Password: enginetest.Password}, "")
		if err != nil {
			t.Fatal(err)
		}
		dir := enginetest.Context(t)
		enginetest.Write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY program /program\nRUN [\"/program\", \"file=/made:here\"]\n")
		ref := map[string]string{"ref": host + "/guk0/one:cache"}
		one := engine.Image{Build: build(dir, "one"), Names: []string{image.Reference{Registry: host, Repository: "guk0/one", Tag: "1"}.String()}}
		one.Build.CacheFrom = []compose.Cache{{Type: "registry", Attrs: ref}}
		one.Build.CacheTo = one.Build.CacheFrom
		var first string
		for _, c := range []struct {
			name   string
			cached int
		}{{"a builder that runs the steps", 0}, {"a builder that finds them", 2}} {
			builder, err := eng.StartBuilder(t.Context(), engine.BuilderSpec{HostNetwork: true, Labels: map[string]string{"io.travois.test": rand.Text()}}, nobody)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = builder.Close(context.Background()) })
			var output bytes.Buffer
			one.Output = &output
			built, err := builder.Build(t.Context(), []engine.Image{one}, credentials.Lookup)
			if err != nil {
				t.Fatalf("%s: %v\n%s", c.name, err, &output)
			}
			digest, err := builder.Push(t.Context(), one, credentials.Lookup, host)
			if err != nil || digest != built[0].ID {
				t.Errorf("%s: built %s, pushed %s, %v", c.name, built[0].ID, digest, err)
			}
			if built[0].Cached != c.cached || first != "" && digest != first {
				t.Errorf("%s: %d steps out of the cache, want %d; digest %s, before %s\n%s", c.name, built[0].Cached, c.cached, digest, first, &output)
			}
			first = digest
		}
	})
}
