package engine_test

import (
	"bytes"
	"net/http/cgi"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

// TestContextByAddress builds what the engine fetches out of a repository: with
// its Dockerfile, with another of its own, and with one of the Compose file.
func TestContextByAddress(t *testing.T) {
	address := repository(t)
	enginetest.Each(t, func(t *testing.T, eng *engine.Engine) {
		for _, c := range []struct {
			name  string
			build compose.Build
			want  string
			// old is how an engine before 23 refuses it.
			old string
		}{
			{"its Dockerfile", compose.Build{Context: address + "#main", Dockerfile: "Dockerfile"}, "COPY file /plain", ""},
			{"a folder's", compose.Build{Context: address + "#main:sub", Dockerfile: "Dockerfile"}, "COPY file /sub",
				`service "fetched": build.context, a folder of a repository: needs an engine of version 23 or newer`},
			{"another", compose.Build{Context: address + "#main", Dockerfile: "sub/Other"}, "COPY sub/file /other", ""},
			{"inline", compose.Build{Context: address + "#main", Inline: "FROM scratch\nCOPY sub/file /inline\n"}, "COPY sub/file /inline", ""},
		} {
			var output bytes.Buffer
			c.build.Service, c.build.NoCache = "fetched", true
			_, err := eng.Build(t.Context(), []engine.Image{{Build: c.build, Output: &output}}, nobody)
			if c.old != "" && err != nil && strings.HasPrefix(err.Error(), c.old) {
				continue
			}
			if err != nil || !strings.Contains(output.String(), "] "+c.want+"\n") {
				t.Errorf("%s: %v; want the step %s\n%s", c.name, err, c.want, &output)
			}
		}
	})
}

// repository serves one over HTTP, with a branch main.
func repository(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	work := filepath.Join(dir, "work")
	git := func(args ...string) string {
		command := exec.Command("git", args...)
		command.Env = append(command.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_SYSTEM=/dev/null")
		output, err := command.CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, output)
		}
		return strings.TrimSpace(string(output))
	}
	git("init", "--quiet", "--initial-branch=main", work)
	if err := os.Mkdir(filepath.Join(work, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"Dockerfile": "FROM scratch\nCOPY file /plain\n", "file": "a", "sub/file": "b",
		"sub/Dockerfile": "FROM scratch\nCOPY file /sub\n", "sub/Other": "FROM scratch\nCOPY sub/file /other\n",
	} {
		enginetest.Write(t, filepath.Join(work, name), text)
	}
	git("-C", work, "add", ".")
	git("-C", work, "-c", "user.name=a", "-c", "user.email=a@example.com", "commit", "--quiet", "-m", "one")
	git("clone", "--quiet", "--bare", work, filepath.Join(dir, "repo.git"))
	server := httptest.NewServer(&cgi.Handler{
		Path: filepath.Join(git("--exec-path"), "git-http-backend"), Env: []string{"GIT_PROJECT_ROOT=" + dir, "GIT_HTTP_EXPORT_ALL=1"},
	})
	t.Cleanup(server.Close)
	return server.URL + "/repo.git"
}
