// Package registry owns what is said to an image registry apart from the
// push itself: credentials, the preflight and digests.
package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"

	"github.com/guk0/travois/internal/image"
)

// hubHosts are the names that Docker Hub has in references, in login files and
// on the wire.
var hubHosts = []string{"docker.io", "index.docker.io", "registry-1.docker.io"}

// Login is a user name with a password or token. The zero Login is anybody's.
type Login struct {
	Username, Password string
}

// String hides the password.
func (l Login) String() string { return l.Username + ":***" }

// GoString hides the password from %#v.
func (l Login) GoString() string { return l.String() }

// secrets are the password and the form in which it travels.
func (l Login) secrets() []string {
	return []string{l.Password, base64.StdEncoding.EncodeToString([]byte(l.Username + ":" + l.Password))}
}

// Credentials are logins by registry host, kept in memory only. The zero value
// has none.
type Credentials struct {
	logins map[string]Login
	// leases are logins that are fetched when they are first needed.
	leases *leases
	// insecure are the hosts that may be spoken to in the clear.
	insecure []string
	// wire is the transport to registries; nil is the usual one.
	wire http.RoundTripper
	// say tells of pauses that registries ask for; it may be nil.
	say func(format string, values ...any)
}

// String names the registries and hides the rest.
func (c Credentials) String() string { return "logins for " + strings.Join(c.known(), ", ") }

// GoString hides as String does.
func (c Credentials) GoString() string { return c.String() }

// NewCredentials puts a login for one registry ("" is Docker Hub) and the
// `auths` of a Docker config.json together. The login wins where both name a
// registry. Errors name the input and never quote its value.
func NewCredentials(registry string, login Login, auths string) (Credentials, error) {
	credentials := Credentials{logins: map[string]Login{}}
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
		credentials.logins[host(registry)] = login
	}
	return credentials, errors.Join(problems...)
}

// WithAWS logs in to ECR with these credentials instead of those of the step's
// environment.
func (c Credentials) WithAWS(credentials aws.CredentialsProvider) Credentials {
	if c.leases != nil {
		c.leases.aws = credentials
	}
	return c
}

// secrets are the passwords that are known from the start, and the forms in
// which they travel.
func (c Credentials) secrets() []string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(c.logins)) {
		all = append(all, c.logins[key].secrets()...)
	}
	return all
}

// Login is the login for a registry's host by any of its names, the zero Login
// if there is none. One that has to be fetched is fetched once.
func (c Credentials) Login(ctx context.Context, registry string) (Login, error) {
	login, err := c.login(ctx, registry)
	if err != nil && ctx.Err() == nil && isPublicECR(host(registry)) {
		return Login{}, nil // anybody may pull there
	}
	return login, err
}

func (c Credentials) login(ctx context.Context, registry string) (Login, error) {
	if login, ok := c.logins[host(registry)]; ok {
		return login, nil
	}
	lease := c.leases.of(host(registry))
	if lease == nil {
		return Login{}, nil
	}
	return lease.get(ctx)
}

// Lookup is Login as internal/engine takes it.
func (c Credentials) Lookup(ctx context.Context, registry string) (username, password string, err error) {
	login, err := c.Login(ctx, registry)
	return login.Username, login.Password, err
}

// known are the hosts that a login was given for.
func (c Credentials) known() []string {
	all := slices.Collect(maps.Keys(c.logins))
	if c.leases != nil {
		all = append(all, c.leases.given...)
	}
	slices.Sort(all)
	return all
}

// keychain is Credentials as go-containerregistry takes them, on a context.
type keychain struct {
	ctx         context.Context
	credentials Credentials
}

// Resolve serves callers that have no context.
func (k keychain) Resolve(resource authn.Resource) (authn.Authenticator, error) {
	return k.ResolveContext(k.ctx, resource)
}

// ResolveContext gives the login for a registry, anybody's if there is none.
func (k keychain) ResolveContext(_ context.Context, resource authn.Resource) (authn.Authenticator, error) {
	login, err := k.credentials.Login(k.ctx, resource.RegistryStr())
	if err != nil {
		return nil, &loginError{err}
	}
	if login.Username == "" {
		return authn.Anonymous, nil
	}
	return renewed{k, resource.RegistryStr()}, nil
}

// renewed is a login that is looked up each time: a client outlives a lease.
type renewed struct {
	keychain keychain
	registry string
}

func (r renewed) Authorization() (*authn.AuthConfig, error) {
	login, err := r.keychain.credentials.Login(r.keychain.ctx, r.registry)
	if err != nil {
		return nil, &loginError{err}
	}
	return &authn.AuthConfig{Username: login.Username, Password: login.Password}, nil
}

// loginError is a login that could not be fetched. Its text says all.
type loginError struct{ err error }

func (e *loginError) Error() string { return e.err.Error() }
func (e *loginError) Unwrap() error { return e.err }

// host is one name for a registry out of the many that it is called by.
func host(registry string) string {
	registry = strings.TrimPrefix(strings.TrimPrefix(registry, "https://"), "http://")
	registry, _, _ = strings.Cut(registry, "/")
	registry = strings.ToLower(registry)
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
	return checkHost("registry", registry, "docker.io or ghcr.io")
}

func checkHost(input, found, like string) error {
	if _, err := name.NewRegistry(found, name.StrictValidation); err != nil || strings.ContainsAny(found, "/ ") || !hasPort(found) {
		return fmt.Errorf("input %s: %q is no host[:port]; write it without https:// and without a path, as %s", input, found, like)
	}
	return nil
}

// hasPort tells that what stands for a port, if anything does, is one.
func hasPort(registry string) bool {
	bare := registry[strings.LastIndexByte(registry, ']')+1:]
	_, port, found := strings.Cut(bare, ":")
	number, err := strconv.ParseUint(port, 10, 16)
	return !found || err == nil && number > 0 && strconv.FormatUint(number, 10) == port
}
