package engine

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/docker/docker/client"
)

// pipes is a listener without a network, so that time can be a test's.
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
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }

// piped is an engine that answers by a handler.
func piped(t *testing.T, handler http.HandlerFunc) *Engine {
	t.Helper()
	listener := &pipes{connections: make(chan net.Conn), closed: make(chan struct{})}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Hour}
	go func() { _ = server.Serve(listener) }()
	wire := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case listener.connections <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	t.Cleanup(func() {
		wire.CloseIdleConnections()
		_ = server.Close()
	})
	docker, err := client.NewClientWithOpts(client.WithHost("tcp://127.0.0.1:1"), client.WithHTTPClient(&http.Client{Transport: wire}), client.WithVersion("1.43"))
	if err != nil {
		t.Fatal(err)
	}
	return &Engine{docker: docker}
}

// TestPushHangs shows that a push is given up when its registry has taken the
// connection and says nothing, however long it moved layers before and however
// often the engine says that they don't move, and that it is one to be tried
// again.
func TestPushHangs(t *testing.T) {
	const moving = 10
	synctest.Test(t, func(t *testing.T) {
		eng := piped(t, func(w http.ResponseWriter, request *http.Request) {
			if request.Method != http.MethodPost || !strings.HasSuffix(request.URL.Path, "/images/registry.example/guk0/web/push") {
				t.Errorf("asked for %s %s", request.Method, request.URL)
			}
			say := func(piece int) {
				_, _ = fmt.Fprintf(w, `{"status":"Pushing","id":"0","progressDetail":{"current":%d,"total":100}}`+"\n", piece)
				_ = http.NewResponseController(w).Flush()
				select {
				case <-time.After(time.Minute):
				case <-request.Context().Done():
				}
			}
			for piece := range moving {
				say(piece)
			}
			for range moving {
				say(moving - 1)
			}
		})
		builder := &Builder{store: eng}
		nobody := func(context.Context, string) (string, string, error) { return "", "", nil }
		started := time.Now()
		_, err := builder.Push(t.Context(), Image{Names: []string{"registry.example/guk0/web:1"}}, nobody, "registry.example")
		if err == nil || err.Error() != "push registry.example/guk0/web:1: heard nothing for 2m0s" || !Transient(err) {
			t.Errorf("got %v", err)
		}
		if took, want := time.Since(started), (moving-1)*time.Minute+silence; took != want {
			t.Errorf("it was given up after %s, want %s", took, want)
		}
	})
}

// TestConnectHangs shows that an engine which takes connections and does not
// answer is not waited for without end.
func TestConnectHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		eng := piped(t, func(_ http.ResponseWriter, request *http.Request) { <-request.Context().Done() })
		started := time.Now()
		_, err := meet(t.Context(), eng.docker, "tcp://127.0.0.1:1")
		want := "no Docker engine answers at tcp://127.0.0.1:1: this action needs one; GitHub's ubuntu runners have it, elsewhere start Docker or set DOCKER_HOST: "
		if err == nil || !strings.HasPrefix(err.Error(), want) || !strings.HasSuffix(err.Error(), "it takes connections, and has not answered within 1m0s") {
			t.Errorf("got %v", err)
		}
		if took := time.Since(started); took != engineWithin {
			t.Errorf("it was given up after %s, want %s", took, engineWithin)
		}
	})
}
