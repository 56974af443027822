package eblocaltest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/eblocal"
)

// Engine runs containers that exist in memory only. All of them run and answer,
// unless Break says otherwise.
type Engine struct {
	// Boot is how long an instance takes to start, in the server's time.
	Boot time.Duration
	// Page is what an instance answers for its deploy file; the file when nil.
	Page func(file string) string

	speed float64

	mu        sync.Mutex
	breakages []*Breakage
	held      chan struct{} // closed when instances may be removed
	running   map[string]*project
	started   []string
}

// Breakage is what goes wrong with launches.
type Breakage struct {
	// Match is a part of the deploy file of those launches; "" for all.
	Match string
	// Service is the one that it happens to; the first when empty.
	Service string
	// Skip is how many of those launches go well first, Times how many do not;
	// 0 for all that follow.
	Skip, Times int
	// After is how long it goes well at first, in the server's time.
	After time.Duration

	Hang      bool   // the launch does not end
	Start     string // why the launch fails
	Exit      int    // the code with which the container exits
	Unhealthy bool   // its health check fails
	Status    int    // what port 80 answers
	Log       string // the end of the container's log

	seen int
}

// project is one launch.
type project struct {
	file    string
	started time.Time
	broken  *Breakage
	names   []string // of the services
	web     map[string]int
}

// Break adds a breakage.
func (e *Engine) Break(b Breakage) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.breakages = append(e.breakages, &b)
}

// Mend takes all breakages away, also from what runs already.
func (e *Engine) Mend() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.breakages = nil
	for _, p := range e.running {
		p.broken = nil
	}
}

// Running are the deploy files of the instances there are, by their names.
func (e *Engine) Running() map[string]string {
	e.mu.Lock()
	defer e.mu.Unlock()
	files := map[string]string{}
	for name, p := range e.running {
		files[name] = p.file
	}
	return files
}

// Launches are the deploy files of all launches so far.
func (e *Engine) Launches() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.started)
}

func (e *Engine) wall(d time.Duration) time.Duration {
	if e.speed > 0 {
		return time.Duration(float64(d) / e.speed)
	}
	return d
}

// Start runs what the launch names.
func (e *Engine) Start(ctx context.Context, l eblocal.Launch) error {
	data, err := os.ReadFile(l.File)
	if err != nil {
		return err
	}
	p, err := read(data)
	if err != nil {
		return err
	}
	if e.Boot > 0 {
		select {
		case <-time.After(e.wall(e.Boot)):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if e.begin(l.Name, p) {
		<-ctx.Done()
		return ctx.Err()
	}
	if p.broken != nil && p.broken.Start != "" {
		return errors.New(p.broken.Start)
	}
	return nil
}

// begin notes a launch, and tells whether it hangs.
func (e *Engine) begin(instance string, p *project) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.started = append(e.started, p.file)
	p.started, p.broken = time.Now(), e.breakage(p.file)
	if p.broken != nil && (p.broken.Hang || p.broken.Start != "") {
		return p.broken.Hang
	}
	if e.running == nil {
		e.running = map[string]*project{}
	}
	e.running[instance] = p
	return false
}

func (e *Engine) breakage(file string) *Breakage {
	for _, b := range e.breakages {
		if !strings.Contains(file, b.Match) {
			continue
		}
		b.seen++
		if n := b.seen - b.Skip; n > 0 && (b.Times == 0 || n <= b.Times) {
			return b
		}
	}
	return nil
}

// read finds the services of a deploy file, and which ports they publish.
func read(data []byte) (*project, error) {
	var file struct {
		Services map[string]struct{ Ports []any }
	}
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, err
	}
	p := &project{file: string(data), names: slices.Sorted(maps.Keys(file.Services)), web: map[string]int{}}
	for name, service := range file.Services {
		for _, port := range service.Ports {
			text, _, _ := strings.Cut(fmt.Sprint(port), "/")
			number, err := strconv.Atoi(text[strings.LastIndex(text, ":")+1:])
			if err != nil {
				return nil, fmt.Errorf("service %q: port %v: %w", name, port, err)
			}
			p.web[name] = number
		}
	}
	return p, nil
}

// Containers lists an instance's containers.
func (e *Engine) Containers(_ context.Context, instance string) ([]eblocal.Container, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.running[instance]
	if p == nil {
		return nil, nil
	}
	var containers []eblocal.Container
	for _, name := range p.names {
		c := eblocal.Container{Service: name, State: "running", StartedRaw: p.started.String()}
		if port := p.web[name]; port != 0 {
			c.Ports = map[int]string{port: instance + ".engine"}
		}
		if b := e.acute(p); b != nil && b.hits(p, name) {
			b.spoil(&c)
		}
		containers = append(containers, c)
	}
	return containers, nil
}

// acute is the breakage of a launch whose time has come.
func (e *Engine) acute(p *project) *Breakage {
	if p.broken == nil || time.Since(p.started) < e.wall(p.broken.After) {
		return nil
	}
	return p.broken
}

func (b *Breakage) hits(p *project, service string) bool {
	return service == b.Service || b.Service == "" && service == p.names[0]
}

func (b *Breakage) spoil(c *eblocal.Container) {
	if b.Exit != 0 {
		c.State, c.ExitCode = "exited", b.Exit
	}
	if b.Unhealthy {
		c.Health = "unhealthy"
	}
}

// Logs are what the containers wrote.
func (e *Engine) Logs(_ context.Context, instance string, _ int) (map[string]string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	logs := map[string]string{}
	p := e.running[instance]
	if p == nil {
		return logs, nil
	}
	for _, name := range p.names {
		logs[name] = "log of " + name + "\n"
		if p.broken != nil && p.broken.Log != "" && p.broken.hits(p, name) {
			logs[name] = p.broken.Log + "\n"
		}
	}
	return logs, nil
}

// HoldRemovals keeps instances from being removed until what it returns is called.
func (e *Engine) HoldRemovals() (release func()) {
	held := make(chan struct{})
	e.mu.Lock()
	defer e.mu.Unlock()
	e.held = held
	return func() { close(held) }
}

// Remove removes an instance.
func (e *Engine) Remove(ctx context.Context, instance string) error {
	e.mu.Lock()
	held := e.held
	e.mu.Unlock()
	if held != nil {
		select {
		case <-held:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.running, instance)
	return nil
}

// RemoveAll removes all instances.
func (e *Engine) RemoveAll(context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.running)
	return nil
}

// RoundTrip answers for the instances.
func (e *Engine) RoundTrip(r *http.Request) (*http.Response, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	p := e.running[strings.TrimSuffix(r.URL.Host, ".engine")]
	if p == nil {
		return nil, errors.New("connection refused")
	}
	w := httptest.NewRecorder()
	b := e.acute(p)
	switch {
	case b != nil && b.Status != 0:
		w.WriteHeader(b.Status)
	case b != nil && b.Exit != 0 && p.web[b.service(p)] != 0:
		return nil, errors.New("connection refused")
	case e.Page != nil:
		_, _ = w.WriteString(e.Page(p.file))
	default:
		_, _ = w.WriteString(p.file)
	}
	return w.Result(), nil
}

func (b *Breakage) service(p *project) string {
	if b.Service != "" {
		return b.Service
	}
	return p.names[0]
}
