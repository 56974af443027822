package test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/cache"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/registry"
)

// made is the image of a service.
type made struct {
	engine.ImageConfig
	took time.Duration
	// ended is the limit that it did not make in time.
	ended *limit
	err   error
}

// makeImages makes the image of every service present, all side by side. What
// fails is the service's own error.
func (s *session) makeImages(ctx context.Context) (map[string]made, error) {
	s.log.Group("Build and pull the images")
	defer s.log.EndGroup()
	images := make([]made, len(s.plan.order))
	var group errgroup.Group
	for i, name := range s.plan.order {
		output := s.log.Writer(name + " | ")
		group.Go(func() error {
			images[i] = s.makeImage(ctx, s.plan.services[name], output)
			return output.Close()
		})
	}
	err := group.Wait()
	all := map[string]made{}
	for i, name := range s.plan.order {
		all[name] = images[i]
	}
	return all, err
}

func (s *session) makeImage(ctx context.Context, one service, output io.Writer) made {
	started := time.Now()
	ctx, watch := newWatch(ctx, s.plan.idle)
	defer watch.stop()
	result := made{}
	id, err := s.provide(ctx, one, watch, io.MultiWriter(output, watch))
	if err == nil {
		result.ImageConfig, err = s.eng.Inspect(ctx, id)
	}
	if err != nil && limitOf(ctx) != nil {
		result.ended = limitOf(ctx)
		err = watch.explain(result.ended)
	}
	result.took, result.err = time.Since(started), err
	return result
}

// provide gives what the container is made of: for an image that was built its
// ID, which no other run can move as it can a name.
func (s *session) provide(ctx context.Context, one service, watch *watch, output io.Writer) (string, error) {
	if one.build == nil {
		watch.now("pulling the image " + one.image.String())
		err := s.eng.Pull(ctx, one.image.String(), one.image.Registry, s.logins.Lookup)
		return one.image.String(), registry.ExplainEngine(err)
	}
	watch.now("building its image")
	build, err := s.cached(ctx, one)
	if err != nil {
		return "", err
	}
	built, err := s.eng.Build(ctx, []engine.Image{{
		Build: build, Names: []string{one.image.String()}, Secrets: one.secrets, Output: output,
	}}, s.logins.Lookup)
	return built[0].ID, registry.ExplainEngine(err)
}

// cached adds to a build the caches that the step uses, after those of the
// source.
func (s *session) cached(ctx context.Context, one service) (compose.Build, error) {
	build := *one.build
	// A suite runs once, on this machine, and nobody asks where its image comes
	// from.
	build.Provenance, build.SBOM = "", ""
	if len(build.Platforms) > 1 {
		build.Platforms = nil
	}
	from, to, err := s.cache.For(s.host, cache.Image{
		Service: one.name, Role: cache.Test, Name: one.repository, Tags: s.present(ctx, one),
	})
	build.CacheFrom = append(slices.Clone(build.CacheFrom), from...)
	build.CacheTo = append(slices.Clone(build.CacheTo), to...)
	return build, err
}

// present are the tags of images that were pushed before, as far as there are
// any.
func (s *session) present(ctx context.Context, one service) []string {
	if one.repository.Repository == "" || s.cache.Cache == cache.None {
		return nil
	}
	return s.registry.Present(ctx, one.repository, s.plan.tags)
}

// checkCommand refuses a container that has nothing to run, before any is
// started.
func checkCommand(one service, image made) error {
	if len(one.container.Entrypoint)+len(one.container.Command)+len(image.Entrypoint)+len(image.Command) > 0 {
		return nil
	}
	return errors.New("has no command, and its image has neither CMD nor ENTRYPOINT; give the service a command")
}

// checkHealth refuses a wait for the health of a container that has no check.
func checkHealth(one service, image made) error {
	switch health := one.container.Health; {
	case health != nil && len(health.Test) > 0 && health.Test[0] == "NONE":
		return errors.New("is waited for to be healthy, and its healthcheck is disabled; enable it, or wait for service_started")
	case health != nil && len(health.Test) > 0, image.Health:
		return nil
	}
	return errors.New("is waited for to be healthy, and neither the service nor its image has a healthcheck; give it one, or wait for service_started")
}

// ready tells why a suite can't be run with the images that there are.
func (s *session) ready(one suite, images map[string]made) error {
	var problems []error
	for _, name := range append(one.needs, one.name) {
		service := s.plan.services[name]
		err := images[name].err
		if err == nil {
			err = checkCommand(service, images[name])
		}
		if err != nil {
			problems = append(problems, about(one, name, err))
			continue
		}
		for _, need := range service.needs {
			if need.condition == healthy && images[need.service].err == nil {
				if err := checkHealth(s.plan.services[need.service], images[need.service]); err != nil {
					problems = append(problems, about(one, need.service, err))
				}
			}
		}
	}
	return errors.Join(problems...)
}

// about names what an error of a suite is about.
func about(one suite, name string, err error) error {
	if name == one.name {
		return fmt.Errorf("suite %q: %w", one.name, err)
	}
	return fmt.Errorf("suite %q: %s: %w", one.name, name, err)
}

// kept are the names of the images that stay, by service.
func (s *session) kept(images map[string]made) map[string]string {
	names := map[string]string{}
	for name, one := range s.plan.services {
		if s.plan.keep && one.build != nil && images[name].err == nil {
			names[name] = one.image.String()
		}
	}
	return names
}
