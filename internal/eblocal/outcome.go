package eblocal

import (
	"context"
	"errors"
	"fmt"
	"os"
)

// promote moves traffic to the new instance and removes the old one.
func (s *Server) promote(ctx context.Context, u update, inst *instance, web string) {
	s.say(u, "INFO", "Instance deployment completed successfully.")
	idle := s.proxy.retire(s.proxy.target(web))
	s.mu.Lock()
	e := &s.state.Env
	old := e.Instance
	inst.Status, inst.Deployed = deploymentDone, s.clock.now()
	e.Instance, e.Candidate, e.Before = inst, nil, nil
	if old != nil {
		e.Retiring = append(e.Retiring, *old)
		s.updateEvent(u, "INFO", "Deployment succeeded. Terminating old instances and temporary Auto Scaling group.")
	}
	s.keep()
	s.mu.Unlock()
	if old != nil {
		drain(ctx, idle)
		s.clearRetiring(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setHealth("Ok")
	if u.newLabel {
		s.updateEvent(u, "INFO", "New application version was deployed to running EC2 instances.")
	} else {
		s.updateEvent(u, "INFO", "Successfully deployed new configuration to environment.")
	}
	s.updateEvent(u, "INFO", "Environment update completed successfully.")
	s.ready()
}

func drain(ctx context.Context, idle <-chan struct{}) {
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	select {
	case <-idle:
	case <-ctx.Done():
	}
}

// ready ends an update; the caller holds the lock.
func (s *Server) ready() {
	s.state.Env.Status, s.state.Env.Updated = statusReady, s.clock.now()
	s.abort = nil
	s.keep()
}

// clearRetiring removes the instances that are out of service. What can't be
// removed now is tried again at the next start.
func (s *Server) clearRetiring(ctx context.Context) {
	s.mu.Lock()
	retiring := s.state.Env.Retiring
	s.mu.Unlock()
	var left []instance
	for _, i := range retiring {
		if err := s.discard(ctx, &i); err != nil {
			s.logf("%v", err)
			left = append(left, i)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Env.Retiring = left
	s.keep()
}

// discard removes an instance and its directory.
func (s *Server) discard(ctx context.Context, i *instance) error {
	if err := s.runner.Remove(ctx, i.Name); err != nil {
		return fmt.Errorf("remove instance %s (%s): %w", i.ID, i.Name, err)
	}
	return os.RemoveAll(s.home(i))
}

// revert removes the new instance and puts back what was before the update.
func (s *Server) revert(ctx context.Context, u update, inst *instance, reason error) {
	s.rememberFailure(ctx, inst)
	s.tell(u, inst, reason)
	if err := s.discard(ctx, inst); err != nil {
		s.say(u, "WARN", err.Error())
	}
	s.mu.Lock()
	old := s.state.Env.Instance
	s.mu.Unlock()
	var seen verdict
	if old != nil {
		seen = s.look(ctx, old)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	causes := s.state.Env.Causes
	s.restore()
	if old == nil {
		s.setHealth("Severe", causes...)
	} else {
		s.reflect(seen)
	}
	s.ready()
}

// restore puts back what the update changed; the caller holds the lock.
func (s *Server) restore() {
	e := &s.state.Env
	if e.Before != nil {
		e.Label, e.Settings = e.Before.Label, e.Before.Settings
	}
	e.Candidate, e.Before = nil, nil
}

// tell says why an update failed, in events and in the health.
func (s *Server) tell(u update, inst *instance, reason error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if errors.Is(reason, errAborted) {
		s.updateEvent(u, "ERROR", "The environment update was aborted: the instance that was being launched is removed, the version before stays.")
		return
	}
	causes := []string{reason.Error()}
	var t troubles
	if errors.As(reason, &t) {
		causes = t
	}
	for _, cause := range causes {
		s.updateEvent(u, "ERROR", fmt.Sprintf("[Instance: %s] Command failed on instance. %s", inst.ID, cause))
	}
	s.setHealth("Degraded", causes...)
	s.updateEvent(u, "INFO", "Command execution completed on all instances. Summary: [Successful: 0, Failed: 1].")
	s.updateEvent(u, "ERROR", fmt.Sprintf("Unsuccessful command execution on instance id(s) '%s'. Aborting the operation.", inst.ID))
	s.updateEvent(u, "ERROR", "Failed to deploy application.")
}
