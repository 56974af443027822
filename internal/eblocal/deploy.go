package eblocal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"
)

const (
	// pollEvery is the pause between two looks at an instance that is starting.
	pollEvery = 500 * time.Millisecond
	// probeTimeout is how long an instance may take to answer a health check.
	probeTimeout = 5 * time.Second
	// drainTimeout is how long requests in flight keep the old instance alive.
	drainTimeout = 10 * time.Second
)

// troubles are the reasons why an instance is not taken into service.
type troubles []string

func (t troubles) Error() string { return strings.Join(t, " ") }

// failures are the instances on which a deployment failed.
type failures []failedInstance

type failedInstance struct {
	*instance
	reasons troubles
}

func (f failures) Error() string {
	var texts []string
	for _, one := range f {
		texts = append(texts, one.ID+": "+one.reasons.Error())
	}
	return strings.Join(texts, " ")
}

// instances are those that failed.
func (f failures) instances() []*instance {
	var all []*instance
	for _, one := range f {
		all = append(all, one.instance)
	}
	return all
}

// deploy runs an update's deployment to its end.
func (s *Server) deploy(ctx context.Context, u update) {
	err := policies[u.policy](s, ctx, u)
	if err == nil {
		err = s.rescale(ctx, u)
	}
	if errors.Is(context.Cause(ctx), errAborted) {
		err = errAborted
	}
	if err == nil {
		s.succeed(ctx, u)
		return
	}
	s.fail(ctx, u, err)
}

// bringAll deploys to instances side by side.
func (s *Server) bringAll(ctx context.Context, u update, instances []*instance) error {
	s.begin(u, instances)
	errs := make([]error, len(instances))
	var wg sync.WaitGroup
	for n, i := range instances {
		wg.Go(func() { errs[n] = s.bring(ctx, u, i) })
	}
	wg.Wait()
	var failed failures
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, i := range instances {
		i.Status, i.Deployed = deploymentDone, s.clock.now()
		if errs[n] != nil {
			i.Status, i.Health = deploymentFailed, "Severe"
			failed = append(failed, failedInstance{i, s.reasons(i, errs[n])})
		}
	}
	s.keep()
	if failed == nil {
		return nil
	}
	return failed
}

// begin marks a deployment on instances.
func (s *Server) begin(u update, instances []*instance) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range instances {
		i.Label, i.DeploymentID, i.Status, i.Causes = u.version.Label, u.deployment, deploymentRunning, nil
	}
	s.keep()
}

// reasons are an error's, and the instance's causes from now on.
func (s *Server) reasons(i *instance, err error) troubles {
	reasons := troubles{err.Error()}
	_ = errors.As(err, &reasons)
	i.Causes = nil
	for _, reason := range reasons {
		i.Causes = append(i.Causes, s.redact(reason))
	}
	return reasons
}

// bring unpacks the bundle and starts it on an instance in place of what runs
// there; it returns when that is healthy. What runs is left alone until its
// successor's containers were started.
func (s *Server) bring(ctx context.Context, u update, i *instance) error {
	ctx, stop := context.WithTimeout(ctx, s.clock.wall(u.timeout))
	defer stop()
	s.mu.Lock()
	next := s.newRun(u)
	s.mu.Unlock()
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

// dropped leaves an instance with what it ran before, or with what failed if
// there was nothing.
func (s *Server) dropped(ctx context.Context, u update, i *instance, next run) error {
	s.mu.Lock()
	first := i.Run.Name == ""
	if first {
		i.Run = next
	}
	s.mu.Unlock()
	if first {
		return nil
	}
	s.remember(ctx, u.env, i, next)
	return s.discard(context.WithoutCancel(ctx), next)
}

// replace makes a run the instance's own and removes the one before.
func (s *Server) replace(ctx context.Context, u update, i *instance, next run) {
	s.mu.Lock()
	old := i.Run
	i.Run, i.web = next, ""
	s.route(u.env)
	s.keep()
	s.mu.Unlock()
	if old.Name == "" {
		return
	}
	if err := s.discard(context.WithoutCancel(ctx), old); err != nil {
		s.say(u, "WARN", err.Error())
	}
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
