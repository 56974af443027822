package engine_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

// TestProvenance shows what of a build is published with the image: with
// mode=max also the values of its arguments, otherwise not.
func TestProvenance(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, eng *engine.Engine) {
		if !eng.ContainerdStore {
			t.Skip("the classic store has no attestations")
		}
		host := enginetest.Registry(t)
		for _, c := range []struct {
			provenance string
			argument   bool
		}{{"true", false}, {"mode=min", false}, {"mode=max", true}} {
			one := engine.Image{Build: build(enginetest.Context(t, "print=hello"), "attested"), Names: []string{host + "/guk0/attested:1"}, Output: &bytes.Buffer{}}
			one.Build.Args, one.Build.Provenance = map[string]string{"WORD": "blueberry"}, c.provenance
			if _, err := eng.Build(t.Context(), []engine.Image{one}, nobody); err != nil {
				t.Fatal(err)
			}
			pushOn(t, eng, one, host)
			attested := attestations(t, one.Names[0])
			if !strings.Contains(attested, "buildkit") {
				t.Errorf("%s: no provenance was published: %q", c.provenance, attested)
			}
			if got := strings.Contains(attested, "blueberry"); got != c.argument {
				t.Errorf("%s: the argument's value is published: %v, want %v:\n%s", c.provenance, got, c.argument, attested)
			}
		}
	})
}

// logins are those of the tests' registry.
func logins(context.Context, string) (string, string, error) {
	return enginetest.Username, enginetest.Password, nil
}

func pushOn(t *testing.T, eng *engine.Engine, one engine.Image, host string) {
	t.Helper()
	builder, err := eng.Builder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = builder.Close(context.Background()) }()
	if _, err := builder.Push(t.Context(), one, logins, host); err != nil {
		t.Fatal(err)
	}
	if err := eng.RemoveImages(t.Context(), one.Names); err != nil {
		t.Error(err)
	}
}

// attestations is the text of all layers of the manifests that stand in an
// index for no platform.
func attestations(t *testing.T, reference string) string {
	t.Helper()
	parsed, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(parsed, remote.WithAuth(&authn.Basic{Username: enginetest.Username, Password: enginetest.Password}))
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var texts strings.Builder
	for _, one := range manifest.Manifests {
		if one.Annotations["vnd.docker.reference.type"] != "attestation-manifest" {
			continue
		}
		image, err := index.Image(one.Digest)
		if err != nil {
			t.Fatal(err)
		}
		layers, err := image.Layers()
		if err != nil {
			t.Fatal(err)
		}
		for _, layer := range layers {
			content, err := layer.Compressed()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(content)
			if err != nil {
				t.Fatal(err)
			}
			texts.Write(text)
		}
	}
	return texts.String()
}
