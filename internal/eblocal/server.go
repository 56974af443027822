package eblocal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
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

// Server is a local Elastic Beanstalk: the APIs, and the environments behind them.
type Server struct {
	opts   Options
	id     string
	runner Runner
	store  *store
	lock   *os.File
	url    string // of the options' environment
	clock  clock
	asks   *http.Client // asks instances what a load balancer would ask

	ctx  context.Context // ends with Close
	stop context.CancelFunc
	// closed ends it the first time that it is called.
	closed func() error
	work   sync.WaitGroup // the watch and the proxies
	runs   sync.WaitGroup // updates

	mu     sync.Mutex
	state  *state
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
	if err := s.openAll(); err != nil {
		return nil, errors.Join(err, s.closeFronts(), s.lock.Close())
	}
	s.resume()
	s.refresh(s.own())
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
	s := &Server{opts: opts, id: identity(opts), store: objects, runner: opts.Runner, state: st}
	s.clock, s.asks, s.faults = newClock(opts), probeClient(opts.Transport), newFaulty(opts.Faults)
	s.ctx, s.stop = context.WithCancel(context.Background())
	s.closed = sync.OnceValue(s.end)
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
		Owner:  owner{s.opts.App, s.opts.Env, s.id},
		Apps:   []*application{{Name: s.opts.App, Created: now, Updated: now}},
	}
}

// adopt holds the state against the options, and makes what the options name if
// it is not there.
func (s *Server) adopt() error {
	o := s.state.Owner
	if o.Env != s.opts.Env || o.App != s.opts.App {
		return fmt.Errorf("state directory %s belongs to environment %q of application %q: name another directory",
			s.opts.StateDir, o.Env, o.App)
	}
	if o.ID != s.id {
		return fmt.Errorf("state directory %s was moved or copied: remove it to start anew", s.opts.StateDir)
	}
	if s.state.app(o.App) == nil {
		if _, err := s.addApplication(o.App); err != nil {
			return err
		}
	}
	if e := s.state.env(o.Env); e == nil {
		id := s.id
		if len(s.state.Envs) > 0 {
			id = "e-" + randomHex(5) // an earlier one of this id was terminated
		}
		s.state.Envs = append(s.state.Envs, s.environment(o.App, o.Env, newest(s.opts.Platform), id))
	} else if e.Platform != s.opts.Platform { // each start says which
		e.Platform, e.Version = s.opts.Platform, newest(s.opts.Platform).version
	}
	return s.state.save(s.opts.StateDir)
}

// own is the environment that the options name.
func (s *Server) own() *environment { return s.state.env(s.opts.Env) }

// EnvironmentURL is the address at which the application answers that is
// deployed to the environment of the options.
func (s *Server) EnvironmentURL() string { return s.url }

// Bucket is the account's Elastic Beanstalk bucket, which exists from the start.
func (s *Server) Bucket() string { return s.bucket() }

func (s *Server) bucket() string { return "elasticbeanstalk-" + s.opts.Region + "-" + account }

// Close stops serving. An update in progress ends as failed; the instance in
// service keeps running, and a Server on the same state takes it up again.
func (s *Server) Close() error { return s.closed() }

func (s *Server) end() error {
	s.stop()
	s.mu.Lock()
	err := s.closeFronts()
	s.mu.Unlock()
	s.runs.Wait()
	s.work.Wait()
	return errors.Join(err, s.lock.Close())
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
