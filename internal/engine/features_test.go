package engine_test

import (
	"context"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

// TestRefusals shows what each engine can't do, each told by its name.
func TestRefusals(t *testing.T) {
	everything := compose.Build{
		Service: "web", Context: "ssh://git@host.example/app.git#main:sub", Contexts: map[string]string{"lib": "/lib"}, Ulimits: map[string]string{"core": "0:0"}, ShmSize: 1,
		Inline: "FROM scratch\nRUN <<END\nEND\n", Platforms: []string{"linux/amd64", "linux/arm64"}, Provenance: "true", SBOM: "true",
		CacheTo:   []compose.Cache{{Type: "gha"}, {Type: "inline"}, {Type: "azblob"}},
		CacheFrom: []compose.Cache{{Type: "gha"}, {Type: "registry"}, {Type: "s3"}},
	}
	old := []string{
		"context, a folder of a repository: needs an engine of version 23", "context, ssh://: needs an engine of version 23 or newer, or the address as git@HOST:PATH",
		"additional_contexts: needs an engine of version 23", "ulimits: needs an engine of version 23", "shm_size: needs an engine of version 23", "dockerfile_inline: needs an engine of version 23",
	}
	classic := []string{"platforms, more than one: ", "provenance: ", "sbom: ", "cache_to, type gha: ", "cache_from, type gha: "}
	bucket := []string{"cache_to, type azblob: is no cache of an engine's", "cache_from, type s3: is no cache of an engine's"}
	enginetest.Each(t, func(t *testing.T, eng *engine.Engine) {
		builder, err := eng.Builder(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = builder.Close(context.Background()) }()
		want := bucket
		if !eng.ContainerdStore {
			want = append(classic, want...)
		}
		if strings.HasPrefix(eng.Version, "20.") {
			want = append(old, want...)
		}
		got := message(builder.Refusals(everything))
		if lines := strings.Count(got, "\n") + 1; lines != len(want) {
			t.Errorf("%d refusals, want %d:\n%s", lines, len(want), got)
		}
		for _, one := range want {
			if !strings.Contains(got, `service "web": build.`+one) {
				t.Errorf("no refusal %q in\n%s", one, got)
			}
		}
		if got := builder.Refusals(compose.Build{Service: "web", Context: "git@host.example:app.git", Platforms: []string{"linux/amd64"}, Provenance: "false"}); got != nil {
			t.Errorf("refused: %v", got)
		}
	})
}
