package eblocal

import (
	"context"
	"errors"
	"fmt"
	"maps"
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
	e.abort = nil
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

// failed says what an update that failed leaves behind.
func (s *Server) failed(u update, aborted, hidden bool) {
	switch {
	case hidden:
		s.updateEvent(u, "INFO", "New application version was deployed to running EC2 instances.")
		s.updateEvent(u, "INFO", "Environment update completed successfully.")
	case aborted:
		s.updateEvent(u, "ERROR", "The environment update was aborted: what it changed is put back.")
	case u.kind == created:
		s.updateEvent(u, "ERROR", "Create environment operation is complete, but with errors. For more information, see troubleshooting documentation.")
	case !u.newLabel:
		s.updateEvent(u, "ERROR", "Failed to deploy configuration.")
		s.updateEvent(u, "INFO", "The environment was reverted to the previous configuration setting.")
	case inPlace(u.policy) && len(u.env.Instances) > 0:
		s.updateEvent(u, "ERROR", "Failed to deploy application.")
		s.updateEvent(u, "ERROR", "During an aborted deployment, some instances may have deployed the new application version. To ensure all instances are running the same version, re-deploy the appropriate application version.")
	default:
		s.updateEvent(u, "ERROR", "Failed to deploy application.")
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
		u.env.Label, u.env.Settings = u.env.Before.Label, u.env.Before.Settings
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

// rememberFresh keeps the logs of instances that are about to be removed.
func (s *Server) rememberFresh(ctx context.Context, u update) {
	s.mu.Lock()
	fresh := slices.Clone(u.env.Fresh)
	s.mu.Unlock()
	for _, i := range fresh {
		if i.Run.Name != "" {
			s.remember(ctx, u.env, i, i.Run)
		}
	}
}

// remember keeps the logs of a run that is about to be removed.
func (s *Server) remember(ctx context.Context, e *environment, i *instance, r run) {
	logs, err := s.runner.Logs(context.WithoutCancel(ctx), r.Name, tailLines)
	if err != nil {
		logs = map[string]string{"eb-local": "the logs could not be read: " + err.Error()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Failed = append(e.Failed, failure{InstanceID: i.ID, Label: r.Label, Time: s.clock.now(), Logs: maps.Clone(logs)})
	s.keep()
}

// tell says why an update failed, in events and in the health.
func (s *Server) tell(u update, reason error) {
	if errors.Is(reason, errAborted) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var failed failures
	if !errors.As(reason, &failed) {
		s.updateEvent(u, "ERROR", reason.Error())
		s.setHealth(u.env, "Degraded", reason.Error())
		return
	}
	if s.faults.HideFailure && inPlace(u.policy) && len(u.env.Instances) > 0 {
		return
	}
	var causes []string
	s.updateEvent(u, "ERROR", "Instance deployment failed. For details, see 'eb-engine.log'.")
	for _, f := range failed {
		for _, cause := range f.reasons {
			s.updateEvent(u, "ERROR", fmt.Sprintf("[Instance: %s] Command failed on instance. Return code: 1 Output: %s", f.ID, cause))
		}
		causes = append(causes, f.reasons...)
	}
	s.setHealth(u.env, "Degraded", causes...)
	s.updateEvent(u, "INFO", fmt.Sprintf("Command execution completed on all instances. Summary: [Successful: %d, Failed: %d].", u.env.done(u.deployment), len(failed)))
	s.updateEvent(u, "ERROR", fmt.Sprintf("Unsuccessful command execution on instance id(s) '%s'. Aborting the operation.", ids(failed.instances())))
}

// done counts the instances that a deployment got to.
func (e *environment) done(deployment int64) int {
	n := 0
	for _, i := range e.all() {
		if i.DeploymentID == deployment && i.Status == deploymentDone {
			n++
		}
	}
	return n
}
