// Package e2e runs whole pipelines: the example's workflow under act, with the
// actions referenced as a user would, a registry in Docker Hub's place,
// eb-local in AWS's and a database in RDS's.
package e2e

import (
	"context"
	"io"
	"io/fs"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

const root = ".."

// demo is a pipeline of its own, as scripts/demo makes it.
type demo struct {
	name, state, source string
	env                 []string
}

// start brings a pipeline up around a copy of the example. It is taken down at
// the end of the test.
func start(t *testing.T, label, platform string) *demo {
	t.Helper()
	d := &demo{name: label, state: filepath.Join(stateHome(), "travois", label), source: t.TempDir()}
	d.env = append(os.Environ(), "TRAVOIS_STATE="+d.state, "TRAVOIS_NAME="+label, "TRAVOIS_PLATFORM="+platform, "TRAVOIS_SOURCE="+d.source)
	copyExample(t, d.source)
	d.down(t) // a test that was cut off leaves its demo up
	t.Cleanup(func() { d.down(t) })
	if out, err := d.script(t.Context(), "up"); err != nil {
		t.Fatalf("scripts/demo up: %v\n%s", err, out)
	}
	return d
}

// stateHome is where scripts/demo keeps demos, so that `make clean` finds them.
func stateHome() string {
	if home := os.Getenv("XDG_STATE_HOME"); home != "" {
		return home
	}
	return filepath.Join(os.Getenv("HOME"), ".local", "state")
}

// down takes the pipeline down and looks for what it left.
func (d *demo) down(t *testing.T) {
	t.Helper()
	if out, err := d.script(context.WithoutCancel(t.Context()), "down"); err != nil {
		t.Fatalf("scripts/demo down: %v\n%s", err, out)
	}
	for _, list := range []string{"container ls -aq", "network ls -q", "volume ls -q"} {
		for _, label := range []string{"io.travois.demo=" + d.name, "io.travois.demo.run=" + d.name} {
			args := append(strings.Fields(list), "--filter", "label="+label)
			out, err := exec.Command("docker", args...).Output()
			if err != nil || len(out) > 0 {
				t.Errorf("docker %v after down: %s, %v", args, out, err)
			}
		}
	}
}

func copyExample(t *testing.T, to string) {
	t.Helper()
	from := filepath.Join(root, "examples", "fullstack")
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() == "node_modules" {
			return skip(err, entry)
		}
		target := filepath.Join(to, strings.TrimPrefix(path, from))
		if entry.IsDir() {
			return os.MkdirAll(target, 0o755)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(target, text, 0o644)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func skip(err error, entry fs.DirEntry) error {
	if err == nil && entry.IsDir() {
		return fs.SkipDir
	}
	return err
}

func (d *demo) script(ctx context.Context, verb string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(root, "scripts", "demo"), verb)
	command.Env = d.env
	out, err := command.CombinedOutput()
	return string(out), err
}

// push runs the workflow and gives act's log. The run must end as wanted:
// green or red.
func (d *demo) push(t *testing.T, green bool) string {
	t.Helper()
	out, err := d.script(t.Context(), "push")
	if (err == nil) != green {
		t.Fatalf("green is %t, want %t; %v\n%s", err == nil, green, err, out)
	}
	return out
}

// edit replaces a text in a file of the app.
func (d *demo) edit(t *testing.T, path, old, replacement string) {
	t.Helper()
	path = filepath.Join(d.source, path)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q", path, old)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(text), old, replacement, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// write replaces a file of the app.
func (d *demo) write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(d.source, path), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// setting reads a line KEY=VALUE, or "# environment: URL", that eb-local
// wrote.
func (d *demo) setting(t *testing.T, prefix string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(d.state, "eb-env"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if value, found := strings.CutPrefix(line, prefix); found {
			return strings.TrimSpace(value)
		}
	}
	t.Fatalf("eb-local wrote no %q", prefix)
	return ""
}

// get fetches a path of the deployed app.
func (d *demo) get(t *testing.T, path string) string {
	t.Helper()
	return fetch(t, http.MethodGet, d.setting(t, "# environment: ")+path, "")
}

func (d *demo) post(t *testing.T, path, body string) {
	t.Helper()
	fetch(t, http.MethodPost, d.setting(t, "# environment: ")+path, body)
}

func fetch(t *testing.T, method, url, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode >= 400 {
		t.Fatalf("%s %s: %s, %v\n%s", method, url, answer.Status, err, text)
	}
	return string(text)
}

var script = regexp.MustCompile(`src="/(assets/[^"]+\.js)"`)

// page is the page with its script.
func (d *demo) page(t *testing.T) string {
	t.Helper()
	html := d.get(t, "")
	found := script.FindStringSubmatch(html)
	if found == nil {
		t.Fatalf("the page names no script:\n%s", html)
	}
	return html + d.get(t, found[1])
}

// tags lists what the registry has of an image.
func (d *demo) tags(t *testing.T, repository string) string {
	t.Helper()
	address, err := os.ReadFile(filepath.Join(d.state, "registry-address"))
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := name.NewRepository(strings.TrimSpace(string(address)) + "/" + repository)
	if err != nil {
		t.Fatal(err)
	}
	tags, err := remote.List(parsed, remote.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(tags, " ")
}

// bundles lists the objects that were uploaded.
func (d *demo) bundles(t *testing.T) string {
	t.Helper()
	var found []string
	err := filepath.WalkDir(filepath.Join(d.state, "eb"), func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".zip") {
			found = append(found, filepath.Base(path))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(found, " ")
}

// aws runs the AWS command line against eb-local.
func (d *demo) aws(t *testing.T, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "aws", append([]string{"--endpoint-url", d.setting(t, "AWS_ENDPOINT_URL="), "--output", "text"}, args...)...)
	command.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=none", "AWS_SECRET_ACCESS_KEY=none", "AWS_REGION=ap-northeast-2", "AWS_DEFAULT_REGION=ap-northeast-2", "AWS_CA_BUNDLE=", "AWS_EC2_METADATA_DISABLED=true")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("aws %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// act puts workflow/job before a line, and before that the job that called the workflow.
var setOutput = regexp.MustCompile(`\[(?:[^\]/]*/)+([a-z-]+) *\].*::set-output:: ([a-z0-9-]+)=(.*)`)

// outputs are what a job's steps set, by name.
func outputs(log, job string) map[string]string {
	values := map[string]string{}
	for _, found := range setOutput.FindAllStringSubmatch(log, -1) {
		if found[1] == job {
			values[found[2]] = found[3]
		}
	}
	return values
}
