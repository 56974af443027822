package registry

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry/registrytest"
)

const connection = "01234567-89ab-cdef-0123-456789abcdef"

// fakeHub is the runner's endpoint for ID tokens and Docker Hub's for their
// exchange, in one.
type fakeHub struct {
	idStatus, status int
	body             string
	forms            []url.Values
	asked            int
}

func (f *fakeHub) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.URL.Path == "/id" {
		f.asked++
		if request.Header.Get("Authorization") != "Bearer the job's" || request.URL.Query().Get("audience") != "https://identity.docker.com" || request.URL.Query().Get("api-version") != "2" {
			f.idStatus = http.StatusBadRequest
		}
		w.WriteHeader(f.idStatus)
		_, _ = fmt.Fprint(w, `{"value":"an.id.token"}`)
		return
	}
	_ = request.ParseForm()
	f.forms = append(f.forms, request.PostForm)
	if request.Method != http.MethodPost || request.URL.Path != "/oauth/token" {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.WriteHeader(f.status)
	_, _ = fmt.Fprint(w, f.body)
}

// hub are the credentials of a job that may have an ID token, at a fake.
func hub(t *testing.T, fake *fakeHub) (Credentials, *action.Runner) {
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	credentials, r := given(t, LoginInputs{Username: "guk0", ConnectionID: connection},
		"ACTIONS_ID_TOKEN_REQUEST_URL="+server.URL+"/id?api-version=2", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=the job's")
	credentials.leases.byKey["docker.io"].fetch = hubExchange{"guk0", connection, server.URL, r.IDToken, http.DefaultTransport}.login
	return credentials, r
}

func TestDockerHubExchange(t *testing.T) {
	fake := &fakeHub{idStatus: 200, status: 200, body: `{"access_token":"an.access.token","expires_in":3600,"token_type":"Bearer"}`}
	credentials, r := hub(t, fake)
	for _, host := range []string{"docker.io", "registry-1.docker.io", "https://index.docker.io/v1/"} {
		username, password, err := credentials.Lookup(t.Context(), host)
		if err != nil || username != "guk0" || password != "an.access.token" {
			t.Errorf("%s: got %q, %q, %v", host, username, password, err)
		}
	}
	want := []url.Values{{
		"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"},
		"subject_token": {"an.id.token"}, "connection_id": {connection}, "expires_in": {"3600"},
	}}
	if diff := cmp.Diff(want, fake.forms); diff != "" {
		t.Errorf("forms (-want +got):\n%s", diff)
	}
	for _, secret := range []string{"an.access.token", "an.id.token", "the job's"} {
		if !r.Log.Masked(secret) {
			t.Errorf("%s is not masked", secret)
		}
	}
	if login, err := credentials.Login(t.Context(), "ghcr.io"); err != nil || login != (Login{}) {
		t.Errorf("another registry has the login: %v", err)
	}
}

func TestDockerHubExchangeRefused(t *testing.T) {
	const advice = ": check the input oidc-connection-id, that username is the organization, and that a ruleset of the connection allows this repository and this branch, tag or pull request"
	for _, c := range []struct {
		fake fakeHub
		want string
	}{
		{fakeHub{idStatus: 200, status: 401, body: `{"error":"invalid_grant","error_description":"no ruleset matches"}`}, "the exchange of the ID token is refused (HTTP 401: invalid_grant, no ruleset matches)" + advice},
		{fakeHub{idStatus: 200, status: 403, body: `<html>`}, "the exchange of the ID token is refused (HTTP 403)" + advice},
		{fakeHub{idStatus: 200, status: 200, body: `{}`}, "the answer to the exchange of the ID token holds no access_token"},
		{fakeHub{idStatus: 403}, "the runner refuses an ID token with HTTP 403"},
	} {
		credentials, _ := hub(t, &c.fake)
		_, err := credentials.Login(t.Context(), "docker.io")
		if err == nil || err.Error() != "log in to Docker Hub: "+c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
		if _, again := credentials.Login(t.Context(), "docker.io"); again == nil || c.fake.asked != 1 {
			t.Errorf("asked %d times, %v", c.fake.asked, again)
		}
	}
}

func TestDockerHubWithoutIDToken(t *testing.T) {
	credentials, _ := given(t, LoginInputs{Username: "guk0", ConnectionID: connection})
	_, err := credentials.Login(t.Context(), "docker.io")
	want := "log in to Docker Hub: the job has no ID token: give it `permissions: {contents: read, id-token: write}`; pull requests from forks and from Dependabot have none"
	if err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// TestLeaseEnds shows that a login is fetched again before it ends, and that a
// caller who gave up spoils nothing for the next.
func TestLeaseEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetched := 0
		one := lease{mask: func(string) {}, fetch: func(ctx context.Context) (Login, time.Time, error) {
			if ctx.Err() != nil {
				return Login{}, time.Time{}, ctx.Err()
			}
			fetched++
			return Login{"guk0", fmt.Sprint("token ", fetched)}, time.Now().Add(time.Hour), nil
		}}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := one.get(ctx); err == nil {
			t.Error("a caller who gave up got a login")
		}
		for _, c := range []struct {
			after time.Duration
			want  string
		}{{0, "token 1"}, {57 * time.Minute, "token 1"}, {2 * time.Minute, "token 2"}, {time.Minute, "token 2"}} {
			time.Sleep(c.after)
			if login, err := one.get(t.Context()); err != nil || login.Password != c.want {
				t.Errorf("after %s more: got %s, %v; want %s", c.after, login.Password, err, c.want)
			}
		}
	})
}

func TestConnectionInputs(t *testing.T) {
	for _, c := range []struct {
		inputs LoginInputs
		want   string
	}{
		{LoginInputs{Registry: "docker.io", Username: "guk0", ConnectionID: "my connection"}, `input oidc-connection-id: "my connection" is no ID of an OIDC connection`},
		{LoginInputs{Registry: "docker.io", ConnectionID: connection}, "input username: is empty while oidc-connection-id is given"},
		{LoginInputs{Registry: "docker.io", Username: "guk0", Password: "hidden-word", ConnectionID: connection}, "input password: is given beside oidc-connection-id"},
		{LoginInputs{Registry: "ghcr.io", Username: "guk0", ConnectionID: connection}, "input oidc-connection-id: is for Docker Hub, and registry is ghcr.io"},
		{LoginInputs{Registry: "docker.io", Insecure: action.Lines{"http://a:1"}}, `input insecure-registries: "http://a:1" is no host[:port]`},
	} {
		r := action.NewRunner(nil, &strings.Builder{})
		_, err := c.inputs.Credentials(r)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "hidden-word") {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
}

// TestToPull shows that a run that only pulls does without a login whose secret
// it was not given.
func TestToPull(t *testing.T) {
	for _, c := range []struct {
		name   string
		inputs LoginInputs
		env    []string
		left   bool
		notice string
	}{
		{"whole", LoginInputs{Username: "guk0", Password: "word"}, nil, true, ""},
		{"no secret", LoginInputs{Username: "guk0"}, nil, false, "the input password is empty"},
		{"no ID token", LoginInputs{Username: "guk0", ConnectionID: connection}, nil, false, "the job has no ID token"},
		{"an ID token", LoginInputs{Username: "guk0", ConnectionID: connection}, []string{"ACTIONS_ID_TOKEN_REQUEST_URL=a", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=b"}, true, ""},
	} {
		var out strings.Builder
		got := c.inputs.ToPull(action.NewRunner(c.env, &out))
		if (got.Username != "") != c.left || (got.ConnectionID != "") != (c.left && c.inputs.ConnectionID != "") {
			t.Errorf("%s: left %+v", c.name, got)
		}
		if c.notice == "" && out.Len() > 0 || !strings.Contains(out.String(), c.notice) {
			t.Errorf("%s: noticed %q", c.name, &out)
		}
	}
}

// TestAuths reads what `docker login` writes for several registries and what
// only its helpers could read.
func TestAuths(t *testing.T) {
	text, err := json.Marshal(map[string]any{"auths": map[string]any{
		"ghcr.io":                     map[string]string{"auth": "Z3VrMDpmaXJzdC5zZWNvbmQudGhpcmQ="}, // guk0:first.second.third
		"https://index.docker.io/v1/": map[string]string{"auth": "Z3VrMDphOmI"},                      // guk0:a:b, no padding
		"quay.io":                     map[string]string{"auth": "Z3VrMDpwYWRkZWQAAA=="},             // guk0:padded, two NUL
		"Registry.example:5000":       map[string]string{"username": "u", "password": "p"},
	}, "HttpHeaders": map[string]string{"User-Agent": "Docker-Client"}})
	if err != nil {
		t.Fatal(err)
	}
	credentials, r := given(t, LoginInputs{Registry: "docker.io", Username: "input", Password: "wins", Auths: action.Secret(text)})
	for host, want := range map[string]Login{
		"ghcr.io": {"guk0", "first.second.third"}, "docker.io": {"input", "wins"}, "quay.io": {"guk0", "padded"}, "registry.example:5000": {"u", "p"}, "registry.example": {},
	} {
		if got, err := credentials.Login(t.Context(), host); err != nil || got != want {
			t.Errorf("%s: got %v, %v", host, got, err)
		}
	}
	if !r.Log.Masked("first.second.third") {
		t.Error("a password of auths is not masked")
	}
	for _, c := range []struct{ auths, want string }{
		{`{"auths":{"ghcr.io":{}},"credsStore":"desktop"}`, `input auths: has credsStore "desktop", a program that keeps the logins outside of the file and is not here; put each login under auths, as base64 of user:password, and leave credsStore out`},
		{`{"credHelpers":{"` + ireland + `":"ecr-login","gcr.io":"gcloud"}}`, `input auths: has credHelpers for ` + ireland + `, the program "ecr-login", which is not here; leave it out: ECR logs in with the step's AWS credentials` + "\n" +
			`input auths: has credHelpers for gcr.io, the program "gcloud", which is not here; put the login for gcr.io under auths`},
		{`{"auths":{"a.azurecr.io":{"identitytoken":"hidden-word"}}}`, "input auths: a.azurecr.io has a token of one session (identitytoken or registrytoken) and no password; make an access token there and give base64 of user:token as auth"},
		{`{"auths":{"ghcr.io":{}}}`, "input auths: ghcr.io has no auth that is base64 of user:password"},
	} {
		if _, err := NewCredentials("", Login{}, c.auths); err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
}

// TestClientOutlivesLease shows that a client which was made before long builds
// logs in anew when they are done.
func TestClientOutlivesLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const host = "127.0.0.1:5000"
		fetched := 0
		inside := registrytest.New("guk0", "word 1", "guk0/")
		credentials := Credentials{leases: newLeases(func(string) {}), wire: piped(t, inside)}
		credentials.leases.add(host, func(context.Context) (Login, time.Time, error) {
			fetched++
			return Login{"guk0", fmt.Sprint("word ", fetched)}, time.Now().Add(time.Hour), nil
		})
		client, err := credentials.Client(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		made, err := random.Image(64, 1)
		if err != nil {
			t.Fatal(err)
		}
		digest, err := made.Digest()
		if err != nil {
			t.Fatal(err)
		}
		reference := image.Reference{Registry: host, Repository: "guk0/a", Tag: "1"}
		parsed, err := credentials.parse(reference)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(parsed, made, credentials.remote(t.Context())...); err != nil {
			t.Fatal(err)
		}
		if err := client.Tag(t.Context(), reference.WithDigest(digest.String()), []string{"2"}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		inside.Password = "word 2"
		inside.Forget()
		if err := client.Tag(t.Context(), reference.WithDigest(digest.String()), []string{"3"}); err != nil || fetched != 2 {
			t.Errorf("after the lease: %v, fetched %d times", err, fetched)
		}
	})
}
