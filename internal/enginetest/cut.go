package enginetest

import (
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Cut is a socket before an engine's whose connections can be cut, as when the
// engine is stopped.
type Cut struct {
	// Host is for DOCKER_HOST.
	Host string
	// Cut ends all connections, and takes no more.
	Cut func()

	engine string
	done   chan struct{}
}

// Between makes a socket before the engine at a DOCKER_HOST, for as long as the
// test runs.
func Between(t testing.TB, host string) *Cut {
	t.Helper()
	path := filepath.Join(t.TempDir(), "docker.sock")
	c := &Cut{Host: "unix://" + path, engine: strings.TrimPrefix(host, "unix://"), done: make(chan struct{})}
	if c.engine == "" {
		c.engine = "/var/run/docker.sock"
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	c.Cut = sync.OnceFunc(func() {
		_ = listener.Close()
		close(c.done)
	})
	t.Cleanup(c.Cut)
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			go c.relay(from)
		}
	}()
	return c
}

func (c *Cut) relay(from net.Conn) {
	to, err := net.Dial("unix", c.engine)
	if err != nil {
		_ = from.Close()
		return
	}
	go func() { _, _ = io.Copy(to, from); _ = to.(*net.UnixConn).CloseWrite() }()
	go func() { _, _ = io.Copy(from, to); _ = from.Close() }()
	<-c.done
	_ = from.Close()
	_ = to.Close()
}
