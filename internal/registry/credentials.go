// Package registry owns what is said to an image registry apart from the
// push itself: credentials, the preflight and digests.
package registry

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/guk0/travois/internal/image"
)

// hubHosts are the names that Docker Hub has in references, in login files and
// on the wire.
var hubHosts = []string{"docker.io", "index.docker.io", "registry-1.docker.io"}

// Login is a user name with a password or token.
type Login struct {
	Username, Password string
}

// String hides the password.
func (l Login) String() string { return l.Username + ":***" }

// GoString hides the password from %#v.
func (l Login) GoString() string { return l.String() }

// Credentials are logins by registry host, kept in memory only.
type Credentials map[string]Login

// NewCredentials puts a login for one registry ("" is Docker Hub) and the
// `auths` of a Docker config.json together. The login wins where both name a
// registry. Errors name the input and never quote its value.
func NewCredentials(registry string, login Login, auths string) (Credentials, error) {
	credentials := Credentials{}
	var problems []error
	if auths != "" {
		problems = append(problems, credentials.readAuths(auths))
	}
	switch {
	case login.Username == "" && login.Password != "":
		problems = append(problems, errors.New("input username: is empty while password is given; give both or neither (an unset variable or a secret of another name is empty)"))
	case login.Username != "" && login.Password == "":
		problems = append(problems, errors.New("input password: is empty while username is given; give both or neither (an unset secret is empty, and secrets are not passed to pull requests from forks)"))
	case login.Username != "":
		credentials[host(registry)] = login
	}
	return credentials, errors.Join(problems...)
}

// readAuths reads {"auths":{"HOST":{"auth":"BASE64 of user:password"}}}, where
// username and password may stand in place of auth. Source: docker/cli,
// cli/config/configfile.
func (c Credentials) readAuths(text string) error {
	var file struct {
		Auths map[string]struct{ Auth, Username, Password string } `json:"auths"`
	}
	if err := json.Unmarshal([]byte(text), &file); err != nil || file.Auths == nil {
		return errors.New(`input auths: is no Docker config.json; write it as {"auths":{"ghcr.io":{"auth":"…"}}}`)
	}
	var problems []error
	for _, server := range slices.Sorted(maps.Keys(file.Auths)) {
		entry := file.Auths[server]
		login := Login{entry.Username, entry.Password}
		if entry.Auth != "" {
			decoded, _ := base64.StdEncoding.DecodeString(entry.Auth)
			login.Username, login.Password, _ = strings.Cut(string(decoded), ":")
		}
		if login.Username == "" || login.Password == "" {
			problems = append(problems, fmt.Errorf("input auths: %s has no auth that is base64 of user:password", server))
			continue
		}
		c[host(server)] = login
	}
	return errors.Join(problems...)
}

// Secrets are the passwords, and the forms in which they travel, to be masked.
func (c Credentials) Secrets() []string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(c)) {
		login := c[key]
		all = append(all, login.Password, base64.StdEncoding.EncodeToString([]byte(login.Username+":"+login.Password)))
	}
	return all
}

// Login is the login for a registry's host by any of its names.
func (c Credentials) Login(registry string) (Login, bool) {
	login, ok := c[host(registry)]
	return login, ok
}

// Lookup is Login as internal/engine takes it.
func (c Credentials) Lookup(registry string) (username, password string, ok bool) {
	login, ok := c.Login(registry)
	return login.Username, login.Password, ok
}

// Resolve makes Credentials a keychain of go-containerregistry.
func (c Credentials) Resolve(resource authn.Resource) (authn.Authenticator, error) {
	login, ok := c.Login(resource.RegistryStr())
	if !ok {
		return authn.Anonymous, nil
	}
	return authn.FromConfig(authn.AuthConfig{Username: login.Username, Password: login.Password}), nil
}

// host is one name for a registry out of the many that it is called by.
func host(registry string) string {
	registry = strings.TrimPrefix(strings.TrimPrefix(registry, "https://"), "http://")
	registry, _, _ = strings.Cut(registry, "/")
	if registry == "" || slices.Contains(hubHosts, registry) {
		return image.DockerHub
	}
	return registry
}

// CheckHost reports a `registry` input that is no host[:port].
func CheckHost(registry string) error {
	if registry == "" {
		return nil
	}
	if _, err := name.NewRegistry(registry, name.StrictValidation); err != nil || strings.ContainsAny(registry, "/ ") {
		return fmt.Errorf("input registry: %q is no host[:port]; write it without https:// and without a path, as docker.io or ghcr.io", registry)
	}
	return nil
}
