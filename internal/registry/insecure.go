package registry

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/image"
)

// Insecure tells whether a registry may be spoken to in the clear, or by a
// certificate that nobody vouches for: one on the loopback interface, and those
// that were named. It is what Docker takes insecure-registries for.
func (c Credentials) Insecure(registry string) bool {
	return Loopback(registry) || slices.Contains(c.insecure, host(registry))
}

// WithInsecure are the credentials with further hosts that may be spoken to in
// the clear. Errors name the input insecure-registries.
func (c Credentials) WithInsecure(hosts []string) (Credentials, []error) {
	var problems []error
	c.insecure = slices.Clone(c.insecure)
	for _, one := range hosts {
		if err := checkHost("insecure-registries", one, "registry.example:5000"); err != nil {
			problems = append(problems, err)
			continue
		}
		if !slices.Contains(c.insecure, host(one)) {
			c.insecure = append(c.insecure, host(one))
		}
	}
	return c, problems
}

// InsecureHosts are the hosts that were named, each once, as host[:port] in
// lower case.
func (c Credentials) InsecureHosts() []string { return slices.Clone(c.insecure) }

// Loopback tells whether a host[:port] is this machine: localhost, 127.0.0.0/8
// or ::1.
func Loopback(registry string) bool {
	bare := registry
	if found, _, err := net.SplitHostPort(registry); err == nil {
		bare = found
	}
	bare = strings.Trim(bare, "[]")
	address, err := netip.ParseAddr(bare)
	return bare == "localhost" || err == nil && address.IsLoopback()
}

// parse is a reference as go-containerregistry takes it. The library tries
// plain HTTP with every private address by itself; guarded keeps it from that.
func (c Credentials) parse(reference image.Reference) (name.Reference, error) {
	parsed, err := name.ParseReference(reference.String(), c.options(reference.Registry)...)
	if err != nil {
		return nil, fmt.Errorf("image %q: %w", reference, err)
	}
	return parsed, nil
}

func (c Credentials) options(registry string) []name.Option {
	if c.Insecure(registry) {
		return []name.Option{name.Insecure}
	}
	return nil
}

// transport is how registries are reached.
func (c Credentials) transport() http.RoundTripper {
	if c.wire != nil {
		return guarded{c, patient{c.wire, c.say}, patient{c.wire, c.say}}
	}
	return guarded{c, patient{remote.DefaultTransport, c.say}, patient{trusting(), c.say}}
}

// trusting is the usual transport that believes every certificate.
var trusting = sync.OnceValue(func() http.RoundTripper {
	usual, ok := remote.DefaultTransport.(*http.Transport)
	if !ok {
		return remote.DefaultTransport
	}
	believing := usual.Clone()
	believing.TLSClientConfig = &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}
	return believing
})

// guarded lets no request out in the clear but to insecure registries, wherever
// a registry or its token service sends it.
type guarded struct {
	credentials      Credentials
	secure, insecure http.RoundTripper
}

func (g guarded) RoundTrip(request *http.Request) (*http.Response, error) {
	if g.credentials.Insecure(request.URL.Host) {
		return g.insecure.RoundTrip(request)
	}
	if request.URL.Scheme != "https" {
		if request.Body != nil {
			_ = request.Body.Close()
		}
		return nil, &plainError{request.URL.Host}
	}
	return g.secure.RoundTrip(request)
}

// plainError is a request that was kept from going out in the clear.
type plainError struct{ host string }

func (e *plainError) Error() string {
	return fmt.Sprintf("plain HTTP to %s is refused: it is for loopback addresses and for what the input insecure-registries names", e.host)
}

// mistrust is what Docker and BuildKit say of a registry that speaks plain HTTP
// or has a certificate that they don't believe.
var mistrust = regexp.MustCompile(`"https://([^/"]+)/v2/[^"]*": .*(server gave HTTP response to HTTPS client|x509: )`)

// ExplainEngine adds to an engine's errors what only the engine's owner can do: the
// engine decides by itself which registries it speaks to in the clear.
func ExplainEngine(err error) error {
	problems := action.Problems(err)
	for i, one := range problems {
		if found := mistrust.FindStringSubmatch(one.Error()); found != nil {
			problems[i] = fmt.Errorf(`%w; the engine that pulls and pushes heeds no input in this: add {"insecure-registries":[%q]} to its /etc/docker/daemon.json and restart it (a BuildKit elsewhere has its buildkitd.toml), or give the registry a certificate that it believes`, one, found[1])
			err = nil
		}
		if immutable.MatchString(one.Error()) {
			problems[i], err = fmt.Errorf("%w: %s", one, keepsTags), nil
		}
	}
	if err == nil {
		err = errors.Join(problems...)
	}
	return err
}
