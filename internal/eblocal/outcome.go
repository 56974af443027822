package eblocal

import (
	"context"
	"errors"
	"slices"
)

// succeed ends an update that all instances took.
func (s *Server) succeed(ctx context.Context, u update) {
	s.lookAfter(ctx, u.env)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := u.env
	e.Before, e.Deployment = nil, u.deployment
	s.reflect(e)
	switch {
	case u.kind == created:
		s.updateEvent(u, "INFO", "Application available at "+e.Listen+".")
		s.updateEvent(u, "INFO", "Successfully launched environment: "+e.Name)
	case u.newLabel:
		s.updateEvent(u, "INFO", "New application version was deployed to running EC2 instances.")
		s.updateEvent(u, "INFO", "Environment update completed successfully.")
	default:
		s.updateEvent(u, "INFO", "Successfully deployed new configuration to environment.")
		s.updateEvent(u, "INFO", "Environment update completed successfully.")
	}
	if s.faults.Dip > 0 {
		e.Dipped = s.clock.now().Add(s.faults.Dip)
		s.setHealth(e, "Severe", "100.0 % of the requests to the ELB are failing with HTTP 5xx.")
	}
	s.ready(e)
}

// ready ends an update; the caller holds the lock.
func (s *Server) ready(e *environment) {
	e.Status, e.Updated = statusReady, s.clock.now()
	e.abort, e.Ending = nil, false
	s.keep()
}

// fail ends an update that some instance did not take, or that was aborted.
func (s *Server) fail(ctx context.Context, u update, reason error) {
	aborted := errors.Is(reason, errAborted)
	s.clean(ctx, u, reason)
	hidden := s.restore(u)
	if aborted {
		s.undo(s.ctx, u)
	}
	s.lookAfter(ctx, u.env)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := u.env
	e.Before = nil
	if len(e.Instances) == 0 {
		s.setHealth(e, "Severe", e.Causes...)
	}
	s.reflect(e)
	s.failed(u, aborted, hidden)
	s.ready(e)
}

// clean removes what an update launched, and keeps its logs.
func (s *Server) clean(ctx context.Context, u update, reason error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	s.rememberFresh(ctx, u)
	s.tell(u, reason)
	if u.kind == created && !errors.Is(reason, errAborted) {
		s.join(u) // an environment that was just made keeps what failed
	}
	s.mu.Lock()
	fresh := slices.Clone(u.env.Fresh)
	s.mu.Unlock()
	s.retire(ctx, u, fresh)
}

// lookAfter notes what is seen of the instances after an update, also if that
// was cut off.
func (s *Server) lookAfter(ctx context.Context, e *environment) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	s.mu.Lock()
	instances := slices.Clone(e.Instances)
	s.mu.Unlock()
	seen := s.lookAll(ctx, instances)
	s.mu.Lock()
	defer s.mu.Unlock()
	for n, i := range instances {
		s.note(i, seen[n])
	}
}

// restore puts back the label and the settings of before, unless the failure is
// to be hidden.
func (s *Server) restore(u update) (hidden bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.faults.HideFailure && inPlace(u.policy) && len(u.env.Instances) > 0 {
		u.env.Hidden, u.env.Deployment = true, u.deployment
		return true
	}
	if u.env.Before != nil {
		u.env.Label, u.env.Settings, u.env.Version = u.env.Before.Label, u.env.Before.Settings, u.env.Before.Version
	}
	return false
}

// undo deploys the version of before again where an aborted update got to.
func (s *Server) undo(ctx context.Context, u update) {
	s.mu.Lock()
	back := u.back(s.state)
	var changed []*instance
	for _, i := range u.env.Instances {
		if i.DeploymentID == u.deployment {
			changed = append(changed, i)
		}
	}
	s.mu.Unlock()
	if back.version.Label == "" || len(changed) == 0 {
		return
	}
	s.say(u, "INFO", "Deploying the version of before to instance(s) ["+ids(changed)+"] again.")
	if err := s.bringAll(ctx, back, changed); err != nil {
		s.tell(u, err)
	}
	s.register(ctx, u, changed, true)
}
