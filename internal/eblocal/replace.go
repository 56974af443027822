package eblocal

import (
	"context"
	"fmt"
	"time"
)

func (s *Server) deployImmutable(ctx context.Context, u update) error {
	group := "awseb-" + u.env.ID + "-immutable-stack-AWSEBAutoScalingGroup"
	s.say(u, "INFO", "Immutable deployment policy enabled. Launching one instance with the new settings to verify health.")
	s.say(u, "INFO", "Created temporary auto scaling group "+group+".")
	if err := s.launchNew(ctx, u, 1); err != nil {
		return err
	}
	if rest := u.size - 1; rest > 0 {
		s.say(u, "INFO", "Test instance passed health checks. Launching remaining new instances.")
		if err := s.launchNew(ctx, u, rest); err != nil {
			return err
		}
	}
	s.say(u, "INFO", "Detached new instance(s) from temporary auto scaling group "+group+".")
	s.say(u, "INFO", "Attached new instance(s) to the permanent auto scaling group "+u.env.group()+".")
	return s.supersede(ctx, u, s.instances(u))
}

// conclude makes an update one that can't be aborted any more, unless it was.
func (s *Server) conclude(u update) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.env.Status == statusAborting {
		return errAborted
	}
	u.env.Ending = true
	return nil
}

// supersede puts the new instances in the old ones' place.
func (s *Server) supersede(ctx context.Context, u update, old []*instance) error {
	if err := s.conclude(u); err != nil {
		return err
	}
	s.join(u)
	if len(old) > 0 {
		s.say(u, "INFO", "Deployment succeeded. Terminating old instances and temporary Auto Scaling group.")
		s.dismiss(ctx, u, old)
	}
	return nil
}

func (s *Server) deploySplitting(ctx context.Context, u update) error {
	old := s.instances(u)
	if len(old) == 0 {
		return s.deployAllAtOnce(ctx, u)
	}
	s.say(u, "INFO", "TrafficSplitting deployment policy enabled. Launching a full set of new instances with the new settings.")
	if err := s.launchNew(ctx, u, len(old)); err != nil {
		return err
	}
	percent := numberOf(u.settings, splittingNamespace, "NewVersionPercent")
	span := time.Duration(numberOf(u.settings, splittingNamespace, "EvaluationTime")) * time.Minute
	s.say(u, "INFO", fmt.Sprintf("Sending %d%% of the traffic to the new instances for %d minutes.", percent, int(span.Minutes())))
	if err := s.evaluate(ctx, u, percent, span); err != nil {
		s.mu.Lock()
		idle := s.route(u.env)
		s.mu.Unlock()
		s.say(u, "INFO", "Sending all traffic to the old instances again.")
		s.drain(context.WithoutCancel(ctx), idle)
		return err
	}
	return s.supersede(ctx, u, old)
}

// evaluate sends a part of the traffic to the new instances and watches them.
func (s *Server) evaluate(ctx context.Context, u update, percent int, span time.Duration) error {
	s.mu.Lock()
	fresh := u.env.Fresh
	u.env.proxy.split(percent, addresses(fresh), addresses(u.env.Instances))
	until := s.clock.now().Add(span)
	s.mu.Unlock()
	for s.clock.now().Before(until) {
		if !sleep(ctx, s.clock.wall(min(s.opts.Watch, span))) {
			return context.Cause(ctx)
		}
		var failed failures
		for _, i := range fresh {
			if v := s.look(ctx, i); len(v.Failed) > 0 || v.Silent != "" {
				failed = append(failed, failedInstance{i, v.complaints()})
			}
		}
		if failed != nil && ctx.Err() == nil {
			return failed
		}
	}
	return nil
}
