// Package enginetest gives tests a real engine, a registry that the engine can
// push to, and a program to put into images.
package enginetest

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/registry/registrytest"
)

// Username and Password are the account of Registry. Password is made of
// words, so that nobody takes it for a secret.
const (
	Username = "guk0"
	Password = "open-sesame-street"
)

// Connect is the engine that answers here. A test that lacks one fails.
func Connect(t testing.TB) *engine.Engine {
	t.Helper()
	return ConnectTo(t, os.Getenv("DOCKER_HOST"))
}

// ConnectTo is the engine that answers at an address.
func ConnectTo(t testing.TB, host string) *engine.Engine {
	t.Helper()
	found, err := engine.Connect(t.Context(), func(name string) string {
		if name == "DOCKER_HOST" {
			return host
		}
		return os.Getenv(name)
	})
	if err != nil {
		t.Fatalf("%v (scripts/engine and scripts/engine-containerd start one)", err)
	}
	t.Cleanup(func() { _ = found.Close() })
	return found
}

// ContainerdHost is where scripts/engine-containerd has an engine that keeps
// images in containerd.
const ContainerdHost = "unix:///run/travois-containerd/docker.sock"

// Hosts are the addresses, as DOCKER_HOST, of the engines of both kinds.
func Hosts() map[string]string {
	return map[string]string{"classic": os.Getenv("DOCKER_HOST"), "containerd": ContainerdHost}
}

// Each runs a test on engines of both kinds.
func Each(t *testing.T, test func(t *testing.T, eng *engine.Engine)) {
	t.Helper()
	for kind, host := range Hosts() {
		t.Run(kind, func(t *testing.T) {
			eng := ConnectTo(t, host)
			if eng.ContainerdStore != (kind == "containerd") {
				t.Skipf("the engine at %q keeps its images otherwise", host)
			}
			test(t, eng)
		})
	}
}

// Program compiles the program of the package's folder program to a path.
func Program(path string) error {
	command := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "github.com/guk0/travois/internal/enginetest/program")
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	command.Stderr = os.Stderr
	return command.Run()
}

// Context is a build context with the program as /program and a Dockerfile
// that runs it with arguments.
func Context(t testing.TB, arguments ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := Program(filepath.Join(dir, "program")); err != nil {
		t.Fatal(err)
	}
	Write(t, filepath.Join(dir, "Dockerfile"),
		"FROM scratch\nCOPY program /program\nENTRYPOINT [\"/program\"]\nCMD [\""+strings.Join(arguments, `", "`)+"\"]\n")
	return dir
}

// Registry starts a registry in process and gives its host. The engine reaches
// it, since it is on this machine.
func Registry(t testing.TB) string {
	t.Helper()
	server := httptest.NewServer(registrytest.New(Username, Password, Username+"/"))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// Write writes a file.
func Write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
