package buildpush

import (
	"io"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

// TestSpec shows what a builder in a container is started with.
func TestSpec(t *testing.T) {
	dir := t.TempDir()
	enginetest.Write(t, filepath.Join(dir, "Dockerfile"), "ARG HOST=registry.example\nFROM $HOST/base\nHEALTHCHECK CMD curl http://localhost/\n")
	for _, c := range []struct {
		name, services, key, value string
		want                       engine.BuilderSpec
	}{
		{"no loopback", "one: {image: a/b, build: .}", "", "", engine.BuilderSpec{}},
		{"a target", "one: {image: 'localhost:5000/b', build: .}", "", "", engine.BuilderSpec{HostNetwork: true}},
		{"a further tag", "one: {image: a/b, build: {context: ., tags: ['127.0.0.1:5000/b:1']}}", "", "", engine.BuilderSpec{HostNetwork: true}},
		{"a base", "one: {image: a/b, build: .}", "BUILD-ARGS", "HOST=127.1.2.3:5000", engine.BuilderSpec{HostNetwork: true}},
		{"a cache", "one: {image: a/b, build: {context: ., cache_from: ['type=registry,ref=localhost:5000/c']}}", "", "", engine.BuilderSpec{HostNetwork: true}},
		{"a context", "one: {image: a/b, build: {context: ., additional_contexts: {x: 'docker-image://localhost:5000/c'}}}", "", "", engine.BuilderSpec{HostNetwork: true}},
		{"insecure registries", "one: {image: a/b, build: .}", "INSECURE-REGISTRIES", "Registry.Example:5000\nregistry.example:5000\nother.example",
			engine.BuilderSpec{Insecure: []string{"registry.example:5000", "other.example"}}},
		{"a proxy", "one: {image: a/b, build: .}", "HTTPS_PROXY", "http://proxy.example:3128",
			engine.BuilderSpec{Env: []string{"HTTPS_PROXY=http://proxy.example:3128"}}},
	} {
		name := c.key
		if name != "HTTPS_PROXY" {
			name = "INPUT_" + name
		}
		r := action.NewRunner([]string{"GITHUB_WORKSPACE=" + dir, "INPUT_PUSH=false", "INPUT_TAGS=1", "INPUT_SERVICES=" + c.services, name + "=" + c.value}, io.Discard)
		p, err := prepare(t.Context(), r)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		c.want.Labels = map[string]string{label: r.StepKey()}
		if diff := cmp.Diff(c.want, p.opening.spec(p.plan)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
