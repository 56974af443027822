package eblocal

import (
	"context"
	"time"
)

// resume takes up what an earlier start left: it ends an update that was cut
// off, and looks whether the instance in service still runs.
func (s *Server) resume() {
	ctx, cancel := context.WithTimeout(s.ctx, cleanupTimeout)
	defer cancel()
	s.endCutUpdate(ctx)
	s.clearRetiring(ctx)
	s.check(ctx)
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

// refresh deploys the version in service anew when this start set other
// environment properties than it runs with.
func (s *Server) refresh() {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := &s.state.Env
	v := s.state.version(e.App, e.Label)
	if !s.stale || e.Instance == nil || v == nil {
		return
	}
	u := update{requestID: newRequestID(), version: *v}
	s.updateEvent(u, "INFO", "Environment update is starting.")
	e.Before = &snapshot{Label: e.Label, Settings: e.Settings, RequestID: u.requestID}
	e.Status = statusUpdating
	s.start(u)
}

// watch looks at the instance in service until the server closes.
func (s *Server) watch() {
	tick := time.NewTicker(s.opts.Watch)
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
	v, err := s.examine(ctx, inst)
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		v.Failed = []string{"The instance can't be examined: " + err.Error()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state.Env.Instance != inst || s.state.Env.Status != statusReady {
		return
	}
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
