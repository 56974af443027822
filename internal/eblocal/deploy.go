package eblocal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	// pollEvery is the pause between two looks at an instance that is starting.
	pollEvery = 500 * time.Millisecond
	// probeTimeout is how long an instance may take to answer a health check.
	probeTimeout = 5 * time.Second
	// drainTimeout is how long requests in flight keep the old instance alive.
	drainTimeout = 10 * time.Second
)

// troubles are the reasons why an instance is not taken into service.
type troubles []string

func (t troubles) Error() string { return strings.Join(t, " ") }

// deploy launches the instance and puts it in service, or removes it again.
func (s *Server) deploy(ctx context.Context, u update, inst *instance) {
	s.say(u, "INFO", "Immutable deployment policy enabled. Launching one instance with the new settings to verify health.")
	web, err := s.launch(ctx, u, inst)
	after, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanupTimeout)
	defer cancel()
	if err == nil {
		s.promote(after, u, inst, web)
		return
	}
	if errors.Is(context.Cause(ctx), errAborted) {
		err = errAborted
	}
	s.revert(after, u, inst, err)
}

// launch unpacks the bundle, starts it and waits until it is healthy. It returns
// the address of the instance's port 80.
func (s *Server) launch(ctx context.Context, u update, inst *instance) (string, error) {
	p, err := s.prepare(u, inst)
	if err != nil {
		return "", troubles{err.Error()}
	}
	s.mu.Lock()
	inst.Expect = p.expect
	for _, w := range p.warnings {
		s.updateEvent(u, "WARN", w)
	}
	s.keep()
	s.mu.Unlock()
	s.say(u, "INFO", fmt.Sprintf("Added instance [%s] to your environment.", inst.ID))
	launch := p.launch
	launch.Warning = func(text string) { s.say(u, "WARN", text) }
	if err := s.runner.Start(ctx, launch); err != nil {
		return "", s.stillborn(ctx, inst, err)
	}
	return s.await(ctx, inst)
}

// stillborn says why an instance did not start: what its containers tell comes
// before what the command said, which often is only what followed from it.
func (s *Server) stillborn(ctx context.Context, inst *instance, err error) error {
	if ctx.Err() != nil {
		return troubles{ended(ctx)}
	}
	containers, _ := s.runner.Containers(ctx, inst.Name)
	var reasons troubles
	for _, c := range containers {
		failed, _ := inst.Expect.complaint(c)
		reasons = appendNonEmpty(reasons, failed)
	}
	return append(reasons, err.Error())
}
