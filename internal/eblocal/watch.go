package eblocal

import (
	"context"
	"maps"
	"slices"
	"time"
)

// resume takes up what an earlier start left: it ends an update that was cut
// off, and looks whether the instance in service still runs.
func (s *Server) resume() {
	ctx, cancel := context.WithTimeout(s.ctx, cleanupTimeout)
	defer cancel()
	s.endProcessing()
	s.endCutUpdate(ctx)
	s.clearRetiring(ctx)
	s.check(ctx)
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

func (s *Server) endCutUpdate(ctx context.Context) {
	s.mu.Lock()
	e := &s.state.Env
	candidate, before := e.Candidate, e.Before
	s.mu.Unlock()
	if candidate == nil {
		return
	}
	u := update{version: version{Label: candidate.Label}}
	if before != nil {
		u.requestID = before.RequestID
	}
	s.revert(ctx, u, candidate, troubles{"The update was cut off: eb-local was stopped."})
}

// refresh sets the environment properties of this start, and deploys the version
// in service anew when it runs with others: those that an update before it put
// back, or that a start set which did not get to deploying them, are others too.
func (s *Server) refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &s.state.Env
	for _, name := range sortedKeys(s.opts.EnvVars) {
		e.set(setting{Namespace: propertyNamespace, Name: name, Value: s.opts.EnvVars[name]})
	}
	s.keep()
	v := s.state.version(e.App, e.Label)
	if e.Instance == nil || v == nil || maps.Equal(properties(e.Instance.Settings), properties(e.Settings)) {
		return
	}
	u := update{requestID: newRequestID(), version: *v}
	s.updateEvent(u, "INFO", "Environment update is starting.")
	e.Before = &snapshot{Label: e.Label, Settings: slices.Clone(e.Instance.Settings), RequestID: u.requestID}
	e.Status = statusUpdating
	s.start(u)
}

// watch looks at the instance in service until the server closes.
func (s *Server) watch() {
	tick := time.NewTicker(s.clock.wall(s.opts.Watch))
	defer tick.Stop()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
			s.check(s.ctx)
		}
	}
}

// check brings health and proxy up to date with the instance in service. While
// an update runs, the update does so.
func (s *Server) check(ctx context.Context) {
	inst := s.inService()
	if inst == nil {
		return
	}
	v := s.look(ctx, inst)
	if ctx.Err() != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Env.Instance != inst || s.state.Env.Status != statusReady {
		return
	}
	s.reflect(v)
}

// look examines an instance that is in service.
func (s *Server) look(ctx context.Context, inst *instance) verdict {
	v, err := s.examine(ctx, inst, true)
	if err != nil {
		v.Failed = []string{"The instance can't be examined: " + err.Error()}
	}
	return v
}

// reflect turns what was seen of the instance in service into health, and sends
// traffic to where it answers; the caller holds the lock.
func (s *Server) reflect(v verdict) {
	if v.Web != "" {
		s.proxy.point(v.Web)
	}
	switch {
	case len(v.Failed) > 0 || v.Silent != "":
		s.setHealth("Severe", v.complaints()...)
	case len(v.Waiting) > 0:
		s.setHealth("Warning", v.Waiting...)
	default:
		s.setHealth("Ok")
	}
}

func (s *Server) inService() *instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Env.Status != statusReady {
		return nil
	}
	return s.state.Env.Instance
}
