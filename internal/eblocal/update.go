package eblocal

import (
	"context"
	"errors"
	"slices"
)

// errAborted ends an update that AbortEnvironmentUpdate was called for.
var errAborted = errors.New("the update was aborted")

// update is one deployment.
type update struct {
	requestID string
	version   version // what to run
	newLabel  bool    // a version is deployed, not only settings
}

func (s *Server) updateEnvironment(c *call) (any, error) {
	u, settings, err := s.newUpdate(c)
	if err != nil {
		return nil, err
	}
	e := &s.state.Env
	if c.has("Description") {
		e.Description = c.str("Description")
	}
	e.Updated = s.clock.now()
	s.updateEvent(u, "INFO", "Environment update is starting.")
	if u.version.Label == "" {
		e.Settings = settings
		s.updateEvent(u, "INFO", "Environment update completed successfully.")
		return s.describeEnvironment(), nil
	}
	e.Before = &snapshot{Label: e.Label, Settings: e.Settings, RequestID: c.id}
	e.Label, e.Settings, e.Status, e.Accepted = u.version.Label, settings, statusUpdating, s.clock.now()
	s.start(u)
	answer := s.describeEnvironment()
	answer.Status, answer.AbortableOperationInProgress = e.Status, true // the answer itself is never late
	return answer, nil
}

// newUpdate checks what is asked for. An update with nothing to run has no version.
func (s *Server) newUpdate(c *call) (update, []setting, error) {
	u := update{requestID: c.id, newLabel: c.has("VersionLabel")}
	if err := s.named(c); err != nil {
		return u, nil, err
	}
	e := &s.state.Env
	if e.Status != statusReady {
		return u, nil, invalidValue("Environment named %s is in an invalid state for this operation. Must be Ready.", e.Name)
	}
	if c.has("SolutionStackName") && c.str("SolutionStackName") != s.solutionStack() ||
		c.has("PlatformArn") && c.str("PlatformArn") != s.platformArn() {
		return u, nil, invalidValue("The platform of an environment can't be changed here; it is %s.", s.platformArn())
	}
	settings, err := s.newSettings(c)
	if err != nil {
		return u, nil, err
	}
	label := c.str("VersionLabel")
	if !u.newLabel && !slices.Equal(settings, e.Settings) {
		label = e.Label
	}
	if label == "" && !u.newLabel {
		return u, settings, nil
	}
	v := s.state.version(e.App, label)
	if v == nil {
		return u, nil, invalidValue("No Application Version named '%s' found.", label)
	}
	if v.Status == versionFailed || v.Status == versionProcessing {
		return u, nil, invalidValue("Application version %s is unusable and cannot be used with an environment", label)
	}
	u.version = *v
	return u, settings, nil
}

// start deploys beside the caller, who holds the lock.
func (s *Server) start(u update) {
	ctx, cancel := context.WithCancelCause(s.ctx)
	s.abort = cancel
	inst := s.newInstance(u.version.Label)
	s.state.Env.Candidate = inst
	if s.state.Env.Instance != nil {
		s.setHealth("Info", "Application update in progress.")
	} else {
		s.setHealth("Pending", "The first instance is being launched.")
	}
	timeout := s.state.Env.commandTimeout()
	s.keep()
	s.makeNoise(s.state.Env.App, s.state.Env.Name)
	s.runs.Go(func() {
		defer cancel(nil)
		ctx, stop := context.WithTimeout(ctx, s.clock.wall(timeout))
		defer stop()
		s.deploy(ctx, u, inst)
	})
}

// updateEvent records an event of an update; the caller holds the lock.
func (s *Server) updateEvent(u update, severity, message string) {
	s.event(event{App: s.opts.App, Env: s.opts.Env, Label: u.version.Label,
		RequestID: u.requestID, Severity: severity, Message: message})
}

// say is updateEvent for who does not hold the lock.
func (s *Server) say(u update, severity, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updateEvent(u, severity, message)
}

func (s *Server) abortEnvironmentUpdate(c *call) (any, error) {
	if err := s.named(c); err != nil {
		return nil, err
	}
	e := &s.state.Env
	if e.Status != statusUpdating {
		return nil, invalidValue("Environment named %s is in an invalid state for this operation. Must be pending deployment.", e.Name)
	}
	e.Status = statusAborting
	s.event(event{App: e.App, Env: e.Name, Severity: "INFO", RequestID: c.id,
		Message: "Environment update is being aborted."})
	s.abort(errAborted)
	return nil, nil
}
