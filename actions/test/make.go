package test

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// making is an image on its way.
type making struct {
	*session
	service service
	started time.Time
	output  io.WriteCloser
	// ctx and watch are those of what goes on now.
	ctx   context.Context
	watch *watch
	over  bool
	made  made
}

// makeImages makes the image of every service present, all side by side but
// those that start from another one's. What fails is the service's own error.
func (s *session) makeImages(ctx context.Context) map[string]made {
	s.log.Group("Build and pull the images")
	defer s.log.EndGroup()
	all := map[string]*making{}
	var builds []*making
	var group errgroup.Group
	for _, name := range s.plan.order {
		one := &making{session: s, service: s.plan.services[name], started: time.Now(), output: s.log.Writer(name + " | ")}
		all[name] = one
		if one.service.build != nil {
			builds = append(builds, one)
			continue
		}
		group.Go(func() error {
			one.pull(ctx)
			return nil
		})
	}
	s.build(ctx, builds)
	_ = group.Wait() // the images have the errors
	images := map[string]made{}
	for name, one := range all {
		images[name] = one.made
	}
	return images
}

func (m *making) pull(ctx context.Context) {
	name := m.service.image.String()
	ctx = m.begin(ctx, m.plan.idle, "pulling the image "+name)
	m.end(name, m.pullOften(ctx, name))
}

// A pull is tried again after a while where the registry or the line to it may
// do better.
const (
	pullTries = 3
	pullPause = 2 * time.Second
)

func (m *making) pullOften(ctx context.Context, name string) error {
	for try := 1; ; try++ {
		err := m.eng.Pull(ctx, name, m.service.container.Platform, m.service.image.Registry, m.logins.Lookup, m)
		if err == nil || try == pullTries || ctx.Err() != nil || !engine.Transient(err) {
			return err
		}
		_, _ = fmt.Fprintf(m, "try %d of %d: %v; once more\n", try, pullTries, err)
		select {
		case <-time.After(time.Duration(try) * pullPause):
		case <-ctx.Done():
		}
	}
}

// build builds on one connection, over which a folder that several images are
// made of is sent once.
func (s *session) build(ctx context.Context, builds []*making) {
	if len(builds) == 0 {
		return
	}
	images := make([]engine.Image, len(builds))
	var group errgroup.Group
	for i, one := range builds {
		one.begin(ctx, 0, "waiting for the images that its own starts from")
		group.Go(func() error {
			var err error
			images[i], err = one.image()
			return err
		})
	}
	err := group.Wait()
	if err == nil {
		_, err = s.builder.Build(ctx, images, s.logins.Lookup)
	}
	for _, one := range builds {
		if !one.over { // it was not even begun
			one.end("", err)
		}
	}
}

// image is what is to be built. A container is made of its ID, which no other
// run can move as it can a name.
func (m *making) image() (engine.Image, error) {
	build, err := m.cached(m.ctx, m.service)
	return engine.Image{
		Build: build, Repository: m.plan.repository, Names: []string{m.service.image.String()}, Secrets: m.service.secrets, Output: m,
		Begin: func(ctx context.Context) context.Context { return m.begin(ctx, m.plan.idle, "building its image") },
		Ended: func(built engine.Built, err error) { m.end(built.ID, err) },
	}, err
}

// begin watches over what begins. A wait for other images is no silence of
// this one's.
func (m *making) begin(ctx context.Context, idle time.Duration, doing string) context.Context {
	if m.watch != nil {
		m.watch.stop()
	}
	m.ctx, m.watch = newWatch(ctx, idle)
	m.watch.now(doing)
	return m.ctx
}

func (m *making) Write(text []byte) (int, error) {
	return io.MultiWriter(m.output, m.watch).Write(text)
}

// end notes what came of it: an image that the engine knows by a name or ID.
func (m *making) end(id string, err error) {
	defer m.watch.stop()
	if err == nil {
		m.made.ImageConfig, err = m.eng.Inspect(m.ctx, id)
	}
	err = m.located(registry.ExplainEngine(err))
	if ended := limitOf(m.ctx); err != nil && ended != nil {
		m.made.ended = ended
		err = m.watch.explain(ended)
	}
	m.made.err = errors.Join(err, m.output.Close())
	m.made.took, m.over = time.Since(m.started), true
}

// located gives a build that failed at a step the step's place.
func (m *making) located(err error) error {
	var failed *engine.BuildError
	if errors.As(err, &failed) && failed.Line > 0 {
		return failed.Build.AtLine(m.plan.workspace, failed.Line, err)
	}
	return err
}

// plain is a build without what a suite has no use for: it runs once, on this
// machine, and nobody asks where its image comes from.
func plain(build compose.Build) compose.Build {
	build.Provenance, build.SBOM = "", ""
	if len(build.Platforms) > 1 {
		build.Platforms = nil
	}
	return build
}

// within is a build with those of the source's caches that the engine has.
func (s *session) within(one service) compose.Build {
	build := *one.build
	build.CacheFrom, build.CacheTo = s.host.OnEngine(build.CacheFrom, build.CacheTo)
	return build
}

// cached adds to a build the caches that the step uses, after those of the
// source.
func (s *session) cached(ctx context.Context, one service) (compose.Build, error) {
	build := s.within(one)
	from, to, err := s.cache.For(s.host, cache.Image{
		Service: one.name, Role: cache.Test, Name: one.repository, Tags: s.present(ctx, one),
	})
	build.CacheFrom = append(build.CacheFrom, from...)
	build.CacheTo = append(cache.Optional(build.CacheTo), to...)
	return build, err
}

// present are the tags of images that were pushed before, as far as there are
// any.
func (s *session) present(ctx context.Context, one service) []string {
	if one.repository.Repository == "" || !s.cache.ReadsImages(s.host) {
		return nil
	}
	return s.registry.Present(ctx, one.repository, s.plan.tags)
}
