package eblocal

import (
	"context"
	"fmt"
	"time"
)

// The deployment policies.
const (
	allAtOnce       = "AllAtOnce"
	rolling         = "Rolling"
	additionalBatch = "RollingWithAdditionalBatch"
	immutable       = "Immutable"
	splitting       = "TrafficSplitting"
)

// policies bring a version to an environment's instances. One that fails leaves
// in the environment what it leaves on AWS; who calls it removes the instances
// that it launched.
var policies = map[string]func(*Server, context.Context, update) error{
	allAtOnce:       (*Server).deployAllAtOnce,
	rolling:         (*Server).deployRolling,
	additionalBatch: (*Server).deployWithAdditionalBatch,
	immutable:       (*Server).deployImmutable,
	splitting:       (*Server).deploySplitting,
}

// inPlace are the policies that change the instances there are, which then keep
// what failed.
func inPlace(policy string) bool {
	return policy == allAtOnce || policy == rolling || policy == additionalBatch
}

func (s *Server) deployAllAtOnce(ctx context.Context, u update) error {
	s.say(u, "INFO", "Deploying new version to instance(s).")
	instances := s.instances(u)
	if len(instances) == 0 {
		return s.launchFirst(ctx, u)
	}
	err := s.bringAll(ctx, u, instances)
	if err == nil {
		s.say(u, "INFO", "Instance deployment completed successfully.")
	}
	return err
}

func (s *Server) deployRolling(ctx context.Context, u update) error {
	s.say(u, "INFO", "Deploying new version to instance(s).")
	instances := s.instances(u)
	if len(instances) == 0 {
		return s.launchFirst(ctx, u)
	}
	return s.roll(ctx, u, instances)
}

func (s *Server) deployWithAdditionalBatch(ctx context.Context, u update) error {
	instances := s.instances(u)
	if len(instances) == 0 {
		return s.deployAllAtOnce(ctx, u)
	}
	n := u.batch(len(instances))
	s.say(u, "INFO", fmt.Sprintf("Rolling with additional batch deployment policy enabled. Launching a new batch of %d additional instance(s).", n))
	if err := s.launchNew(ctx, u, n); err != nil {
		return err
	}
	extra := s.join(u)
	err := s.roll(ctx, u, instances)
	s.retire(context.WithoutCancel(ctx), u, extra)
	return err
}

// batch is how many of n instances change at once.
func (u update) batch(n int) int {
	size := numberOf(u.settings, commandNamespace, "BatchSize")
	if valueOf(u.settings, commandNamespace, "BatchSizeType") != "Fixed" {
		size = (n*size + 99) / 100
	}
	return max(1, min(size, n))
}

// roll deploys to instances batch by batch, and stops at the first that fails.
func (s *Server) roll(ctx context.Context, u update, instances []*instance) error {
	size, done := u.batch(len(instances)), 0
	for n := 1; done < len(instances); n++ {
		batch := instances[done:min(done+size, len(instances))]
		say := func(text string) { s.say(u, "INFO", fmt.Sprintf("Batch %d: ", n)+text) }
		say("Starting application deployment on instance(s) [" + ids(batch) + "].")
		say("De-registering instance(s) from the load balancer and waiting for them to go out of service.")
		s.register(ctx, u, batch, false)
		say("Starting application deployment command execution.")
		if err := s.bringAll(ctx, u, batch); err != nil {
			return err
		}
		done += len(batch)
		s.say(u, "INFO", "Instance deployment completed successfully.")
		say("Completed application deployment command execution.")
		s.say(u, "INFO", fmt.Sprintf("Command execution completed on %d of %d instances in environment.", done, len(instances)))
		say("Registering instance(s) with the load balancer and waiting for them to be healthy.")
		s.register(ctx, u, batch, true)
		say("Completed application deployment.")
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return nil
}

// register puts instances behind the load balancer, or takes them away and waits
// until they have answered what they were asked.
func (s *Server) register(ctx context.Context, u update, batch []*instance, in bool) {
	s.mu.Lock()
	for _, i := range batch {
		i.Out = !in
	}
	idle := s.route(u.env)
	s.keep()
	s.mu.Unlock()
	s.drain(ctx, idle)
}

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
	old := s.instances(u)
	s.join(u)
	if len(old) > 0 {
		s.say(u, "INFO", "Deployment succeeded. Terminating old instances and temporary Auto Scaling group.")
		s.retire(context.WithoutCancel(ctx), u, old)
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
	s.join(u)
	s.say(u, "INFO", "Deployment succeeded. Terminating old instances and temporary Auto Scaling group.")
	s.retire(context.WithoutCancel(ctx), u, old)
	return nil
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
