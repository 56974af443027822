package eblocal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

const (
	// account is the account that everything belongs to: no real one.
	account = "000000000000"
	// A client that sends its header slowly must not hold a connection for ever.
	headerTimeout = 10 * time.Second
	// cleanupTimeout bounds what must still happen after a cancellation.
	cleanupTimeout = 60 * time.Second
)

// Server is one Elastic Beanstalk environment with the APIs around it.
type Server struct {
	opts   Options
	id     string
	runner Runner
	store  *store
	proxy  *proxy
	front  *http.Server
	lock   *os.File
	addr   string
	clock  clock
	asks   *http.Client // asks instances what a load balancer would ask

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	work sync.WaitGroup // the watch and the proxy
	runs sync.WaitGroup // updates

	mu    sync.Mutex
	state *state
	abort context.CancelCauseFunc // of the update in progress

	faults faulty
}

// New starts serving an environment with the state that the state directory
// holds, or a new one. What is wrong with the options is reported at once.
func New(opts Options) (*Server, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	s, err := newServer(opts)
	if err != nil {
		return nil, fmt.Errorf("environment %q: %w", opts.Env, err)
	}
	if err := s.listen(); err != nil {
		return nil, errors.Join(fmt.Errorf("environment %q: %w", opts.Env, err), s.lock.Close())
	}
	s.resume()
	s.refresh()
	s.work.Go(s.watch)
	return s, nil
}

func newServer(opts Options) (*Server, error) {
	if err := os.MkdirAll(opts.StateDir, 0o700); err != nil {
		return nil, err
	}
	lock, err := lockState(opts.StateDir)
	if err != nil {
		return nil, err
	}
	s, err := openServer(opts)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	s.lock = lock
	return s, nil
}

func openServer(opts Options) (*Server, error) {
	st, err := loadState(opts.StateDir)
	if err != nil {
		return nil, err
	}
	objects, err := newStore(filepath.Join(opts.StateDir, "s3"), opts.Region)
	if err != nil {
		return nil, err
	}
	s := &Server{opts: opts, id: identity(opts), store: objects, proxy: &proxy{transport: opts.Transport}, runner: opts.Runner, state: st}
	s.clock, s.asks, s.faults = newClock(opts), probeClient(opts.Transport), newFaulty(opts.Faults)
	s.ctx, s.stop = context.WithCancel(context.Background())
	if s.runner == nil {
		s.runner = newComposeRunner(s.id, opts.Environ)
	}
	if s.state == nil {
		s.state = s.freshState()
	}
	if n := len(s.state.Events); n > 0 {
		s.clock = s.clock.after(s.state.Events[n-1].Time)
	}
	if err := s.adopt(); err != nil {
		return nil, err
	}
	return s, s.store.ensureBucket(s.bucket())
}

// identity tells this environment's containers from all others; the state
// directory is part of it, so that two of the same name don't meet.
func identity(opts Options) string {
	sum := sha256.Sum256([]byte(opts.App + "\x00" + opts.Env + "\x00" + opts.StateDir))
	return "e-" + hex.EncodeToString(sum[:])[:10]
}

func (s *Server) freshState() *state {
	now := s.clock.now()
	return &state{
		Format: stateFormat,
		Apps:   []*application{{Name: s.opts.App, Created: now}},
		Env: environment{
			Name: s.opts.Env, ID: s.id, App: s.opts.App,
			Status: statusReady, Health: "Grey", HealthStatus: "NoData",
			Created: now, Updated: now,
		},
	}
}

// adopt holds the state against the options.
func (s *Server) adopt() error {
	env := &s.state.Env
	if env.Name != s.opts.Env || env.App != s.opts.App {
		return fmt.Errorf("state directory %s belongs to environment %q of application %q: name another directory",
			s.opts.StateDir, env.Name, env.App)
	}
	if env.ID != s.id {
		return fmt.Errorf("state directory %s was moved or copied: remove it to start anew", s.opts.StateDir)
	}
	return s.state.save(s.opts.StateDir)
}

// listen opens the environment's own address.
func (s *Server) listen() error {
	l, err := s.openFront()
	if err != nil {
		return fmt.Errorf("listen for the environment: %w", err)
	}
	s.addr = l.Addr().String()
	s.state.Listen = s.addr
	s.front = &http.Server{Handler: s.proxy, ReadHeaderTimeout: headerTimeout}
	s.work.Go(func() { _ = s.front.Serve(l) })
	return s.state.save(s.opts.StateDir)
}

// openFront prefers the address of the last start, so that bookmarks stay good.
func (s *Server) openFront() (net.Listener, error) {
	if s.opts.EnvListen != "" {
		return s.opts.Listen("tcp", s.opts.EnvListen)
	}
	if s.state.Listen != "" {
		if l, err := s.opts.Listen("tcp", s.state.Listen); err == nil {
			return l, nil
		}
	}
	return s.opts.Listen("tcp", loopback)
}

// EnvironmentURL is the address at which the deployed application answers.
func (s *Server) EnvironmentURL() string { return "http://" + s.addr + "/" }

// Bucket is the account's Elastic Beanstalk bucket, which exists from the start.
func (s *Server) Bucket() string { return s.bucket() }

func (s *Server) bucket() string { return "elasticbeanstalk-" + s.opts.Region + "-" + account }

// Close stops serving. An update in progress ends as failed; the instance in
// service keeps running, and a Server on the same state takes it up again.
func (s *Server) Close() error {
	s.stop()
	err := s.front.Close()
	s.runs.Wait()
	s.work.Wait()
	return errors.Join(err, s.lock.Close())
}

// Down removes every container, network and volume of the environment, and
// forgets the instance in service. Versions and bundles stay.
func (s *Server) Down(ctx context.Context) error {
	s.proxy.retire(nil)
	err := s.forget()
	if err := s.runner.RemoveAll(ctx); err != nil {
		return fmt.Errorf("take down environment %q: %w", s.opts.Env, err)
	}
	return errors.Join(err, os.RemoveAll(filepath.Join(s.opts.StateDir, "instances")))
}

// forget ends an update in progress and takes the instance out of service, so
// that nobody looks after what is about to go.
func (s *Server) forget() error {
	s.mu.Lock()
	if s.abort != nil {
		s.abort(errAborted)
	}
	s.mu.Unlock()
	s.runs.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	env := &s.state.Env
	env.Status, env.Instance, env.Candidate, env.Before, env.Retiring, env.Label = statusReady, nil, nil, nil, nil, ""
	env.Health, env.HealthStatus, env.Causes = "Grey", "NoData", nil
	return s.state.save(s.opts.StateDir)
}

// Down takes an environment down that no Server serves: its containers, networks
// and volumes by their label. The state directory is needed to tell it from
// others of the same name; when it holds a state, that is brought up to date, and
// it says what application and environment are meant when opts do not.
func Down(ctx context.Context, opts Options) error {
	if st, err := loadState(opts.StateDir); err == nil && st != nil && opts.App == "" && opts.Env == "" {
		opts.App, opts.Env = st.Env.App, st.Env.Name
	}
	opts, err := opts.withDefaults()
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(opts.StateDir, stateFile)); err == nil {
		if err := awaitUnlocked(ctx, opts.StateDir); err != nil {
			return err
		}
		s, err := newServer(opts)
		if err != nil {
			return err
		}
		return errors.Join(s.Down(ctx), s.lock.Close())
	}
	runner := opts.Runner
	if runner == nil {
		runner = newComposeRunner(identity(opts), opts.Environ)
	}
	return runner.RemoveAll(ctx)
}

// keep saves the state; the caller holds the lock. That it can't be saved is
// said, but must not stop what is going on.
func (s *Server) keep() {
	if err := s.state.save(s.opts.StateDir); err != nil {
		s.logf("%v", err)
	}
}

func (s *Server) logf(format string, args ...any) {
	_, _ = fmt.Fprintf(s.opts.Log, format+"\n", args...)
}
