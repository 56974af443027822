package registry_test

import (
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
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
	if err := remote.Write(parsed, made, remote.WithAuth(&authn.Basic{Username: "guk0", Password: "open sesame"})); err != nil {
		t.Fatal(err)
	}
	client, err := credentials.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	manifest, _ := made.Digest()
	config, _ := made.ConfigFile()
	content := image.Content{OS: config.OS, Architecture: config.Architecture, Created: config.Created.Time, Layers: []string{config.RootFS.DiffIDs[0].String(), config.RootFS.DiffIDs[1].String()}}
	other := content
	other.Config.Cmd = []string{"other"}
	from := reference.WithDigest(manifest.String())
	for range 2 { // the second time there is nothing to do
		if err := client.Tag(t.Context(), from, []string{"main", "latest"}); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		tag, digest string
		content     image.Content
		want        string
	}{
		{"sha-1", "", content, manifest.String()},
		{"latest", "", content, manifest.String()},
		{"main", manifest.String(), image.Content{}, manifest.String()},
		{"main", "", other, ""},
		{"main", "", image.Content{}, ""},
		{"other", manifest.String(), content, ""},
	} {
		got, err := client.Has(t.Context(), reference.WithTag(c.tag), c.digest, c.content)
		if err != nil || got != c.want {
			t.Errorf("%s, %q, %+v: got %q, %v; want %q", c.tag, c.digest, c.content, got, err, c.want)
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
