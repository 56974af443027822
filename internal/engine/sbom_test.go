package engine_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

// TestSBOM has an image's packages listed by a scanner out of a registry that
// wants a login, as BuildKit's own is out of Docker Hub.
func TestSBOM(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, eng *engine.Engine) {
		if !eng.ContainerdStore {
			t.Skip("the classic store has no attestations")
		}
		host := enginetest.Registry(t)
		scanner := engine.Image{Build: build(enginetest.Context(t, "scan=blueberry"), "scanner"), Names: []string{host + "/guk0/scanner:1"}, Output: &bytes.Buffer{}}
		listed := engine.Image{Build: build(enginetest.Context(t, "print=hello"), "listed"), Names: []string{host + "/guk0/listed:1"}, Output: &bytes.Buffer{}}
		listed.Build.SBOM = "generator=" + scanner.Names[0]
		for _, one := range []engine.Image{scanner, listed} {
			if _, err := eng.Build(t.Context(), []engine.Image{one}, logins); err != nil {
				t.Fatalf("%v\n%s", err, one.Output)
			}
			pushOn(t, eng, one, host)
		}
		if attested := attestations(t, listed.Names[0]); !strings.Contains(attested, "blueberry") {
			t.Errorf("no list of packages was published: %q", attested)
		}
	})
}
