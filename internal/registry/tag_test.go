package registry_test

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
)

func TestTagAndHas(t *testing.T) {
	host := start(t)
	credentials, err := registry.NewCredentials(host, registry.Login{Username: "guk0", Password: "open sesame"}, "")
	if err != nil {
		t.Fatal(err)
	}
	reference := image.Reference{Registry: host, Repository: "guk0/a", Tag: "sha-1"}
	parsed, err := name.ParseReference(reference.String())
	if err != nil {
		t.Fatal(err)
	}
	made, err := random.Image(64, 2)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(parsed, made, remote.WithAuthFromKeychain(credentials)); err != nil {
		t.Fatal(err)
	}
	client, err := credentials.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	manifest, _ := made.Digest()
	config, _ := made.ConfigName()
	from := reference.WithDigest(manifest.String())
	for range 2 { // the second time there is nothing to do
		if err := client.Tag(t.Context(), from, []string{"main", "latest"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ tag, id, want string }{
		{"sha-1", config.String(), manifest.String()},
		{"latest", config.String(), manifest.String()},
		{"main", manifest.String(), manifest.String()},
		{"main", "sha256:" + strings.Repeat("0", 64), ""},
		{"other", config.String(), ""},
	} {
		got, err := client.Has(t.Context(), reference.WithTag(c.tag), c.id)
		if err != nil || got != c.want {
			t.Errorf("%s, %s: got %q, %v; want %q", c.tag, c.id, got, err, c.want)
		}
	}
	stranger, err := registry.Credentials{}.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := stranger.Tag(t.Context(), from, []string{"stolen"}); err == nil || !strings.Contains(err.Error(), "asks for a login to push") {
		t.Errorf("a tag without a login: %v", err)
	}
	if present := client.Present(t.Context(), reference, []string{"other", "latest", "main"}); strings.Join(present, " ") != "latest main" {
		t.Errorf("present: %v", present)
	}
}
