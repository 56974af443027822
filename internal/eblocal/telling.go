package eblocal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

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
