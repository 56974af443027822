package registry

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry/registrytest"
)

func TestInsecure(t *testing.T) {
	credentials, problems := Credentials{}.WithInsecure([]string{"registry.example:5000", "10.1.2.3"})
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	for host, want := range map[string]bool{
		"localhost": true, "localhost:5000": true, "127.0.0.1:5000": true, "127.9.9.9": true, "[::1]:5000": true,
		"registry.example:5000": true, "Registry.Example:5000": true, "10.1.2.3": true,
		"registry.example": false, "10.1.2.3:5000": false, "10.1.2.4": false, "192.168.0.1:5000": false, "registry.local": false,
		"localhost.example": false, "docker.io": false,
	} {
		if got := credentials.Insecure(host); got != want {
			t.Errorf("%s: got %t", host, got)
		}
	}
}

// TestPlainHTTP shows that no request goes out in the clear to a registry that
// is not named, even where the library would do so.
func TestPlainHTTP(t *testing.T) {
	for _, host := range []string{"10.1.2.3:5000", "192.168.1.1", "registry.local", "registry.example:5000"} {
		faulty := &registrytest.Faulty{Next: registrytest.New("guk0", "open sesame", "guk0/")}
		server := httptest.NewServer(faulty)
		defer server.Close()
		reference := image.Reference{Registry: host, Repository: "guk0/a", Tag: "1"}
		credentials, err := NewCredentials(host, Login{"guk0", "open sesame"}, "")
		if err != nil {
			t.Fatal(err)
		}
		credentials.wire = served(t, server)
		client, err := credentials.Client(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		want := "registry " + host + " speaks plain HTTP, which is used for loopback addresses only: give it a certificate, or name it in the input insecure-registries"
		if err := credentials.CheckPush(t.Context(), []image.Reference{reference}); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
		_, digestErr := credentials.Digest(t.Context(), reference)
		_, hasErr := client.Has(t.Context(), reference, "", image.Content{})
		tagErr := client.Tag(t.Context(), reference.WithDigest("sha256:"+strings.Repeat("a", 64)), []string{"2"})
		for _, err := range []error{digestErr, hasErr} {
			if !isPlain(err) {
				t.Errorf("%s: got %v", host, err)
			}
		}
		if tagErr == nil || !strings.HasSuffix(tagErr.Error(), ": "+want) {
			t.Errorf("got %v\nwant %s", tagErr, want)
		}
		if present := client.Present(t.Context(), reference, []string{"1"}); present != nil {
			t.Errorf("%s: present %v", host, present)
		}
		if count := faulty.Asked(""); count > 0 {
			t.Errorf("%s: %d requests went out in the clear", host, count)
		}
		named, _ := credentials.WithInsecure([]string{host})
		if err := named.CheckPush(t.Context(), []image.Reference{reference}); err != nil {
			t.Errorf("named: %v", err)
		}
	}
}

// TestPlainTokenService shows that a registry can't send a login out in the
// clear.
func TestPlainTokenService(t *testing.T) {
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="http://tokens.example/token",service="a"`)
		w.WriteHeader(http.StatusUnauthorized)
	}))
	defer server.Close()
	credentials, err := NewCredentials("registry.example", Login{"guk0", "open sesame"}, "")
	if err != nil {
		t.Fatal(err)
	}
	credentials.wire = served(t, server)
	if err := credentials.CheckPush(t.Context(), []image.Reference{{Registry: "registry.example", Repository: "guk0/a"}}); err == nil || !strings.Contains(err.Error(), "http") {
		t.Errorf("got %v", err)
	}
}

func TestUntrustedCertificate(t *testing.T) {
	server := httptest.NewUnstartedServer(registrytest.New("guk0", "open sesame", "guk0/"))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	credentials, err := NewCredentials("registry.example", Login{"guk0", "open sesame"}, "")
	if err != nil {
		t.Fatal(err)
	}
	wire := served(t, server)
	wire.TLSClientConfig = nil
	credentials.wire = wire
	want := "registry registry.example has a certificate that can't be believed: give it another, or name it in the input insecure-registries: "
	if err := credentials.CheckPush(t.Context(), []image.Reference{{Registry: "registry.example", Repository: "guk0/a"}}); err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
	// One on the loopback interface is believed.
	host := server.Listener.Addr().String()
	response, err := Credentials{}.transport().RoundTrip(httptest.NewRequest(http.MethodGet, "https://"+host+"/v2/", nil))
	if err != nil || response.StatusCode != http.StatusUnauthorized {
		t.Fatalf("got %v, %v", response, err)
	}
	_ = response.Body.Close()
}

func TestExplainEngine(t *testing.T) {
	denied := errors.New("denied")
	const advice = `; the engine that pulls and pushes heeds no input in this: add {"insecure-registries":["10.1.2.3:5000"]} to its /etc/docker/daemon.json and restart it (a BuildKit elsewhere has its buildkitd.toml), or give the registry a certificate that it believes`
	for _, said := range []string{
		`push 10.1.2.3:5000/a: Get "https://10.1.2.3:5000/v2/": http: server gave HTTP response to HTTPS client`,
		`build "a": failed to do request: Head "https://10.1.2.3:5000/v2/a/manifests/1": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
	} {
		if err := ExplainEngine(errors.Join(denied, errors.New(said))); err == nil || err.Error() != "denied\n"+said+advice || !errors.Is(err, denied) {
			t.Errorf("got %v", err)
		}
	}
	for _, err := range []error{nil, denied, errors.New(`Get "https://example.org/file": x509: certificate has expired`)} {
		if got := ExplainEngine(err); !errors.Is(got, err) || err != nil && got.Error() != err.Error() {
			t.Errorf("%v became %v", err, got)
		}
	}
}

// piped is a server that a transport reaches without the network, so that time
// can be a test's.
func piped(t *testing.T, handler http.Handler) *http.Transport {
	listener := &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Hour}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	wire := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case listener.connections <- theirs:
			return ours, nil
		case <-listener.closed:
			return nil, net.ErrClosed
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	t.Cleanup(func() {
		wire.CloseIdleConnections()
		_ = server.Close()
		<-done
	})
	return wire
}

type pipes struct {
	connections chan net.Conn
	closed      chan struct{}
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case connection := <-p.connections:
		return connection, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5000} }

// TestPreflightHangs shows that registries which take connections in silence,
// at once or at the upload, or ask for long pauses hold the preflight for no
// longer than its bound.
func TestPreflightHangs(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault registrytest.Fault
		want  string
		bound time.Duration
	}{
		{"for good", registrytest.Fault{Times: -1, Hangs: true}, "registry 127.0.0.1:5000 does not answer: not within 2m0s; check its name and that it is up, and run the job again", checkWithin},
		{"at the upload", registrytest.Fault{Method: http.MethodPost, Times: -1, Hangs: true}, "registry 127.0.0.1:5000 does not answer: not within 2m0s; check its name and that it is up, and run the job again", checkWithin},
		{"asked too often", registrytest.Fault{Method: http.MethodPost, Times: -1, Status: 429, Header: http.Header{"Retry-After": {"3600"}}},
			"registry 127.0.0.1:5000 is asked too often: HTTP 429 (Too Many Requests); run the job again later", checkWithin},
		{"not well", registrytest.Fault{Method: http.MethodPost, Times: -1, Status: 503},
			"registry 127.0.0.1:5000 is not well: HTTP 503 (Service Unavailable) for guk0/a; run the job again, and look at the registry's status if that lasts", 15 * firstPause},
		{"once", registrytest.Fault{Method: http.MethodPost, Times: 1, Hangs: true}, "", answerWithin + 2*firstPause},
	} {
		synctest.Test(t, func(t *testing.T) {
			faulty := &registrytest.Faulty{Next: registrytest.New("guk0", "open sesame", "guk0/")}
			faulty.Set(c.fault)
			credentials, err := NewCredentials("127.0.0.1:5000", Login{"guk0", "open sesame"}, "")
			if err != nil {
				t.Fatal(err)
			}
			credentials.wire = piped(t, faulty)
			started := time.Now()
			got := ""
			if err := credentials.CheckPush(t.Context(), []image.Reference{{Registry: "127.0.0.1:5000", Repository: "guk0/a"}}); err != nil {
				got = err.Error()
			}
			time.Sleep(time.Second) // the upload is cancelled after the answer
			if took := time.Since(started) - time.Second; got != c.want || took > c.bound {
				t.Errorf("%s: after %s: %q\nwant %q after at most %s", c.name, took, got, c.want, c.bound)
			}
		})
	}
}

// slow is a body that comes a piece at a time.
type slow struct{ pieces int }

func (s *slow) Read(buffer []byte) (int, error) {
	if s.pieces == 0 {
		return 0, io.EOF
	}
	s.pieces--
	time.Sleep(answerWithin / 2)
	return copy(buffer, "piece"), nil
}

// TestSlowLayer shows that a layer which takes long to send is not taken for a
// registry that does not answer.
func TestSlowLayer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire := patient{next: piped(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			text, err := io.ReadAll(request.Body)
			if err != nil || string(text) != strings.Repeat("piece", 10) {
				t.Errorf("got %q, %v", text, err)
			}
			w.WriteHeader(http.StatusAccepted)
		}))}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodPatch, "http://127.0.0.1:5000/v2/a/blobs/uploads/1", &slow{10})
		if err != nil {
			t.Fatal(err)
		}
		response, err := wire.RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != http.StatusAccepted {
			t.Errorf("got %s, %v", response.Status, err)
		}
	})
}
