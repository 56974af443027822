package buildpush

import (
	"context"
	"maps"

	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/cache"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/image"
)

// chooseCaches gives every build its caches, after those of the source.
func (s *session) chooseCaches(ctx context.Context, host cache.Host) error {
	if notice := s.plan.cache.Notice(host); notice != "" {
		s.log.Notice("%s", notice)
	}
	present := s.present(ctx, host)
	for i, one := range s.plan.images {
		from, to, err := s.plan.cache.For(host, cache.Image{
			Service: one.build.Service, Role: cache.Build, Name: one.name, Tags: present[i], Pushed: s.plan.push,
		})
		if err != nil {
			return err // the same for every image
		}
		build := one.build
		build.CacheFrom = append(s.reach(host, one, "cache_from", one.build.CacheFrom), s.plainly(from)...)
		build.CacheTo = s.reach(host, one, "cache_to", one.build.CacheTo)
		if !s.plan.push {
			build.CacheTo = cache.Optional(build.CacheTo)
		}
		build.CacheTo = append(build.CacheTo, s.plainly(to)...)
		s.builds = append(s.builds, build)
	}
	return nil
}

// reach is the caches of the source with what it takes to reach them. One in
// GitHub's cache service is left out where there is none, as under act: the
// image is the same without.
func (s *session) reach(host cache.Host, one planned, key string, caches []compose.Cache) []compose.Cache {
	reached, missing := host.Reach(caches)
	if missing {
		s.log.Notice("service %q: build.%s: type gha is left out: this runner does not offer GitHub's cache service", one.build.Service, key)
	}
	return s.plainly(reached)
}

// plainly lets caches in a registry be read and written over plain HTTP where
// that is allowed.
func (s *session) plainly(caches []compose.Cache) []compose.Cache {
	var all []compose.Cache
	for _, one := range caches {
		reference, err := image.Parse(one.Attrs["ref"])
		if one.Type == "registry" && err == nil && s.logins.Insecure(reference.In("").Registry) {
			one.Attrs = maps.Clone(one.Attrs)
			one.Attrs["registry.insecure"] = "true"
		}
		all = append(all, one)
	}
	return all
}

// present are the tags that each repository has of those whose images may hold
// steps.
func (s *session) present(ctx context.Context, host cache.Host) [][]string {
	found := make([][]string, len(s.plan.images))
	if !s.plan.cache.ReadsImages(host) {
		return found
	}
	var group errgroup.Group
	for i, one := range s.plan.images {
		group.Go(func() error {
			found[i] = s.registry.Present(ctx, one.name, s.plan.earlier)
			return nil
		})
	}
	_ = group.Wait()
	return found
}
