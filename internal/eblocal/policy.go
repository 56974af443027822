package eblocal

import (
	"context"
	"fmt"
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
	s.dismiss(ctx, u, extra)
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
