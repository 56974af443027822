package eblocal

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// fakeRunner stands for an engine: the API is tested without one. An instance's
// containers are running and answer, unless the test says otherwise.
type fakeRunner struct {
	t   *testing.T
	web string // address at which the containers answer

	mu      sync.Mutex
	started []Launch
	envs    []string        // .env of each launch
	running map[string]bool // by instance

	onStart func(context.Context, Launch) error
	stuck   error                          // what a removal fails with
	state   func(service string) Container // of the containers, nil for running
	beside  []Container                    // the instance's other containers
}

func newFakeRunner(t *testing.T) *fakeRunner {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, "hello from "+r.Host)
	}))
	t.Cleanup(web.Close)
	return &fakeRunner{t: t, web: strings.TrimPrefix(web.URL, "http://"), running: map[string]bool{}}
}

func (f *fakeRunner) Start(ctx context.Context, l Launch) error {
	env, _ := os.ReadFile(l.Dir + "/.env")
	f.mu.Lock()
	f.started = append(f.started, l)
	f.envs = append(f.envs, string(env))
	f.running[l.Name] = true
	onStart := f.onStart
	f.mu.Unlock()
	if onStart == nil {
		return nil
	}
	return onStart(ctx, l)
}

func (f *fakeRunner) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fakeRunner) Containers(_ context.Context, instance string) ([]Container, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.running[instance] {
		return nil, nil
	}
	c := Container{Service: "web", State: "running"}
	if f.state != nil {
		c = f.state("web")
	}
	c.Ports = map[int]string{80: f.web}
	return append([]Container{c}, f.beside...), nil
}

func (f *fakeRunner) Logs(_ context.Context, instance string, lines int) (map[string]string, error) {
	if lines != tailLines {
		f.t.Errorf("asked for %d lines of log, expected %d", lines, tailLines)
	}
	return map[string]string{"web": "log of " + instance + "\n"}, nil
}

func (f *fakeRunner) Remove(_ context.Context, instance string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stuck != nil {
		return f.stuck
	}
	delete(f.running, instance)
	return nil
}

func (f *fakeRunner) RemoveAll(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.running)
	return nil
}

func (f *fakeRunner) instances() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(sortedKeys(f.running))
}

// webBundle is the smallest bundle that the Docker platform takes.
func webBundle() map[string]string {
	return map[string]string{composeFile: "services:\n  web:\n    image: example/web:1\n    ports: ['80:80']\n"}
}

// faked is an environment on a fakeRunner.
func faked(t *testing.T, change ...func(*Options)) (*bench, *fakeRunner) {
	t.Helper()
	f := newFakeRunner(t)
	opts := testOptions(t)
	opts.Runner = f
	for _, c := range change {
		c(&opts)
	}
	return serve(t, opts), f
}
