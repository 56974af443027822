package eblocal

import (
	"context"
	"maps"
	"slices"
	"time"
)

// resume takes up what an earlier start left: it ends what was cut off, and
// looks whether the instances in service still run.
func (s *Server) resume() {
	ctx, cancel := context.WithTimeout(s.ctx, cleanupTimeout)
	defer cancel()
	s.endProcessing()
	s.mu.Lock()
	envs := s.state.envs()
	s.mu.Unlock()
	for _, e := range envs {
		s.endCut(ctx, e)
		s.clearRetiring(ctx, e)
		s.check(ctx, e)
	}
}

func (s *Server) endProcessing() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range s.state.Versions {
		if v.Status == versionProcessing {
			s.processed("", v)
		}
	}
}

// endCut ends what an environment was in the middle of.
func (s *Server) endCut(ctx context.Context, e *environment) {
	s.mu.Lock()
	status, before := e.Status, e.Before
	e.Retiring, e.Starting = append(e.Retiring, e.Starting...), nil
	u := update{env: e, version: version{Label: e.Label}, newLabel: true, policy: valueOf(e.Settings, commandNamespace, "DeploymentPolicy"), deployment: e.Deployments}
	var cut failures
	for _, i := range e.all() {
		if i.Status == deploymentRunning {
			i.Status = deploymentFailed
			cut = append(cut, failedInstance{i, troubles{cutOff}})
		}
	}
	s.mu.Unlock()
	if before != nil {
		u.requestID = before.RequestID
	}
	var reason error = cut
	if cut == nil {
		reason = troubles{cutOff}
	}
	switch status {
	case statusTerminating:
		s.terminated(ctx, update{env: e})
	case statusLaunching:
		u.kind = created
		s.fail(ctx, u, reason)
	case statusUpdating, statusAborting:
		s.fail(ctx, u, reason)
	}
}

// refresh sets the environment properties of this start, and deploys the version
// in service anew when an instance runs with others: those that an update before
// it put back, or that a start set which did not get to deploying them, are
// others too.
func (s *Server) refresh(e *environment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, name := range sortedKeys(s.opts.EnvVars) {
		e.Settings = with(e.Settings, setting{Namespace: propertyNamespace, Name: name, Value: s.opts.EnvVars[name]})
	}
	s.keep()
	v := s.state.version(e.App, e.Label)
	other := slices.IndexFunc(e.Instances, func(i *instance) bool {
		return !maps.Equal(properties(i.Run.Settings), properties(e.Settings))
	})
	if other < 0 || v == nil || e.Status != statusReady {
		return
	}
	u := update{env: e, requestID: newRequestID(), version: *v}
	s.updateEvent(u, "INFO", "Environment update is starting.")
	e.Before = &snapshot{Label: e.Label, Version: e.Version, Settings: slices.Clone(e.Instances[other].Run.Settings), RequestID: u.requestID}
	e.Status, e.Accepted = statusUpdating, s.clock.now()
	s.start(u)
}

// watch looks at the instances in service until the server closes.
func (s *Server) watch() {
	tick := time.NewTicker(s.clock.wall(s.opts.Watch))
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		s.mu.Lock()
		envs := s.state.envs()
		s.mu.Unlock()
		for _, e := range envs {
			s.check(s.ctx, e)
		}
	}
}

// check brings health and proxy up to date with the instances in service. While
// an update runs, the update does so.
func (s *Server) check(ctx context.Context, e *environment) {
	s.mu.Lock()
	idle := e.Status == statusReady && len(e.Instances) > 0 && !s.clock.now().Before(e.Dipped)
	instances, deployments := slices.Clone(e.Instances), e.Deployments
	s.mu.Unlock()
	if !idle {
		return
	}
	seen := s.lookAll(ctx, instances)
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.Status != statusReady || e.Deployments != deployments || !slices.Equal(instances, e.Instances) {
		return
	}
	for n, i := range instances {
		s.note(i, seen[n])
	}
	s.reflect(e)
}

func (s *Server) lookAll(ctx context.Context, instances []*instance) []verdict {
	var seen []verdict
	for _, i := range instances {
		seen = append(seen, s.look(ctx, i))
	}
	return seen
}

// look examines an instance that is in service.
func (s *Server) look(ctx context.Context, i *instance) verdict {
	s.mu.Lock()
	r := i.Run
	s.mu.Unlock()
	v, err := s.examine(ctx, r, true)
	if err != nil {
		v.Failed = []string{"The instance can't be examined: " + err.Error()}
	}
	return v
}
