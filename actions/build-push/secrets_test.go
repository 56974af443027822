package buildpush

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/enginetest"
	"github.com/guk0/travois/internal/registry/registrytest"
)

// vault is a workspace with a secret of every kind, each of a value that nothing
// else on this machine has.
type vault struct {
	dir, runner, host string
	// values are the secrets' by what they are.
	values map[string]string
	// manifests are those that the registry got; the rest is in the folder blobs.
	manifests bytes.Buffer
	blobs     string
}

func newVault(t *testing.T) *vault {
	t.Helper()
	v := &vault{dir: t.TempDir(), runner: t.TempDir(), blobs: t.TempDir(), values: map[string]string{}}
	for _, name := range []string{"password", "password elsewhere", "input secrets", "secret of the Compose file"} {
		v.values[name] = rand.Text()
	}
	v.values["login"] = base64.StdEncoding.EncodeToString([]byte(enginetest.Username + ":" + v.values["password"]))
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	pemKey := string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	v.values["key"] = strings.Split(pemKey, "\n")[1]

	keeper := registrytest.New(enginetest.Username, v.values["password"], "guk0/", registry.WithBlobHandler(registry.NewDiskBlobHandler(v.blobs)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if request.Method == http.MethodPut && manifests.MatchString(request.URL.Path) {
			body, _ := io.ReadAll(request.Body)
			v.manifests.Write(body)
			request.Body = io.NopCloser(bytes.NewReader(body))
		}
		keeper.ServeHTTP(w, request)
	}))
	t.Cleanup(server.Close)
	v.host = strings.TrimPrefix(server.URL, "http://")

	if err := os.Mkdir(filepath.Join(v.dir, "app"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := enginetest.Program(filepath.Join(v.dir, "app", "program")); err != nil {
		t.Fatal(err)
	}
	enginetest.Write(t, filepath.Join(v.dir, "key.pem"), pemKey)
	enginetest.Write(t, filepath.Join(v.dir, "docker-compose.yml"), `
services:
  app:
    image: guk0/vault
    build: {context: app, secrets: [inside], ssh: [default=key.pem], args: {NPM_TOKEN: `+rand.Text()+`}}
secrets:
  inside: {environment: WORD}
`)
	// The steps tell the secrets, and take a while, so that processes can be looked at.
	enginetest.Write(t, filepath.Join(v.dir, "app", "Dockerfile"), `FROM scratch
COPY program /program
ARG NPM_TOKEN
RUN --mount=type=secret,id=given --mount=type=secret,id=inside --mount=type=ssh ["/program", "read=/run/secrets/given", "read=/run/secrets/inside", "stat=/run/buildkit/ssh_agent.0", "wait=1s"]
`)
	return v
}

// inputs are the step's environment.
func (v *vault) inputs(kind, host string) []string {
	environ := []string{
		"GITHUB_WORKSPACE=" + v.dir, "GITHUB_OUTPUT=" + filepath.Join(v.runner, "outputs"), "GITHUB_STEP_SUMMARY=" + filepath.Join(v.runner, "summary"),
		"GITHUB_RUN_ID=" + v.host, "DOCKER_HOST=" + host, "INPUT_BUILDER=" + builderEngine,
		"INPUT_REGISTRY=" + v.host, "INPUT_USERNAME=" + enginetest.Username, "INPUT_PASSWORD=" + v.values["password"],
		`INPUT_AUTHS={"auths":{"registry.example":{"username":"ann","password":"` + v.values["password elsewhere"] + `"}}}`,
		"INPUT_SECRETS=given=" + v.values["input secrets"], "INPUT_VARS=WORD=" + v.values["secret of the Compose file"], "INPUT_TAGS=one\ntwo", "INPUT_PUSH=true",
	}
	if kind != "classic" {
		environ = append(environ, "INPUT_PROVENANCE=mode=max", "INPUT_CACHE=registry")
	}
	if kind == "builder" {
		environ = append(environ, "INPUT_BUILDER="+builderContainer)
	}
	return environ
}

// TestSecretsStayInside builds with secrets of every kind and looks for their
// values in whatever is left: the image with its history and attestations, the
// cache, the log, the files of the step, and the processes while it builds.
func TestSecretsStayInside(t *testing.T) {
	hosts := enginetest.Hosts()
	hosts["builder"] = enginetest.ContainerdHost
	for kind, host := range hosts {
		t.Run(kind, func(t *testing.T) {
			enginetest.ConnectTo(t, host)
			v := newVault(t)
			t.Setenv("TMPDIR", v.runner)
			t.Setenv("HOME", v.runner)
			stop := v.watchProcesses(t)
			var log bytes.Buffer
			code := action.NewRunner(v.inputs(kind, host), &log).Run(t.Context(), run)
			stop()
			shown := masked.ReplaceAllString(log.String(), "")
			if code != 0 || strings.Count(shown, "***\n") != 2 {
				t.Errorf("exit code %d, and the steps' two secrets are not both masked in:\n%s", code, shown)
			}
			v.mustLack(t, "the log", shown)
			v.mustLack(t, "the manifests", v.manifests.String())
			blobs := v.mustLackIn(t, v.blobs)
			v.mustLackIn(t, v.runner)
			if !strings.Contains(blobs, "NPM_TOKEN") || kind != "classic" && !strings.Contains(blobs, "https://slsa.dev/provenance/") {
				t.Error("neither history nor provenance was looked at")
			}
		})
	}
}

var masked = regexp.MustCompile(`(?m)^::add-mask::.*\n`)

// mustLack finds values also where JSON or an address holds them in base64.
func (v *vault) mustLack(t *testing.T, where, text string) {
	t.Helper()
	for name, value := range v.values {
		if strings.Contains(text, value) || strings.Contains(text, base64.StdEncoding.EncodeToString([]byte(value))) {
			t.Errorf("%s: %s is in the clear", where, name)
		}
	}
}

// mustLackIn looks into the files of a folder, and gives what they hold.
func (v *vault) mustLackIn(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if packed, err := gzip.NewReader(bytes.NewReader(text)); err == nil {
			if text, err = io.ReadAll(packed); err != nil {
				return err
			}
		}
		v.mustLack(t, path, string(text))
		if json.Valid(text) {
			all.Write(text)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all.String()
}

// watchProcesses looks at the arguments and the environment of all processes of
// this machine, the engine's and its containers' too, until it is stopped.
func (v *vault) watchProcesses(t *testing.T) (stop func()) {
	ask, ended := make(chan struct{}), make(chan string)
	go func() {
		var seen strings.Builder
		for known := map[string]bool{}; ; {
			select {
			case <-ask:
				ended <- seen.String()
				return
			case <-time.After(20 * time.Millisecond):
				look(&seen, known)
			}
		}
	}()
	return func() {
		close(ask)
		seen := <-ended
		if !strings.Contains(seen, "read=/run/secrets/given") {
			t.Error("the step's own process was not seen")
		}
		v.mustLack(t, "a process", seen)
	}
}

func look(seen *strings.Builder, known map[string]bool) {
	processes, _ := os.ReadDir("/proc")
	for _, one := range processes {
		if _, err := strconv.Atoi(one.Name()); err != nil {
			continue
		}
		for _, file := range []string{"cmdline", "environ"} {
			text, _ := os.ReadFile(filepath.Join("/proc", one.Name(), file)) // it may have ended
			if !known[string(text)] {
				known[string(text)] = true
				seen.Write(text)
			}
		}
	}
}
