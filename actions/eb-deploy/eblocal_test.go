package ebdeploy

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

// local is a stage on a local Elastic Beanstalk, which refuses what AWS's model
// refuses. Its instances take a minute to boot.
type local struct {
	*stage
	aws *eblocaltest.Local
}

// locally runs a test in a bubble of its own time.
func locally(t *testing.T, opts eblocal.Options, f func(t *testing.T, l *local)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		opts.EnvVars = map[string]string{"MYSQL_ROOT_PASSWORD": password}
		account := eblocaltest.InMemory(t, opts)
		account.Engine.Boot = time.Minute
		f(t, newLocal(t, dir, account, opts.Platform))
	})
}

func newLocal(t *testing.T, dir string, account *eblocaltest.Local, platform eblocal.Platform) *local {
	t.Helper()
	l := &local{aws: account, stage: &stage{dir: dir, inputs: map[string]string{
		"region": eblocaltest.Region, "app": eblocaltest.App, "env": eblocaltest.Env, "check-images": "false",
	}}}
	l.load = func(_ context.Context, region string) (aws.Config, error) {
		cfg := account.Config()
		cfg.Region = region
		return cfg, nil
	}
	name, text := deployFileFor(platform)
	l.file(t, name, text)
	return l
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

// version runs the action with a tag for both services and a label of that name.
func (l *local) version(t *testing.T, label string) ended {
	t.Helper()
	l.inputs["version-label"] = label
	l.inputs["tags"] = fmt.Sprintf(`{"nginx":%q,"backend":%q}`, label, label)
	return l.run(t)
}

// deployed is a deployment that must go well.
func (l *local) deployed(t *testing.T, label string) ended {
	t.Helper()
	got := l.version(t, label)
	if got.code != 0 || got.result() != "deployed" {
		t.Fatalf("%s: %s", label, got)
	}
	return got
}

// set changes settings by somebody else's hand, and waits until they are taken.
func (l *local) set(t *testing.T, options ...[3]string) {
	t.Helper()
	params := []string{"EnvironmentName", eblocaltest.Env}
	for n, o := range options {
		for i, field := range []string{"Namespace", "OptionName", "Value"} {
			params = append(params, fmt.Sprintf("OptionSettings.member.%d.%s", n+1, field), o[i])
		}
	}
	l.aws.Ask(t, "UpdateEnvironment", params...)
	l.settle(t)
}

func (l *local) settle(t *testing.T) {
	t.Helper()
	for range 3600 {
		if status := l.aws.Account(t).Env(eblocaltest.Env).Status; status == "Ready" || status == "Terminated" {
			return
		}
		time.Sleep(time.Second)
	}
	t.Fatal("the environment does not get Ready")
}

// end is what a scenario leaves in the account.
type end struct {
	// Label and Health are the environment's, "" for none; one that is not Ready
	// has its status as health.
	Label, Health string
	// Instances are the last deployments of each, sorted.
	Instances []string
	// Versions are the labels of all, oldest first.
	Versions []string
	// Bundles is how many there are in S3.
	Bundles int
}

func (l *local) end(t *testing.T) end {
	t.Helper()
	account := l.aws.Account(t)
	env := account.Env(eblocaltest.Env)
	runs := env.Runs()
	slices.Sort(runs)
	e := end{env.Label, env.Health, runs, account.Labels(), len(bundles(account))}
	if env.Status != "Ready" {
		e.Health = env.Status
	}
	return e
}

func bundles(account eblocaltest.Account) []string {
	return slices.DeleteFunc(account.Objects, func(path string) bool { return !strings.HasSuffix(path, ".zip") })
}

// expected is how a run is to end.
type expected struct {
	result string
	code   int
	// log has these texts; and none of those.
	log, not []string
	outputs  map[string]string
	end      end
}

func (l *local) must(t *testing.T, got ended, want expected) {
	t.Helper()
	if got.result() != want.result || got.code != want.code {
		t.Errorf("result %q, exit code %d; want %q, %d", got.result(), got.code, want.result, want.code)
	}
	for _, text := range want.log {
		if !strings.Contains(got.log, text) {
			t.Errorf("the log lacks %q", text)
		}
	}
	for _, text := range want.not {
		if strings.Contains(got.log, text) {
			t.Errorf("the log has %q", text)
		}
	}
	for name, value := range want.outputs {
		if found := output(got, name); found != value {
			t.Errorf("output %s=%q; want %q", name, found, value)
		}
	}
	if diff := cmp.Diff(want.end, l.end(t)); diff != "" {
		t.Errorf("the account (-want +got):\n%s", diff)
	}
	if t.Failed() {
		t.Fatalf("%s", got)
	}
}

func output(e ended, name string) string {
	for line := range strings.Lines(e.outputs) {
		if value, ok := strings.CutPrefix(line, name+"="); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// TestLocalBeanstalk points the AWS environment at a loopback address, as a user
// would, and lets real time pass.
func TestLocalBeanstalk(t *testing.T) {
	for _, platform := range []eblocal.Platform{eblocal.Docker, eblocal.ECS} {
		t.Run(string(platform), func(t *testing.T) {
			opts := eblocaltest.Quick()
			opts.Platform, opts.EnvVars = platform, map[string]string{"MYSQL_ROOT_PASSWORD": password}
			l := newLocal(t, t.TempDir(), eblocaltest.Start(t, opts), platform)
			l.load = loadAWS
			for name, value := range l.aws.Variables(t.TempDir()) {
				t.Setenv(name, value)
			}
			l.aws.Engine.Break(eblocaltest.Breakage{Match: ":broken", Service: "backend", Exit: 3, Log: "no route to the database, the word is " + password})
			url := output(l.deployed(t, "v1"), "environment-url")
			mustServe(t, url, l.aws.EnvironmentURL(), ":v1")
			if again := l.version(t, "v1"); again.result() != "unchanged" || again.code != 0 {
				t.Fatalf("again: %s", again)
			}
			broken := l.version(t, "broken")
			if broken.result() != "rolled-back" || broken.code != 1 || !strings.Contains(broken.log, "no route to the database, the word is ***") {
				t.Errorf("broken: %s", broken)
			}
			mustServe(t, url, l.aws.EnvironmentURL(), ":v1")
			l.deployed(t, "v2")
			mustServe(t, url, l.aws.EnvironmentURL(), ":v2")
		})
	}
}

func mustServe(t *testing.T, url, at, what string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	page, err := io.ReadAll(response.Body)
	if err != nil || !strings.Contains(string(page), what) || !strings.HasPrefix(url, at) {
		t.Errorf("%s answers %q, %v; want %q from %s", url, page, err, what, at)
	}
}
