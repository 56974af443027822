package eblocal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// errAborted ends an update that AbortEnvironmentUpdate was called for.
var errAborted = errors.New("the update was aborted")

// update is one deployment to one environment.
type update struct {
	env        *environment
	requestID  string
	kind       updateKind
	version    version // what to run
	newLabel   bool    // a version is deployed, not only settings
	settings   []setting
	policy     string
	platform   string        // its version
	size       int           // instances in the end
	timeout    time.Duration // of the commands of one batch
	deployment int64
}

// updateKind is what an update is part of.
type updateKind int

const (
	changed updateKind = iota // UpdateEnvironment
	created                   // CreateEnvironment
)

// back is the deployment of what was there before.
func (u update) back(st *state) update {
	back := u
	back.version, back.deployment = version{}, 0
	if b := u.env.Before; b != nil {
		if v := st.version(u.env.App, b.Label); v != nil {
			back.version, back.settings, back.deployment = *v, b.Settings, u.env.Deployment
		}
	}
	return back
}

func (s *Server) updateEnvironment(c *call) (any, error) {
	u, err := s.newUpdate(c)
	if err != nil {
		return nil, err
	}
	e := u.env
	if c.has("Description") {
		e.Description = c.str("Description")
	}
	e.Updated = s.clock.now()
	s.updateEvent(u, "INFO", "Environment update is starting.")
	if u.version.Label == "" || !u.newLabel && u.platform == e.Version && !redeploys(e.Settings, u.settings) {
		e.Settings, e.Version = u.settings, u.platform
		s.updateEvent(u, "INFO", "Environment update completed successfully.")
		s.keep()
		return s.describeEnvironment(e), nil
	}
	e.Before = &snapshot{Label: e.Label, Settings: e.Settings, Version: e.Version, RequestID: c.id}
	e.Version = u.platform
	e.Label, e.Settings, e.Status, e.Accepted = u.version.Label, u.settings, statusUpdating, s.clock.now()
	s.start(u)
	answer := s.describeEnvironment(e)
	answer.Status, answer.AbortableOperationInProgress = e.Status, true // the answer itself is never late
	return answer, nil
}

// redeploys tells whether instances must take over a change of settings.
func redeploys(before, after []setting) bool {
	matters := func(settings []setting) []setting {
		return slices.DeleteFunc(allSettings(settings), func(o setting) bool {
			return o.Namespace == commandNamespace || o.Namespace == healthNamespace || o.Namespace == splittingNamespace
		})
	}
	return !slices.Equal(matters(before), matters(after))
}

// newUpdate checks what is asked for. An update with nothing to run has no version.
func (s *Server) newUpdate(c *call) (update, error) {
	u := update{requestID: c.id, newLabel: c.has("VersionLabel")}
	e, err := s.named(c)
	if err != nil {
		return u, err
	}
	u.env = e
	if e.Status != statusReady {
		return u, invalidValue("Environment named %s is in an invalid state for this operation. Must be Ready.", e.Name)
	}
	if u.platform, err = s.newPlatform(c, e); err != nil {
		return u, err
	}
	if u.settings, err = c.newSettings(e.Settings); err != nil {
		return u, err
	}
	if s.faults.Separate && u.newLabel && (u.platform != e.Version || !slices.Equal(u.settings, e.Settings)) {
		return u, invalidCombination("A version and the configuration can't be changed in one update.")
	}
	label := c.str("VersionLabel")
	if !u.newLabel {
		label = e.Label
	}
	if label == "" && !u.newLabel {
		return u, nil
	}
	u.version, err = s.deployable(e.App, label)
	return u, err
}

// newPlatform is the version of its platform that an environment is to have.
func (s *Server) newPlatform(c *call, e *environment) (string, error) {
	if !c.has("SolutionStackName") && !c.has("PlatformArn") {
		return e.Version, nil
	}
	r, err := s.askedPlatform(c)
	if err == nil && r.kind != e.Platform {
		err = invalidValue("The platform of an environment can't be changed to another one, only to another version of it; it is %s.", s.platformArn(e.release()))
	}
	return r.version, err
}

// deployable finds a version that can be deployed.
func (s *Server) deployable(app, label string) (version, error) {
	v := s.state.version(app, label)
	if v == nil {
		return version{}, invalidValue("No Application Version named '%s' found.", label)
	}
	if v.Status == versionFailed || v.Status == versionProcessing {
		return version{}, invalidValue("Application version %s is unusable and cannot be used with an environment", label)
	}
	return *v, nil
}

// start deploys beside the caller, who holds the lock and has set the
// environment's settings.
func (s *Server) start(u update) {
	e := u.env
	e.Deployments++
	e.Failed, e.Hidden = nil, false
	u.settings, u.deployment, u.size = slices.Clone(e.Settings), e.Deployments, sizeOf(e.Settings)
	u.policy = valueOf(u.settings, commandNamespace, "DeploymentPolicy")
	u.timeout = time.Duration(numberOf(u.settings, commandNamespace, "Timeout")) * time.Second
	ctx, cancel := context.WithCancelCause(s.ctx)
	e.abort = cancel
	if len(e.Instances) > 0 {
		n := count(len(e.Instances), "instance")
		s.setHealth(e, "Info", fmt.Sprintf("Application update in progress on %s. 0 out of %s completed (running for 0 seconds).", n, n))
	} else {
		s.setHealth(e, "Pending", "The first instance is being launched.")
	}
	s.keep()
	s.makeNoise(e)
	s.runs.Go(func() {
		defer cancel(nil)
		s.deploy(ctx, u)
	})
}

// updateEvent records an event of an update; the caller holds the lock.
func (s *Server) updateEvent(u update, severity, message string) {
	s.event(event{App: u.env.App, Env: u.env.Name, EnvID: u.env.ID, Label: u.version.Label,
		RequestID: u.requestID, Severity: severity, Message: message})
}

// say is updateEvent for who does not hold the lock.
func (s *Server) say(u update, severity, message string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.updateEvent(u, severity, message)
}

func (s *Server) abortEnvironmentUpdate(c *call) (any, error) {
	e, err := s.named(c)
	if err != nil {
		return nil, err
	}
	if e.Status != statusUpdating || e.Ending {
		return nil, invalidValue("Environment named %s is in an invalid state for this operation. Must be pending deployment.", e.Name)
	}
	e.Status = statusAborting
	s.event(event{App: e.App, Env: e.Name, EnvID: e.ID, Severity: "INFO", RequestID: c.id,
		Message: "Environment update is being aborted."})
	if e.abort != nil {
		e.abort(errAborted)
	}
	return nil, nil
}
