package eblocal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
)

// bring unpacks the bundle and starts it on an instance in place of what runs
// there; it returns when that is healthy. What runs is left alone until its
// successor's containers were started.
func (s *Server) bring(ctx context.Context, u update, i *instance) error {
	ctx, stop := context.WithTimeout(ctx, s.clock.wall(u.timeout))
	defer stop()
	next := s.starting(u)
	if err := s.launch(ctx, u, &next); err != nil {
		return errors.Join(err, s.dropped(ctx, u, i, next))
	}
	s.replace(ctx, u, i, next)
	v, err := s.await(ctx, next)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.note(i, v)
	return err
}

// starting names the next run. It is known before it has anything on the engine,
// so that a start after a crash can remove it.
func (s *Server) starting(u update) run {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := s.newRun(u)
	u.env.Starting = append(u.env.Starting, next)
	s.keep()
	return next
}

// started ends that; the caller holds the lock.
func (e *environment) started(r run) {
	e.Starting = withoutRun(e.Starting, r)
}

func withoutRun(runs []run, r run) []run {
	return slices.DeleteFunc(slices.Clone(runs), func(o run) bool { return o.Name == r.Name })
}

// dropped leaves an instance with what it ran before, or with what failed if
// there was nothing.
func (s *Server) dropped(ctx context.Context, u update, i *instance, next run) error {
	s.mu.Lock()
	first := i.Run.Name == ""
	if first {
		i.Run = next
		u.env.started(next)
	}
	s.mu.Unlock()
	if first {
		return nil
	}
	s.remember(ctx, u.env, i, next)
	s.mu.Lock()
	u.env.started(next)
	u.env.Retiring = append(u.env.Retiring, next)
	s.mu.Unlock()
	return s.dispose(context.WithoutCancel(ctx), u.env, next)
}

// replace makes a run the instance's own and removes the one before.
func (s *Server) replace(ctx context.Context, u update, i *instance, next run) {
	s.mu.Lock()
	old := i.Run
	i.Run, i.web = next, ""
	u.env.started(next)
	if old.Name != "" {
		u.env.Retiring = append(u.env.Retiring, old)
	}
	s.route(u.env)
	s.keep()
	s.mu.Unlock()
	if old.Name == "" {
		return
	}
	if err := s.dispose(context.WithoutCancel(ctx), u.env, old); err != nil {
		s.say(u, "WARN", err.Error())
	}
}

// dispose removes a run that is out of service. What can't be removed stays known,
// so that the next start tries again.
func (s *Server) dispose(ctx context.Context, e *environment, r run) error {
	if err := s.discard(ctx, r); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Retiring = withoutRun(e.Retiring, r)
	s.keep()
	return nil
}

// launch starts a run.
func (s *Server) launch(ctx context.Context, u update, r *run) error {
	p, err := s.prepare(u, *r)
	if err != nil {
		return troubles{err.Error()}
	}
	r.Expect = p.expect
	for _, w := range p.warnings {
		s.say(u, "WARN", w)
	}
	launch := p.launch
	launch.Warning = func(text string) { s.say(u, "WARN", text) }
	if err := s.runner.Start(ctx, launch); err != nil {
		return s.stillborn(ctx, *r, err)
	}
	return nil
}

// stillborn says why a run did not start: what its containers tell comes before
// what the command said, which often is only what followed from it.
func (s *Server) stillborn(ctx context.Context, r run, err error) error {
	if ctx.Err() != nil {
		return troubles{ended(ctx)}
	}
	containers, _ := s.runner.Containers(ctx, r.Name)
	var reasons troubles
	for _, c := range containers {
		failed, _ := r.Expect.complaint(c)
		reasons = appendNonEmpty(reasons, failed)
	}
	return append(reasons, err.Error())
}

// discard removes a run and its directory.
func (s *Server) discard(ctx context.Context, r run) error {
	if err := s.runner.Remove(ctx, r.Name); err != nil {
		return fmt.Errorf("remove %s: %w", r.Name, err)
	}
	return os.RemoveAll(s.home(r))
}

// drain waits until requests in flight are answered, for a while.
func (s *Server) drain(ctx context.Context, idle []<-chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, s.clock.wall(drainTimeout))
	defer cancel()
	for _, one := range idle {
		select {
		case <-one:
		case <-ctx.Done():
			return
		}
	}
}
