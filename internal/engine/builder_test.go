package engine_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
)

// TestBuilderByAddress builds and pushes with a BuildKit at each kind of
// address. The one in a container is reached over TLS and a socket through
// relays.
func TestBuilderByAddress(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, eng *engine.Engine) {
		if !eng.ContainerdStore {
			t.Skip("an old runc starts no privileged container on every machine")
		}
		labels := map[string]string{"io.travois.test": strings.ToLower(rand.Text())}
		started, err := eng.StartBuilder(t.Context(), engine.BuilderSpec{HostNetwork: true, Labels: labels}, nobody)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := started.Close(context.Background()); err != nil {
				t.Error(err)
			}
		})
		containers, err := eng.Labelled(t.Context(), "io.travois.test="+labels["io.travois.test"])
		if err != nil || len(containers) != 1 {
			t.Fatalf("containers %v, %v", containers, err)
		}
		pki := newPKI(t)
		overTLS, err := tls.Listen("tcp", "127.0.0.1:0", pki.server)
		if err != nil {
			t.Fatal(err)
		}
		socket := filepath.Join(t.TempDir(), "buildkitd.sock")
		overSocket, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		relay(t, overTLS, containers[0])
		relay(t, overSocket, containers[0])
		host := enginetest.Registry(t)
		for name, connect := range map[string]func() (*engine.Builder, error){
			"tcp":    func() (*engine.Builder, error) { return dial(t, "tcp://"+overTLS.Addr().String(), pki.client) },
			"unix":   func() (*engine.Builder, error) { return dial(t, "unix://"+socket, engine.Certificates{}) },
			"engine": func() (*engine.Builder, error) { return eng.Builder(t.Context()) },
			"container": func() (*engine.Builder, error) {
				return eng.BuilderIn(t.Context(), address(t, "docker-container://"+containers[0]), insecureNowhere)
			},
		} {
			t.Run(name, func(t *testing.T) {
				builder, err := connect()
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() { _ = builder.Close(context.Background()) })
				buildAndPush(t, builder, host, name)
			})
		}
		t.Run("without a certificate", func(t *testing.T) {
			if builder, err := dial(t, "tcp://"+overTLS.Addr().String(), engine.Certificates{}); err == nil {
				_ = builder.Close(context.Background())
				t.Error("the builder answers")
			}
		})
	})
}

func insecureNowhere(string) bool { return false }

func address(t *testing.T, text string) engine.Address {
	t.Helper()
	parsed, err := engine.ParseAddress(text)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func dial(t *testing.T, text string, certificates engine.Certificates) (*engine.Builder, error) {
	at := address(t, text)
	if err := at.CheckCertificates(certificates); err != nil {
		t.Fatal(err)
	}
	return engine.Dial(t.Context(), at, certificates, insecureNowhere)
}

// buildAndPush has the digest that the registry has, and sends an image only
// when it is asked to.
func buildAndPush(t *testing.T, builder *engine.Builder, host, service string) {
	t.Helper()
	credentials, err := registry.NewCredentials(host, registry.Login{Username: enginetest.Username, Password: enginetest.Password}, "")
	if err != nil {
		t.Fatal(err)
	}
	name := image.Reference{Registry: host, Repository: enginetest.Username + "/" + service, Tag: "1"}
	var output bytes.Buffer
	one := engine.Image{Build: build(enginetest.Context(t, "print=hello"), service), Names: []string{name.String()}, Output: &output}
	built, err := builder.Build(t.Context(), []engine.Image{one}, credentials.Lookup)
	if err != nil {
		t.Fatalf("%v\n%s", err, &output)
	}
	if there, err := credentials.Digest(t.Context(), name); err == nil {
		t.Errorf("%s was pushed by the build, as %s", name, there)
	}
	digest, err := builder.Push(t.Context(), one, credentials.Lookup, host)
	if err != nil {
		t.Fatal(err)
	}
	if there, err := credentials.Digest(t.Context(), name); err != nil || there != digest || digest != built[0].ID {
		t.Errorf("built %s, pushed %s, the registry has %s (%v)", built[0].ID, digest, there, err)
	}
}

// TestOldBuilder shows that a BuildKit by itself that is too old is told.
func TestOldBuilder(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, eng *engine.Engine) {
		if !strings.HasPrefix(eng.Version, "20.") {
			t.Skip("the BuildKit in a newer engine is not old")
		}
		socket := filepath.Join(t.TempDir(), "buildkitd.sock")
		listener, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		go upgrade(listener, strings.TrimPrefix(eng.Host, "unix://"))
		_, err = dial(t, "unix://"+socket, engine.Certificates{})
		if want := "it is older than BuildKit 0.11"; err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}

// upgrade hands connections on to the BuildKit in the engine at a socket.
func upgrade(listener net.Listener, engine string) {
	for {
		from, err := listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer func() { _ = from.Close() }()
			to, err := net.Dial("unix", engine)
			if err != nil {
				return
			}
			defer func() { _ = to.Close() }()
			_, _ = io.WriteString(to, "POST /grpc HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
			answer := bufio.NewReader(to)
			response, err := http.ReadResponse(answer, nil)
			if err != nil {
				return
			}
			defer func() { _ = response.Body.Close() }()
			go func() { _, _ = io.Copy(to, from) }()
			_, _ = io.Copy(from, answer)
		}()
	}
}

// relay hands connections on to the buildkitd in a container.
func relay(t *testing.T, listener net.Listener, container string) {
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				if over, is := conn.(*tls.Conn); is && over.Handshake() != nil {
					return
				}
				command := exec.Command("docker", "-H", enginetest.ContainerdHost, "exec", "-i", container, "buildctl", "dial-stdio")
				command.Stdout = conn
				input, err := command.StdinPipe()
				if err != nil || command.Start() != nil {
					return
				}
				_, _ = io.Copy(input, conn)
				_ = input.Close()
				_ = command.Wait()
			}()
		}
	}()
}

// pki is an authority with a server's and a client's certificate.
type pki struct {
	server *tls.Config
	client engine.Certificates
}

func newPKI(t *testing.T) pki {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	authority, err := x509.CreateCertificate(rand.Reader, root, root, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority})
	pool.AppendCertsFromPEM(ca)
	serverCert, serverKey := issue(t, root, key)
	pair, err := tls.X509KeyPair(serverCert, serverKey)
	if err != nil {
		t.Fatal(err)
	}
	clientCert, clientKey := issue(t, root, key)
	return pki{
		server: &tls.Config{Certificates: []tls.Certificate{pair}, ClientCAs: pool, ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12},
		client: engine.Certificates{CA: ca, Certificate: clientCert, Key: clientKey},
	}
}

func issue(t *testing.T, root *x509.Certificate, by *ecdsa.PrivateKey) (certificate, private []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), NotBefore: root.NotBefore, NotAfter: root.NotAfter, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	signed, err := x509.CreateCertificate(rand.Reader, leaf, root, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed}), pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: encoded})
}

func TestCheckCertificates(t *testing.T) {
	for text, want := range map[string]string{
		"tcp://build.example:1": "tcp://build.example:1 is not this machine: whoever reaches a builder can use it and read what it builds; give builder-ca, builder-cert and builder-key",
		"tcp://localhost:1":     "",
		"tcp://[::1]:1":         "",
		"unix:///run/b.sock":    "",
	} {
		err := address(t, text).CheckCertificates(engine.Certificates{})
		if got := message(err); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
	half := engine.Certificates{CA: []byte("x")}
	if got, want := message(address(t, "tcp://b.example:1").CheckCertificates(half)), "builder-ca, builder-cert and builder-key go together; give all three as PEM"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := message(address(t, "unix:///b").CheckCertificates(half)), "certificates are for tcp:// alone, the builder is unix:///b"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func message(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestEngineGoesAway cuts the connection to the engine in the middle of a
// build.
func TestEngineGoesAway(t *testing.T) {
	for kind, host := range enginetest.Hosts() {
		t.Run(kind, func(t *testing.T) {
			between := enginetest.Between(t, host)
			eng, err := engine.Connect(t.Context(), func(name string) string { return map[string]string{"DOCKER_HOST": between.Host}[name] })
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = eng.Close() })
			dir := enginetest.Context(t)
			enginetest.Write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY program /program\nRUN [\"/program\", \"wait=1m\"]\n")
			output := writerFunc(func(text []byte) {
				if strings.Contains(string(text), "RUN [") {
					between.Cut()
				}
			})
			started := time.Now()
			_, err = eng.Build(t.Context(), []engine.Image{{Build: build(dir, "gone"), Output: output}}, nobody)
			if err == nil || !strings.HasPrefix(err.Error(), `build "gone": `) {
				t.Errorf("got %v", err)
			}
			if took := time.Since(started); took > 40*time.Second {
				t.Errorf("it took %s to notice", took)
			}
		})
	}
}
