package registry_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
	"github.com/guk0/travois/internal/registry/registrytest"
)

func start(t *testing.T) string {
	server := httptest.NewServer(registrytest.New("guk0", "open sesame", "guk0/"))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// pushedImage is one that a registry has as guk0/a.
type pushedImage struct {
	credentials registry.Credentials
	reference   image.Reference
	digest      string
	content     image.Content
}

// pushImage puts an image of so many layers into a registry.
func pushImage(t *testing.T, host, tag string, layers int64) pushedImage {
	t.Helper()
	credentials, err := registry.NewCredentials(host, registry.Login{Username: "guk0", Password: "open sesame"}, "")
	if err != nil {
		t.Fatal(err)
	}
	one := pushedImage{credentials: credentials, reference: image.Reference{Registry: host, Repository: "guk0/a", Tag: tag}}
	parsed, err := name.ParseReference(one.reference.String())
	if err != nil {
		t.Fatal(err)
	}
	made, err := random.Image(64, layers)
	if err != nil {
		t.Fatal(err)
	}
	if err := remote.Write(parsed, made, remote.WithAuth(&authn.Basic{Username: "guk0", Password: "open sesame"})); err != nil {
		t.Fatal(err)
	}
	digest, err := made.Digest()
	if err != nil {
		t.Fatal(err)
	}
	config, err := made.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	one.digest = digest.String()
	one.content = image.Content{OS: config.OS, Architecture: config.Architecture, Created: config.Created.Time}
	for _, layer := range config.RootFS.DiffIDs {
		one.content.Layers = append(one.content.Layers, layer.String())
	}
	return one
}

func TestCheckPush(t *testing.T) {
	host := start(t)
	ours := []image.Reference{{Registry: host, Repository: "guk0/a"}, {Registry: host, Repository: "guk0/b"}}
	for _, c := range []struct {
		name   string
		login  registry.Login
		images []image.Reference
		want   string
	}{
		{"right", registry.Login{Username: "guk0", Password: "open sesame"}, ours, ""},
		{"wrong password", registry.Login{Username: "guk0", Password: "wrong word"}, ours,
			"registry " + host + ` refuses the login of user "guk0": check the inputs username and password (on Docker Hub a personal access token with write scope is the password)`},
		{"no login", registry.Login{}, ours,
			"registry " + host + " asks for a login to push: give the inputs username and password (a secret that is not set is empty)"},
		{"somebody else's", registry.Login{Username: "guk0", Password: "open sesame"}, []image.Reference{{Registry: host, Repository: "other/a"}},
			"registry " + host + ` refuses user "guk0" the push to other/a: check the name's owner, the token's scope, and the inputs username and password`},
	} {
		credentials, err := registry.NewCredentials(host, c.login, "")
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		if err := credentials.CheckPush(t.Context(), c.images); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q\nwant %q", c.name, got, c.want)
		}
	}
}

// TestCheckPushBasic asks a registry that has no tokens, as registry:2 behind
// a password file.
func TestCheckPushBasic(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Basic realm="registry"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	reference := []image.Reference{{Registry: host, Repository: "guk0/a"}}
	for _, c := range []struct{ registry, want string }{
		{host, `refuses user "guk0" the push to guk0/a: check the name's owner, the token's scope, and the inputs username and password`},
		{"docker.io", "registry " + host + " asks for a login to push, and the login given is for docker.io: give the input registry: " + host + ", or auths"},
	} {
		credentials, err := registry.NewCredentials(c.registry, registry.Login{Username: "guk0", Password: "wrong word"}, "")
		if err != nil {
			t.Fatal(err)
		}
		if err := credentials.CheckPush(t.Context(), reference); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("login for %s: got %v\nwant %s", c.registry, err, c.want)
		}
	}
}

func TestCheckPushWithoutRegistry(t *testing.T) {
	credentials := registry.Credentials{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	err := credentials.CheckPush(ctx, []image.Reference{{Registry: "127.0.0.1:1", Repository: "a"}})
	if err == nil || !strings.Contains(err.Error(), "registry 127.0.0.1:1 does not answer") {
		t.Errorf("got %v", err)
	}
}

func TestDigest(t *testing.T) {
	one := pushImage(t, start(t), "1", 1)
	if got, err := (registry.Credentials{}).Digest(t.Context(), one.reference); err != nil || got != one.digest {
		t.Errorf("got %s, %v; want %s", got, err, one.digest)
	}
	if _, err := one.credentials.Digest(t.Context(), one.reference.WithTag("2")); err == nil {
		t.Error("an image that is not there has a digest")
	}
}

func TestNewCredentials(t *testing.T) {
	auth := base64.StdEncoding.EncodeToString([]byte("robot:pass:word"))
	auths := fmt.Sprintf(`{"auths":{"ghcr.io":{"auth":%q},"https://index.docker.io/v1/":{"username":"u","password":"hub"}}}`, auth)
	credentials, err := registry.NewCredentials("quay.io", registry.Login{Username: "q", Password: "quay"}, auths)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]registry.Login{
		"ghcr.io": {Username: "robot", Password: "pass:word"}, "quay.io": {Username: "q", Password: "quay"},
		"docker.io": {Username: "u", Password: "hub"}, "registry-1.docker.io": {Username: "u", Password: "hub"},
	} {
		if got, err := credentials.Login(t.Context(), host); err != nil || got != want {
			t.Errorf("%s: wrong login (%v)", host, err)
		}
	}
	if login, err := credentials.Login(t.Context(), "other.io"); err != nil || login != (registry.Login{}) {
		t.Error("a registry that nobody named has a login")
	}
	if shown := fmt.Sprintf("%v %+v %#v", credentials, credentials, credentials); strings.Contains(shown, "hub}") || strings.Contains(shown, "pass:word") {
		t.Errorf("formats show passwords: %s", shown)
	}
}

func TestNewCredentialsErrors(t *testing.T) {
	for _, c := range []struct {
		login registry.Login
		auths string
		want  string
	}{
		{registry.Login{Username: "u"}, "", "input password: is empty while username is given"},
		{registry.Login{Password: "hidden-word"}, "", "input username: is empty while password is given"},
		{registry.Login{}, "hidden-word", "input auths: is no Docker config.json"},
		{registry.Login{}, `{"auths":{"ghcr.io":{"auth":"hidden-word"}}}`, "input auths: ghcr.io has no auth"},
	} {
		_, err := registry.NewCredentials("", c.login, c.auths)
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "hidden-word") {
			t.Errorf("got %v; want %q", err, c.want)
		}
	}
}

func TestCheckHost(t *testing.T) {
	for _, good := range []string{"", "docker.io", "ghcr.io", "localhost:5000", "127.0.0.1:5000", "[::1]", "[::1]:5000", "Registry.example:65535"} {
		if err := registry.CheckHost(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"https://ghcr.io", "ghcr.io/guk0", "a b", "ghcr.io:", "ghcr.io:0", "ghcr.io:05000", "ghcr.io:65536", "ghcr.io:http"} {
		if err := registry.CheckHost(bad); err == nil || !strings.Contains(err.Error(), "input registry") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}
