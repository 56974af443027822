package engine

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/moby/buildkit/client"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// Certificates are what a builder that is reached by network and its client
// show each other, as PEM.
type Certificates struct {
	// CA is what the builder's certificate is signed by.
	CA []byte
	// Certificate and Key are the client's.
	Certificate, Key []byte
}

// Address is where a builder is: unix://PATH, tcp://HOST:PORT or
// docker-container://NAME.
type Address struct{ scheme, rest string }

// The schemes of addresses.
const (
	schemeUnix      = "unix"
	schemeTCP       = "tcp"
	schemeContainer = "docker-container"
)

// advice is what to do about the addresses that buildx knows and that need a
// program which the action's image lacks.
var advice = map[string]string{
	"kube-pod":          "forward its port in a step before (kubectl port-forward) and give tcp://127.0.0.1:PORT",
	"podman-container":  "let buildkitd listen on a port or a socket and give tcp:// or unix://",
	"nerdctl-container": "let buildkitd listen on a port or a socket and give tcp:// or unix://",
	"ssh":               "forward its socket in a step before (ssh -L) and give tcp:// or unix://",
}

// ParseAddress reads an address. The error says what would do instead.
func ParseAddress(text string) (Address, error) {
	scheme, rest, found := strings.Cut(text, "://")
	switch {
	case !found:
		return Address{}, fmt.Errorf("%q is no address of a builder; allowed: engine, container, tcp://HOST:PORT, unix://PATH, docker-container://NAME", text)
	case advice[scheme] != "":
		return Address{}, fmt.Errorf("%s:// can't be dialled from a container action; %s", scheme, advice[scheme])
	case scheme != schemeUnix && scheme != schemeTCP && scheme != schemeContainer:
		return Address{}, fmt.Errorf("%s:// is not known; allowed: tcp://HOST:PORT, unix://PATH, docker-container://NAME", scheme)
	case rest == "":
		return Address{}, fmt.Errorf("%q names nothing behind ://", text)
	}
	if scheme == schemeTCP {
		if host, port, err := net.SplitHostPort(rest); err != nil || host == "" || port == "" {
			return Address{}, fmt.Errorf("%q is no tcp://HOST:PORT", text)
		}
	}
	if scheme == schemeUnix && !strings.HasPrefix(rest, "/") {
		return Address{}, fmt.Errorf("%q needs an absolute path, as unix:///run/buildkit/buildkitd.sock", text)
	}
	return Address{scheme, rest}, nil
}

func (a Address) String() string { return a.scheme + "://" + a.rest }

// InContainer tells an address that is reached through an engine.
func (a Address) InContainer() bool { return a.scheme == schemeContainer }

// CheckCertificates reports certificates that can't be used, or that lack where
// anybody could listen in or build.
func (a Address) CheckCertificates(c Certificates) error {
	if a.scheme != schemeTCP {
		if len(c.CA)+len(c.Certificate)+len(c.Key) > 0 {
			return fmt.Errorf("certificates are for tcp:// alone, the builder is %s", a)
		}
		return nil
	}
	host, _, _ := net.SplitHostPort(a.rest)
	if len(c.CA)+len(c.Certificate)+len(c.Key) == 0 {
		if address := net.ParseIP(host); host == "localhost" || address != nil && address.IsLoopback() {
			return nil
		}
		return fmt.Errorf("%s is not this machine: whoever reaches a builder can use it and read what it builds; give builder-ca, builder-cert and builder-key", a)
	}
	_, err := c.config()
	return err
}

// config is for the client's side of TLS.
func (c Certificates) config() (*tls.Config, error) {
	if len(c.CA) == 0 || len(c.Certificate) == 0 || len(c.Key) == 0 {
		return nil, errors.New("builder-ca, builder-cert and builder-key go together; give all three as PEM")
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(c.CA) {
		return nil, errors.New("builder-ca holds no certificate as PEM")
	}
	pair, err := tls.X509KeyPair(c.Certificate, c.Key)
	if err != nil {
		return nil, fmt.Errorf("builder-cert and builder-key are no pair as PEM: %w", err)
	}
	return &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}

// Dial connects to the builder at an address that is not in a container.
// Insecure tells the registries that it reaches over plain HTTP.
func Dial(ctx context.Context, address Address, certificates Certificates, insecure func(host string) bool) (*Builder, error) {
	builder := &Builder{Name: "the builder at " + address.String(), can: everything, insecure: insecure}
	var options []client.ClientOpt
	network := "unix"
	if address.scheme == schemeTCP {
		network = "tcp"
	}
	if len(certificates.CA) > 0 {
		config, err := certificates.config()
		if err != nil {
			return nil, err
		}
		config.ServerName, _, _ = net.SplitHostPort(address.rest)
		options = append(options, client.WithGRPCDialOption(grpc.WithTransportCredentials(credentials.NewTLS(config))),
			client.WithGRPCDialOption(grpc.WithAuthority(config.ServerName)))
	}
	options = append(options, client.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address.rest)
	}))
	if err := builder.connect(ctx, options...); err != nil {
		return nil, fmt.Errorf("no BuildKit answers at %s: %w%s", address, err, address.unseen())
	}
	return builder, nil
}

// unseen says why a socket that is there on the machine may not be here.
func (a Address) unseen() string {
	if _, err := os.Stat(a.rest); a.scheme != schemeUnix || !errors.Is(err, os.ErrNotExist) {
		return ""
	}
	return ": of the machine's files the action's container has the workspace, as /github/workspace; let buildkitd listen on a socket in it, or on a port"
}
