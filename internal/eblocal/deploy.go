package eblocal

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"
)

const (
	// stagger keeps instances that are deployed to at once in their order.
	stagger = time.Millisecond
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
	if err == nil {
		err = s.conclude(u)
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
		wg.Go(func() {
			sleep(ctx, s.clock.wall(time.Duration(n)*stagger))
			errs[n] = s.bring(ctx, u, i)
		})
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
