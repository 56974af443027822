// Package registrytest is an image registry in process that logs in as Docker
// Hub does: anybody may pull, a push needs a token, a token needs a login. It is
// for tests and for trying a pipeline on one machine.
package registrytest

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
)

// Registry is a registry with its token service. Source of the protocol:
// https://distribution.github.io/distribution/spec/auth/token/
type Registry struct {
	// Username and Password are the one account. It may push below Namespace,
	// anywhere if that is empty.
	Username, Password, Namespace string

	next http.Handler
	key  []byte
}

// New is a registry that keeps what it is given in memory or, with
// registry.WithBlobHandler, elsewhere.
func New(username, password, namespace string, options ...registry.Option) *Registry {
	return &Registry{
		Username: username, Password: password, Namespace: namespace,
		next: registry.New(append(options, registry.Logger(log.New(io.Discard, "", 0)))...), key: []byte(rand.Text()),
	}
}

// Forget makes all tokens that were given worthless, as time does. It is
// called between requests.
func (r *Registry) Forget() { r.key = []byte(rand.Text()) }

func (r *Registry) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	if request.URL.Path == "/token" {
		r.token(w, request)
		return
	}
	token, _ := strings.CutPrefix(request.Header.Get("Authorization"), "Bearer ")
	access, known := r.verify(token)
	if !known || needsPush(request) && !mayPush(access, request.URL.Path) {
		challenge := fmt.Sprintf(`Bearer realm="http://%s/token",service="registry"`, request.Host)
		if repository := repository(request.URL.Path); repository != "" {
			challenge += fmt.Sprintf(`,scope="repository:%s:pull,push"`, repository)
		}
		w.Header().Set("WWW-Authenticate", challenge)
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "authentication required")
		return
	}
	r.next.ServeHTTP(w, request)
}

func needsPush(request *http.Request) bool {
	return request.Method != http.MethodGet && request.Method != http.MethodHead
}

// repository is the path of the repository that an address of the API is
// about, "" for /v2/ itself.
func repository(path string) string {
	rest, _ := strings.CutPrefix(path, "/v2/")
	for _, kind := range []string{"/blobs/", "/manifests/", "/tags/"} {
		if i := strings.LastIndex(rest, kind); i > 0 {
			return rest[:i]
		}
	}
	return ""
}

func mayPush(access, path string) bool {
	repository := repository(path)
	for _, pushable := range strings.Fields(access) {
		if pushable == repository {
			return true
		}
	}
	return false
}

// token grants what was asked for as far as the account may have it: without
// a login, or outside the namespace, that is to pull.
func (r *Registry) token(w http.ResponseWriter, request *http.Request) {
	query := request.URL.Query()
	username, password, given := request.BasicAuth()
	if request.Method == http.MethodPost {
		_ = request.ParseForm()
		query = request.Form
		username, password = query.Get("username"), query.Get("password")
		given = username != ""
	}
	if given && !r.knows(username, password) {
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "incorrect username or password")
		return
	}
	var pushable []string
	for _, scopes := range query["scope"] {
		for scope := range strings.FieldsSeq(scopes) {
			part := strings.Split(scope, ":")
			if given && len(part) == 3 && strings.Contains(part[2], "push") && strings.HasPrefix(part[1], r.Namespace) {
				pushable = append(pushable, part[1])
			}
		}
	}
	signed := r.sign(strings.Join(pushable, " "))
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"token": signed, "access_token": signed, "expires_in": 300})
}

func (r *Registry) knows(username, password string) bool {
	return subtle.ConstantTimeCompare([]byte(username+":"+password), []byte(r.Username+":"+r.Password)) == 1
}

func (r *Registry) sign(access string) string {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(access))
	return base64.RawURLEncoding.EncodeToString([]byte(access)) + "." + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (r *Registry) verify(token string) (access string, ok bool) {
	payload, _, _ := strings.Cut(token, ".")
	text, err := base64.RawURLEncoding.DecodeString(payload)
	return string(text), err == nil && hmac.Equal([]byte(r.sign(string(text))), []byte(token))
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}
