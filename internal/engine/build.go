package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	dockerimage "github.com/docker/docker/api/types/image"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/image"
)

// Image is one image to build.
type Image struct {
	Build compose.Build
	// Repository is whose sources these are. A runner has those of all its
	// repositories at one path in turn, and BuildKit takes a file of the same size
	// and time for the one that it was sent before.
	Repository string
	// Names are the references that it gets in the engine.
	Names []string
	// Secrets are what RUN --mount=type=secret may read, by id.
	Secrets map[string][]byte
	// Output takes BuildKit's progress as text.
	Output io.Writer
	// Begin is called when this build begins, which may be after that of an image
	// it starts from. The build has the context that it gives. It may be nil.
	Begin func(context.Context) context.Context
	// Ended is called when this build has ended, while others may go on; it may
	// be nil.
	Ended func(Built, error)
}

// Built is an image that was built.
type Built struct {
	Service string
	// ID is the image's in the engine, or in a builder without a store its
	// digest, "sha256:…".
	ID string
	// Content is what the image is made of, empty for a builder without a store
	// and for an index, which is more than the one image that an engine shows.
	Content image.Content
	// Size is in bytes, uncompressed, 0 if nobody knows.
	Size int64
	// Steps counts the Dockerfile's steps, Cached those that were not run.
	Steps, Cached int
	// Started is when the build began.
	Started  time.Time
	Duration time.Duration
	// Warnings are those of BuildKit's checks.
	Warnings []Warning
}

// LoginFunc gives the login for a registry's host, "" if there is none. It may
// have to ask for it first.
type LoginFunc func(ctx context.Context, host string) (username, password string, err error)

// Build builds images side by side on one connection to BuildKit, each to its
// end: the error tells of all that failed. Bases are pulled with the logins.
func (b *Builder) Build(ctx context.Context, images []Image, logins LoginFunc) ([]Built, error) {
	built := make([]Built, len(images))
	problems := make([]error, len(images))
	for i, one := range images {
		built[i].Service = one.Build.Service
		problems[i] = b.Refusals(one.Build)
	}
	if err := errors.Join(problems...); err != nil {
		return built, err
	}
	open, err := b.openSessions(ctx, images, logins)
	if err != nil {
		return built, err
	}
	ready := newOrder(images)
	var group errgroup.Group
	for i, one := range images {
		group.Go(func() error {
			one, problems[i] = ready.await(ctx, one)
			if problems[i] == nil {
				built[i], problems[i] = b.buildOne(one.begin(ctx), one, open.of[i])
			}
			ready.done(one.Build.Service, b.digest(built[i]), problems[i])
			if one.Ended != nil {
				one.Ended(built[i], problems[i])
			}
			return nil
		})
	}
	return built, errors.Join(group.Wait(), errors.Join(problems...), open.close())
}

func (i Image) begin(ctx context.Context) context.Context {
	if i.Begin == nil {
		return ctx
	}
	return i.Begin(ctx)
}

// Build builds images with the BuildKit in the engine, as Builder.Build does.
func (e *Engine) Build(ctx context.Context, images []Image, logins LoginFunc) ([]Built, error) {
	builder, err := e.Builder(ctx)
	if err != nil {
		return make([]Built, len(images)), err
	}
	built, err := builder.Build(ctx, images, logins)
	return built, errors.Join(err, builder.Close(ctx))
}

// digest is what an image can be told by beside its name, "" where the store
// knows none.
func (b *Builder) digest(built Built) string {
	if b.store == nil || !b.store.ContainerdStore {
		return ""
	}
	return built.ID
}

// buildTries is how often an image is built that another run on the engine
// takes away at once: when it removes the same image, the classic store may
// delete it although it has just got a new name. The steps are cached by then.
const buildTries = 5

func (b *Builder) buildOne(ctx context.Context, one Image, through *session.Session) (Built, error) {
	for try := 1; ; try++ {
		built, err := b.solve(ctx, one, through)
		if try == buildTries || !errdefs.IsNotFound(err) || ctx.Err() != nil {
			return built, err
		}
	}
}

// solve builds an image once. The error is a NotFound where the engine has lost
// it.
func (b *Builder) solve(ctx context.Context, one Image, through *session.Session) (Built, error) {
	built := Built{Service: one.Build.Service, Started: time.Now()}
	progress := newProgress(one.Output, one.Build)
	response, err := b.make(ctx, one, through, progress)
	built.Duration = time.Since(built.Started)
	built.Steps, built.Cached = progress.count()
	built.Warnings = progress.warnings
	if err != nil {
		if progress.foreign {
			err = b.notEmulated(one.Build, err)
		}
		return built, b.failure(ctx, one.Build, progress.failed, err)
	}
	built.ID = imageID(response)
	if b.store == nil {
		return built, nil
	}
	built, err = b.store.inspectBuilt(ctx, built)
	if isIndex(one.Build) {
		built.Content = image.Content{}
	}
	return built, err
}

// isIndex tells a build of several manifests.
func isIndex(build compose.Build) bool {
	return len(build.Platforms) > 1 || asked(build.Provenance) || asked(build.SBOM)
}

// make builds an image and hands it on. Where only one cache may be written at
// a time, the steps are run first, beside those of the other builds.
func (b *Builder) make(ctx context.Context, one Image, through *session.Session, progress *progress) (map[string]string, error) {
	if b.can.atOnce || len(one.Build.CacheTo) == 0 {
		return b.ask(ctx, one, through, progress, b.export(one.Names))
	}
	steps := one
	steps.Build.CacheTo = nil
	if _, err := b.ask(ctx, steps, through, progress); err != nil {
		return nil, err
	}
	b.turn.Lock()
	defer b.turn.Unlock()
	one.Build.NoCache, one.Build.NoCacheStages = false, nil // the steps were just run
	return b.ask(ctx, one, through, newProgress(io.Discard, one.Build), b.export(one.Names))
}

// ask has BuildKit build an image and hand it on.
func (b *Builder) ask(ctx context.Context, one Image, through *session.Session, progress *progress, exports ...client.ExportEntry) (map[string]string, error) {
	build, err := b.atGateway(ctx, one.Build)
	if err != nil {
		return nil, err
	}
	options := solveOptions(build, through)
	if b.store != nil && !one.Build.Pull {
		options.FrontendAttrs[resolveMode] = "local"
	}
	options.Exports = exports
	var response *client.SolveResponse
	var group errgroup.Group
	group.Go(func() error {
		var err error
		response, err = b.buildkit.Solve(ctx, nil, options, progress.updates)
		return err
	})
	group.Go(func() error { return progress.show(ctx) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return response.ExporterResponse, nil
}

// export is what becomes of an image: the engine's, or for a builder without a
// store one that it can send later without making it again.
func (b *Builder) export(names []string) client.ExportEntry {
	attrs := map[string]string{}
	if len(names) > 0 {
		attrs["name"] = strings.Join(names, ",")
	}
	if b.store == nil {
		return client.ExportEntry{Type: client.ExporterImage, Attrs: attrs}
	}
	return client.ExportEntry{Type: "moby", Attrs: attrs}
}

// inspectBuilt adds what the engine knows of an image.
func (e *Engine) inspectBuilt(ctx context.Context, built Built) (Built, error) {
	info, err := e.docker.ImageInspect(ctx, built.ID)
	if err != nil {
		return built, fmt.Errorf("build %q: the engine has no image %s after the build: %w", built.Service, built.ID, err)
	}
	built.Size = info.Size
	if built.Content, err = contentOf(info); err != nil {
		return built, fmt.Errorf("build %q: %w", built.Service, err)
	}
	return built, nil
}

// imageID is the result's in the engine. The containerd store knows images by
// manifest digest; the classic store by configuration digest, and gives that
// out as containerimage.digest.
func imageID(response map[string]string) string { return response["containerimage.digest"] }

// RemoveImages takes names away from images, and the images with their last
// name, also when the context has ended. One that is not there is no error.
func (e *Engine) RemoveImages(ctx context.Context, names []string) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	var problems []error
	for _, name := range names {
		_, err := e.docker.ImageRemove(ctx, name, dockerimage.RemoveOptions{Force: true, PruneChildren: true})
		if err != nil && !gone(err) {
			problems = append(problems, fmt.Errorf("remove image %q: %w", name, err))
		}
	}
	return errors.Join(problems...)
}

// gone tells an image that is not there, or that another run took away in the
// meantime, for which the classic store has words and no code. Source:
// moby/moby, image/store.go.
func gone(err error) bool {
	return errdefs.IsNotFound(err) || strings.Contains(err.Error(), "unrecognized image ID")
}
