package eblocal

import (
	"context"
	"slices"
)

func (s *Server) terminateEnvironment(c *call) (any, error) {
	e, err := s.named(c)
	if err != nil {
		return nil, err
	}
	if e.Status != statusReady {
		return nil, invalidValue("Environment named %s is in an invalid state for this operation. Must be Ready.", e.Name)
	}
	s.terminate(e, c.id)
	return s.describeEnvironment(e), nil
}

// terminate removes an environment beside the caller, who holds the lock.
func (s *Server) terminate(e *environment, requestID string) {
	u := update{env: e, requestID: requestID}
	s.updateEvent(u, "INFO", "terminateEnvironment is starting.")
	e.Status, e.Updated = statusTerminating, s.clock.now()
	s.keep()
	s.runs.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(s.ctx), cleanupTimeout)
		defer cancel()
		s.terminated(ctx, u)
	})
}

// terminated ends the removal of an environment.
func (s *Server) terminated(ctx context.Context, u update) {
	s.say(u, "INFO", "Waiting for EC2 instances to terminate. This may take a few minutes.")
	s.mu.Lock()
	all := slices.Clone(u.env.all())
	s.mu.Unlock()
	s.retire(ctx, u, all)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := u.env
	e.Status, e.Updated, e.Listen = statusTerminated, s.clock.now(), ""
	e.Health, e.HealthStatus, e.Causes = "Grey", "Unknown", nil
	e.Settings, e.Failed, e.Infos = nil, nil, nil
	_ = e.front.Close()
	s.updateEvent(u, "INFO", "terminateEnvironment completed successfully.")
}
