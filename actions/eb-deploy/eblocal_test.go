package ebdeploy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guk0/travois/internal/eblocal"
)

// containers stands for an engine. An instance whose deploy file names an
// image "broken" has a container that exits at once; the others answer with
// the tag that they run.
type containers struct {
	mu    sync.Mutex
	files map[string]string // the deploy file by instance
	web   string
}

func (c *containers) Start(_ context.Context, l eblocal.Launch) error {
	file, err := os.ReadFile(l.File)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files[l.Name] = string(file)
	return err
}

func (c *containers) Containers(_ context.Context, instance string) ([]eblocal.Container, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	file, ok := c.files[instance]
	if !ok {
		return nil, nil
	}
	backend := eblocal.Container{Service: "backend", State: "running"}
	if strings.Contains(file, "broken") {
		backend.State, backend.ExitCode = "exited", 3
	}
	return []eblocal.Container{{Service: "nginx", State: "running", Ports: map[int]string{80: c.web}}, backend}, nil
}

func (c *containers) Logs(context.Context, string, int) (map[string]string, error) {
	return map[string]string{"backend": "no route to the database, the word is " + password + "\n"}, nil
}

func (c *containers) Remove(_ context.Context, instance string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.files, instance)
	return nil
}

func (c *containers) RemoveAll(context.Context) error { return nil }

// local serves a local Elastic Beanstalk and points the AWS environment at it,
// as a user would.
func local(t *testing.T, platform eblocal.Platform) *eblocal.Server {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the page") }))
	t.Cleanup(web.Close)
	server, err := eblocal.New(eblocal.Options{
		App: "docker-fullstack", Env: "Dockerfullstack-env", Platform: platform, Region: "ap-northeast-2", StateDir: t.TempDir(),
		EnvVars:       map[string]string{"MYSQL_ROOT_PASSWORD": password},
		HealthTimeout: 2 * time.Second, Settle: 10 * time.Millisecond, Watch: 50 * time.Millisecond, Log: t.Output(),
		Runner: &containers{files: map[string]string{}, web: strings.TrimPrefix(web.URL, "http://")},
	})
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(server.Handler())
	t.Cleanup(func() {
		api.Close()
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	none := filepath.Join(t.TempDir(), "none")
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": api.URL, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
	return server
}

func deployFileFor(platform eblocal.Platform) (name, text string) {
	if platform == eblocal.ECS {
		return "Dockerrun.aws.json", `{"AWSEBDockerrunVersion": 2, "containerDefinitions": [
			{"name": "nginx", "image": "guk0/docker-nginx", "memory": 128, "essential": true, "portMappings": [{"hostPort": 80, "containerPort": 80}]},
			{"name": "backend", "image": "guk0/docker-backend", "memory": 128, "essential": true}]}`
	}
	return "docker-compose.yml", "version: \"2.4\"\nservices:\n  nginx:\n    image: guk0/docker-nginx\n    build: ./nginx\n    ports: [\"80:80\"]\n" +
		"  backend:\n    image: guk0/docker-backend\n    build: ./backend\n"
}

func TestLocalBeanstalk(t *testing.T) {
	for _, platform := range []eblocal.Platform{eblocal.Docker, eblocal.ECS} {
		t.Run(string(platform), func(t *testing.T) {
			server := local(t, platform)
			s := &stage{dir: t.TempDir(), load: loadAWS, inputs: map[string]string{
				"region": "ap-northeast-2", "app": "docker-fullstack", "env": "Dockerfullstack-env", "bucket-path": "docker-fullstack", "check-images": "false",
			}}
			name, text := deployFileFor(platform)
			s.file(t, name, text)
			first := s.deploy(t, "sha-1", "deployed")
			url := output(first, "environment-url")
			if page := get(t, url); page != "the page" || !strings.HasPrefix(url, server.EnvironmentURL()) {
				t.Errorf("%s answers %q", url, page)
			}
			s.deploy(t, "sha-1", "unchanged")
			s.deploy(t, "sha-2", "deployed")
			broken := s.deploy(t, "broken", "rolled-back")
			if !strings.Contains(broken.log, "no route to the database, the word is ***") || !strings.Contains(broken.log, "exit") {
				t.Errorf("the reason is not shown:\n%s", broken)
			}
			if page := get(t, url); page != "the page" {
				t.Errorf("after the rollback %s answers %q", url, page)
			}
			s.deploy(t, "sha-2", "unchanged")
			s.deploy(t, "sha-3", "deployed")
		})
	}
}

// deploy runs the action with a tag for both services.
func (s *stage) deploy(t *testing.T, tag, want string) ended {
	t.Helper()
	s.inputs["tags"] = fmt.Sprintf(`{"nginx":%q,"backend":%q}`, tag, tag)
	got := s.run(t)
	if got.result() != want || (got.code == 0) == (want == "rolled-back") {
		t.Fatalf("%s: result %q, exit code %d; want %q\n%s", tag, got.result(), got.code, want, got)
	}
	return got
}

func output(e ended, name string) string {
	for line := range strings.Lines(e.outputs) {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func get(t *testing.T, url string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	if err := response.Body.Close(); err != nil {
		t.Fatal(err)
	}
	return string(text)
}
