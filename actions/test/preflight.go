package test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/cache"
)

// preflight refuses, before anything is made, what the engine or the runner
// can't do.
func (s *session) preflight(ctx context.Context) error {
	problems := []error{s.checkNetwork(ctx)}
	for _, name := range s.plan.order {
		if err := s.eng.Check(s.plan.services[name].container); err != nil {
			problems = append(problems, fmt.Errorf("service %q: %w", name, err))
		}
	}
	if len(s.plan.built()) > 0 {
		problems = append(problems, s.checkBuilds(ctx))
	}
	return errors.Join(problems...)
}

func (s *session) checkBuilds(ctx context.Context) error {
	var err error
	if s.builder, err = s.eng.Builder(ctx); err != nil {
		return err
	}
	if notice := s.cache.Notice(s.host); notice != "" {
		s.log.Notice("%s", notice)
	}
	_, _, err = s.cache.For(s.host, cache.Image{})
	problems := []error{err}
	for _, name := range s.plan.order {
		if one := s.plan.services[name]; one.build != nil {
			build := s.within(one)
			if out := len(one.build.CacheFrom) + len(one.build.CacheTo) - len(build.CacheFrom) - len(build.CacheTo); out > 0 {
				s.log.Notice("service %q: %d of the caches in build.cache_from and build.cache_to are left out: this engine or runner has none of their kind, and the image is the same without", name, out)
			}
			problems = append(problems, s.builder.Refusals(build))
		}
	}
	return errors.Join(problems...)
}

// checkNetwork looks for the network that the containers are to join.
func (s *session) checkNetwork(ctx context.Context) error {
	if s.plan.network == "" {
		return nil
	}
	found, err := s.eng.HasNetwork(ctx, s.plan.network)
	if found || err != nil {
		return err
	}
	there, err := s.eng.Networks(ctx)
	if err != nil {
		return err
	}
	there = slices.DeleteFunc(there, func(name string) bool { return strings.HasPrefix(name, ownNames) })
	return action.BadInput("network", "the engine has no network %q that a container could join beside its own; there are: %s", s.plan.network, strings.Join(there, ", "))
}

// close ends the connections.
func (s *session) close(ctx context.Context) {
	if s.builder != nil {
		_ = s.builder.Close(ctx)
	}
	_ = s.eng.Close()
}
