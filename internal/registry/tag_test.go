package registry_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
	"github.com/guk0/travois/internal/registry/registrytest"
)

func TestTagAndHas(t *testing.T) {
	one := pushImage(t, start(t), "sha-1", 2)
	client, err := one.credentials.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	reference, digest, content, other := one.reference, one.digest, one.content, one.content
	other.Config.Cmd = []string{"other"}
	from := reference.WithDigest(digest)
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
		{"sha-1", "", content, digest},
		{"latest", "", content, digest},
		{"main", digest, image.Content{}, digest},
		{"main", "", other, ""},
		{"main", "", image.Content{}, ""},
		{"other", digest, content, ""},
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
	if present := client.Present(t.Context(), reference, []string{"main", "other", "sha-1"}); strings.Join(present, " ") != "main" {
		t.Errorf("present: %v", present)
	}
	if present := client.Present(t.Context(), reference, []string{"other", "latest", "main"}); strings.Join(present, " ") != "latest" {
		t.Errorf("present: %v", present)
	}
}

// TestTagRefusedMidway shows that a registry which stops to take manifests is
// told of with the tag that it refused, is not asked again, and keeps the tags
// that it took.
func TestTagRefusedMidway(t *testing.T) {
	faulty := &registrytest.Faulty{Next: registrytest.New("guk0", "open sesame", "guk0/")}
	server := httptest.NewServer(faulty)
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	one := pushImage(t, host, "sha-1", 1)
	reference, digest := one.reference, one.digest
	for _, c := range []struct {
		status int
		want   string
	}{
		{http.StatusUnauthorized, `refuses user "guk0" the push to guk0/a: check the name's owner, the token's scope, and the inputs username and password`},
		{http.StatusForbidden, `does not let user "guk0" push to guk0/a: check the name's owner, that the repository exists, and the token's scope`},
	} {
		credentials, err := registry.NewCredentials(host, registry.Login{Username: "guk0", Password: "open sesame"}, "")
		if err != nil {
			t.Fatal(err)
		}
		client, err := credentials.Client(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		taken, refused := fmt.Sprint("taken-", c.status), fmt.Sprint("refused-", c.status)
		faulty.Set(registrytest.Fault{Method: http.MethodPut, Path: regexp.MustCompile("/manifests/refused"), Times: -1, Status: c.status})
		err = client.Tag(t.Context(), reference.WithDigest(digest), []string{taken, refused, "later"})
		want := "tag " + host + "/guk0/a:" + refused + ": registry " + host + " " + c.want
		if err == nil || err.Error() != want && err.Error() != strings.Replace(want, ": registry", "@"+digest+": registry", 1) {
			t.Errorf("got %v\nwant %s", err, want)
		}
		if count := faulty.Asked("^PUT .*/manifests/refused"); count != 1 {
			t.Errorf("HTTP %d was asked for %d times", c.status, count)
		}
		if count := faulty.Asked("^PUT .*/manifests/later"); count != 0 {
			t.Errorf("HTTP %d: a tag after the refused one was put", c.status)
		}
		if got, err := credentials.Digest(t.Context(), reference.WithTag(taken)); err != nil || got != digest {
			t.Errorf("the tag that was taken has %s, %v", got, err)
		}
	}
}
