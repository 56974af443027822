package engine_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"io"
	"net"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

// TestHostGateway shows that a build reaches the engine's machine by the name
// that Compose files use for it.
func TestHostGateway(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, eng *engine.Engine) {
		dir := enginetest.Context(t)
		enginetest.Write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nARG RUN\nCOPY program /program\nRUN [\"/program\", \"read=/etc/hosts\"]\n")
		one := engine.Image{Build: build(dir, "gateway")}
		one.Build.ExtraHosts = []string{"host.docker.internal=host-gateway", "other=192.0.2.1"}
		one.Build.Args = map[string]string{"RUN": rand.Text()}
		one.Build.NoCache = true
		var output bytes.Buffer
		one.Output = &output
		if _, err := eng.Build(t.Context(), []engine.Image{one}, nobody); err != nil {
			t.Fatalf("%v\n%s", err, &output)
		}
		for _, want := range []string{`(172|10)\.\d+\.\d+\.1\thost\.docker\.internal`, `192\.0\.2\.1\tother`} {
			if !regexp.MustCompile(want).Match(output.Bytes()) {
				t.Errorf("/etc/hosts has no %s:\n%s", want, &output)
			}
		}
	})
}

// TestNoCacheStages builds the steps of one stage anew and not those before.
func TestNoCacheStages(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, eng *engine.Engine) {
		dir := enginetest.Context(t)
		enginetest.Write(t, filepath.Join(dir, "Dockerfile"),
			"FROM scratch AS base\nCOPY program /program\nRUN [\"/program\", \"file=/base:"+rand.Text()+"\"]\nFROM base AS fresh\nRUN [\"/program\", \"file=/fresh:x\"]\n")
		one := engine.Image{Build: build(dir, "stages"), Output: io.Discard}
		for _, want := range []int{-1, 3, 2} {
			built, err := eng.Build(t.Context(), []engine.Image{one}, nobody)
			if err != nil || want >= 0 && built[0].Cached != want {
				t.Errorf("no_cache_filter %v: %d of %d steps from the cache (%v), want %d", one.Build.NoCacheStages, built[0].Cached, built[0].Steps, err, want)
			}
			if want == 3 {
				one.Build.NoCacheStages = []string{"fresh"}
			}
		}
	})
}

// TestSSH shows a step the agent that a key, or another agent's socket, makes;
// what is no key is refused before.
func TestSSH(t *testing.T) {
	enginetest.Each(t, func(t *testing.T, eng *engine.Engine) {
		dir := enginetest.Context(t)
		key := filepath.Join(dir, "key")
		_, private, err := ed25519.GenerateKey(rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		encoded, err := x509.MarshalPKCS8PrivateKey(private)
		if err != nil {
			t.Fatal(err)
		}
		enginetest.Write(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: encoded})))
		socket := filepath.Join(t.TempDir(), "agent")
		listener, err := net.Listen("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = listener.Close() })
		enginetest.Write(t, filepath.Join(dir, "Dockerfile"),
			"FROM scratch\nCOPY program /program\nRUN --mount=type=ssh,id=deploy,required=true [\"/program\", \"env=SSH_AUTH_SOCK\", \"stat=/run/buildkit/ssh_agent.0\"]\n")
		for _, path := range []string{key, socket} {
			var output bytes.Buffer
			one := engine.Image{Build: build(dir, "ssh"), Output: &output}
			one.Build.SSH, one.Build.NoCache = map[string]string{"deploy": path}, true
			if _, err := eng.Build(t.Context(), []engine.Image{one}, nobody); err != nil {
				t.Fatalf("%s: %v\n%s", filepath.Base(path), err, &output)
			}
		}
		one := engine.Image{Build: build(dir, "ssh"), Output: io.Discard}
		one.Build.SSH = map[string]string{"deploy": filepath.Join(dir, "Dockerfile")}
		_, err = eng.Build(t.Context(), []engine.Image{one}, nobody)
		if want := `service "ssh": build.ssh: deploy: Dockerfile is no private key without a passphrase: ssh: no key found`; message(err) != want {
			t.Errorf("got %v, want %s", err, want)
		}
	})
}
