package eblocal

import (
	"context"
	"slices"
	"strconv"
)

// instances are those that belong to the environment.
func (s *Server) instances(u update) []*instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(u.env.Instances)
}

// launchFirst launches all instances of an environment that has none.
func (s *Server) launchFirst(ctx context.Context, u update) error {
	if err := s.launchNew(ctx, u, u.size); err != nil {
		return err
	}
	s.join(u)
	return nil
}

// launchNew launches instances, which are not in service yet when they are
// healthy.
func (s *Server) launchNew(ctx context.Context, u update, n int) error {
	s.mu.Lock()
	var launched []*instance
	for range n {
		launched = append(launched, s.newInstance())
	}
	u.env.Fresh = append(u.env.Fresh, launched...)
	s.mu.Unlock()
	if err := s.bringAll(ctx, u, launched); err != nil {
		return err
	}
	s.say(u, "INFO", "Instance deployment completed successfully.")
	list := ids(launched)
	s.say(u, "INFO", "Adding new instance(s) ("+list+") to the load balancer.")
	s.say(u, "INFO", "Waiting for instance(s) ("+list+") to pass health checks.")
	s.say(u, "INFO", "Added "+plural(n, "instance")+" ["+list+"] to your environment.")
	return nil
}

func plural(n int, noun string) string {
	if n == 1 {
		return noun
	}
	return noun + "s"
}

func count(n int, noun string) string { return strconv.Itoa(n) + " " + plural(n, noun) }

// join takes the launched instances into service, and returns them.
func (s *Server) join(u update) []*instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := u.env.Fresh
	u.env.Instances, u.env.Fresh = append(slices.Clone(u.env.Instances), fresh...), nil
	s.route(u.env)
	s.keep()
	return fresh
}

// retire takes instances out of service and removes them.
func (s *Server) retire(ctx context.Context, u update, instances []*instance) {
	s.mu.Lock()
	e := u.env
	gone := func(i *instance) bool { return slices.Contains(instances, i) }
	e.Instances = slices.DeleteFunc(slices.Clone(e.Instances), gone)
	e.Fresh = slices.DeleteFunc(slices.Clone(e.Fresh), gone)
	idle := s.route(e)
	for _, i := range instances {
		e.Retiring = append(e.Retiring, i.Run)
	}
	s.keep()
	s.mu.Unlock()
	s.drain(ctx, idle)
	s.clearRetiring(ctx, e)
}

// dismiss retires instances that did their duty.
func (s *Server) dismiss(ctx context.Context, u update, instances []*instance) {
	s.retire(context.WithoutCancel(ctx), u, instances)
	s.say(u, "INFO", "Removed "+plural(len(instances), "instance")+" ["+ids(instances)+"] from your environment.")
}

// clearRetiring removes the runs that are out of service. What can't be removed
// now is tried again at the next start.
func (s *Server) clearRetiring(ctx context.Context, e *environment) {
	s.mu.Lock()
	e.Retiring = slices.DeleteFunc(e.Retiring, func(r run) bool { return r.Name == "" })
	retiring := slices.Clone(e.Retiring)
	s.mu.Unlock()
	for _, r := range retiring {
		if err := s.dispose(ctx, e, r); err != nil {
			s.logf("%v", err)
		}
	}
}

// rescale launches or removes instances until there are as many as there should be.
func (s *Server) rescale(ctx context.Context, u update) error {
	have := s.instances(u)
	switch missing := u.size - len(have); {
	case missing > 0:
		if err := s.launchNew(ctx, u, missing); err != nil {
			return err
		}
		s.join(u)
	case missing < 0:
		s.dismiss(ctx, u, have[:-missing])
	}
	return nil
}
