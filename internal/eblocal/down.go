package eblocal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Down removes every container, network and volume of the environment, and
// forgets the instance in service. Versions and bundles stay.
func (s *Server) Down(ctx context.Context) error {
	err := s.forget()
	if err := s.runner.RemoveAll(ctx); err != nil {
		return fmt.Errorf("take down environment %q: %w", s.opts.Env, err)
	}
	return errors.Join(err, os.RemoveAll(filepath.Join(s.opts.StateDir, "instances")))
}

// forget ends updates in progress and takes all instances out of service, so
// that nobody looks after what is about to go.
func (s *Server) forget() error {
	s.mu.Lock()
	for _, e := range s.state.envs() {
		if e.abort != nil {
			e.abort(errAborted)
		}
	}
	s.mu.Unlock()
	s.runs.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range s.state.envs() {
		e.Status, e.Instances, e.Fresh, e.Before, e.Starting, e.Retiring, e.Label = statusReady, nil, nil, nil, nil, nil, ""
		e.Health, e.HealthStatus, e.Causes = "Grey", "NoData", nil
		if e.proxy != nil {
			s.route(e)
		}
	}
	return s.state.save(s.opts.StateDir)
}

// Down takes an environment down that no Server serves: its containers, networks
// and volumes by their label. The state directory is needed to tell it from
// others of the same name; when it holds one that can be read, that is brought up to date, and
// it says what application and environment are meant when opts do not.
func Down(ctx context.Context, opts Options) error {
	if st, err := loadState(opts.StateDir); err == nil && st != nil && opts.App == "" && opts.Env == "" {
		opts.App, opts.Env = st.Owner.App, st.Owner.Env
	}
	opts, err := opts.withDefaults()
	if err != nil {
		return err
	}
	if exists(filepath.Join(opts.StateDir, stateFile)) {
		if err := awaitUnlocked(ctx, opts.StateDir); err != nil {
			return err
		}
		s, err := newServer(opts)
		switch {
		case err == nil:
			return errors.Join(s.Down(ctx), s.lock.Close())
		case !errors.Is(err, errFormat):
			return err
		}
	}
	runner := opts.Runner
	if runner == nil {
		runner = newComposeRunner(identity(opts), opts.Environ)
	}
	return runner.RemoveAll(ctx)
}
