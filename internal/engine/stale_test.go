package engine_test

import (
	"bytes"
	"crypto/rand"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

// TestRepositoriesAtOnePath builds what two repositories have at one path in
// turn, as on a runner: files of one size and time.
func TestRepositoriesAtOnePath(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, eng *engine.Engine) {
		dir := enginetest.Context(t)
		enginetest.Write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY program file /\nRUN [\"/program\", \"read=/file\"]\n")
		for range 2 {
			word := rand.Text()
			file := filepath.Join(dir, "file")
			enginetest.Write(t, file, word)
			at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
			var output bytes.Buffer
			one := engine.Image{Build: build(dir, "shared"), Repository: "guk0/" + word, Output: &output}
			if _, err := eng.Build(t.Context(), []engine.Image{one}, nobody); err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(output.Bytes(), []byte(word)) {
				t.Errorf("the image has not the file %q:\n%s", word, &output)
			}
		}
	})
}
