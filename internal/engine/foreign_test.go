package engine_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

// TestNotEmulated shows that a build which runs a program of another platform
// tells what it takes.
func TestNotEmulated(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, eng *engine.Engine) {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "program"), []byte("of another machine"), 0o755); err != nil {
			t.Fatal(err)
		}
		enginetest.Write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY program /program\nRUN [\"/program\"]\n")
		one := engine.Image{Build: build(dir, "foreign"), Output: io.Discard}
		one.Build.Platforms = []string{"linux/arm64"}
		_, err := eng.Build(t.Context(), []engine.Image{one}, nobody)
		for _, want := range []string{`build "foreign": `, "built for linux/arm64, and this builder runs ", "docker/setup-qemu-action"} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("got %v; want %q", err, want)
			}
		}
	})
}
