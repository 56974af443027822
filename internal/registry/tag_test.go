package registry_test

import (
	"fmt"
	"io"
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
		if err == nil || err.Error() != want {
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

// TestMoves shows that a move is one request, whatever its registry asks for
// before the first, and none where the tag is there, and that a registry which
// has not got the image is told of before any tag moves.
func TestMoves(t *testing.T) {
	faulty := &registrytest.Faulty{Next: registrytest.New("guk0", "open sesame", "guk0/")}
	server := httptest.NewServer(faulty)
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	one := pushImage(t, host, "there", 1)
	client, err := one.credentials.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	to := []image.Reference{one.reference.WithTag("latest"), one.reference.WithTag("there"), one.reference.WithTag("main")}
	moves, err := client.Moves(t.Context(), one.digest, to)
	if err != nil || len(moves) != len(to) {
		t.Fatalf("%d moves, %v", len(moves), err)
	}
	if put := faulty.Asked("^PUT .*/manifests/(latest|main)"); put != 0 {
		t.Errorf("%d tags have moved already", put)
	}
	faulty.Set()
	for _, move := range moves {
		if err := move(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if put, all := faulty.Asked("^PUT /v2/guk0/a/manifests/(latest|main)$"), faulty.Asked(""); put != 2 || all != 2 {
		t.Errorf("%d requests, %d of them of a tag; want 2 and 2", all, put)
	}
	for _, reference := range to {
		if got, err := one.credentials.Digest(t.Context(), reference); err != nil || got != one.digest {
			t.Errorf("%s is %s, %v", reference, got, err)
		}
	}
	absent := "sha256:" + strings.Repeat("0", 64)
	if _, err := client.Moves(t.Context(), absent, to); err == nil || !strings.HasPrefix(err.Error(), "tag "+to[0].String()+": ") || !strings.Contains(err.Error(), "MANIFEST_UNKNOWN") {
		t.Errorf("moves to an image that is not there: %v", err)
	}
}

// TestLacks shows that a registry lacks a tag only if it says so.
func TestLacks(t *testing.T) {
	faulty := &registrytest.Faulty{Next: registrytest.New("guk0", "open sesame", "guk0/")}
	server := httptest.NewServer(faulty)
	defer server.Close()
	one := pushImage(t, strings.TrimPrefix(server.URL, "http://"), "there", 1)
	client, err := one.credentials.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	other := one.reference
	other.Repository = "guk0/other"
	for _, c := range []struct {
		reference image.Reference
		status    int
		want      bool
	}{
		{one.reference, 0, false},
		{one.reference.WithTag("other"), 0, true},
		{other, 0, true},
		{one.reference.WithTag("other"), http.StatusForbidden, false},
		{one.reference.WithTag("other"), http.StatusUnauthorized, false},
	} {
		faulty.Set()
		if c.status != 0 {
			faulty.Set(registrytest.Fault{Method: http.MethodHead, Times: -1, Status: c.status})
		}
		if got := client.Lacks(t.Context(), c.reference); got != c.want {
			t.Errorf("%s, HTTP %d: lacks it: %t, want %t", c.reference, c.status, got, c.want)
		}
	}
}

// TestPresentAgain shows that a tag is found of which the registry says only at
// the second asking, although little time is given for it.
func TestPresentAgain(t *testing.T) {
	faulty := &registrytest.Faulty{Next: registrytest.New("guk0", "open sesame", "guk0/")}
	server := httptest.NewServer(faulty)
	defer server.Close()
	one := pushImage(t, strings.TrimPrefix(server.URL, "http://"), "there", 1)
	client, err := one.credentials.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	faulty.Set(registrytest.Fault{Method: http.MethodHead, Times: 1, Status: 503})
	if present := client.Present(t.Context(), one.reference, []string{"there"}); strings.Join(present, " ") != "there" {
		t.Errorf("present: %v", present)
	}
}

// TestCopyBrokenLayer shows that a layer which broke off on its way to another
// registry is sent anew: the upload that it was part of takes no second beginning.
func TestCopyBrokenLayer(t *testing.T) {
	for _, c := range []struct {
		name   string
		breaks int
		fails  bool
	}{{"once", 1, false}, {"for good", 100, true}} {
		t.Run(c.name, func(t *testing.T) {
			one := pushImage(t, start(t), "1", 1)
			left := c.breaks
			next := registrytest.New("guk0", "open sesame", "guk0/")
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
				if request.Method != http.MethodPatch || left == 0 {
					next.ServeHTTP(w, request)
					return
				}
				left--
				request.Body = io.NopCloser(io.LimitReader(request.Body, 10))
				next.ServeHTTP(httptest.NewRecorder(), request)
				panic(http.ErrAbortHandler)
			}))
			defer server.Close()
			host := strings.TrimPrefix(server.URL, "http://")
			auths := fmt.Sprintf(`{"auths":{%q:{"username":"guk0","password":"open sesame"}}}`, host)
			credentials, err := registry.NewCredentials(one.reference.Registry, registry.Login{Username: "guk0", Password: "open sesame"}, auths)
			if err != nil {
				t.Fatal(err)
			}
			client, err := credentials.Client(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			to := image.Reference{Registry: host, Repository: "guk0/a", Tag: "1"}
			err = client.Copy(t.Context(), one.reference.WithDigest(one.digest), to)
			if (err != nil) != c.fails {
				t.Fatal(err)
			}
			if want := "copy " + one.reference.Name() + " to " + to.Name() + ": registry " + host + " does not answer: "; c.fails && !strings.HasPrefix(err.Error(), want) {
				t.Errorf("got %v\nwant %s…", err, want)
			}
		})
	}
}
