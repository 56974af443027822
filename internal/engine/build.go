package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/containerd/errdefs"
	dockerimage "github.com/docker/docker/api/types/image"
	"github.com/moby/buildkit/client"
	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/image"
)

// Image is one image to build.
type Image struct {
	Build compose.Build
	// Names are the references that it gets in the engine.
	Names []string
	// Secrets are what RUN --mount=type=secret may read, by id.
	Secrets map[string][]byte
	// Output takes BuildKit's progress as text.
	Output io.Writer
	// Ended is called when this build has ended, while others may go on; it may
	// be nil.
	Ended func(Built, error)
}

// Built is an image that was built.
type Built struct {
	Service string
	// ID is the image's in the engine, "sha256:…".
	ID string
	// Content is what the image is made of.
	Content image.Content
	// Size is in bytes, uncompressed.
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
func (e *Engine) Build(ctx context.Context, images []Image, logins LoginFunc) ([]Built, error) {
	built := make([]Built, len(images))
	problems := make([]error, len(images))
	for i, one := range images {
		built[i].Service = one.Build.Service
		problems[i] = e.Refusals(one.Build)
	}
	if err := errors.Join(problems...); err != nil {
		return built, err
	}
	buildkit, err := client.New(ctx, "", client.WithContextDialer(e.dialBuildKit), client.WithSessionDialer(e.dialSession))
	if err != nil {
		return built, fmt.Errorf("connect to BuildKit in engine %s: %w", e.Version, err)
	}
	defer func() { _ = buildkit.Close() }()
	ready := newOrder(images)
	var group errgroup.Group
	for i, one := range images {
		group.Go(func() error {
			one, problems[i] = ready.await(ctx, one)
			if problems[i] == nil {
				built[i], problems[i] = e.buildOne(ctx, buildkit, one, logins)
			}
			ready.done(one.Build.Service, problems[i])
			if one.Ended != nil {
				one.Ended(built[i], problems[i])
			}
			return nil
		})
	}
	return built, errors.Join(group.Wait(), errors.Join(problems...))
}

// buildTries is how often an image is built that another run on the engine
// takes away at once: when it removes the same image, the classic store may
// delete it although it has just got a new name. The steps are cached by then.
const buildTries = 5

func (e *Engine) buildOne(ctx context.Context, buildkit *client.Client, one Image, logins LoginFunc) (Built, error) {
	for try := 1; ; try++ {
		built, err := e.solve(ctx, buildkit, one, logins)
		if try == buildTries || !errdefs.IsNotFound(err) || ctx.Err() != nil {
			return built, err
		}
	}
}

// solve builds an image once. The error is a NotFound where the engine has lost
// it.
func (e *Engine) solve(ctx context.Context, buildkit *client.Client, one Image, logins LoginFunc) (Built, error) {
	built := Built{Service: one.Build.Service}
	options, err := solveOptions(one, logins)
	if err != nil {
		return built, fmt.Errorf("build %q: %w", one.Build.Service, err)
	}
	built.Started = time.Now()
	progress := newProgress(one.Output)
	var response *client.SolveResponse
	var group errgroup.Group
	group.Go(func() error {
		var err error
		response, err = buildkit.Solve(ctx, nil, options, progress.updates)
		return err
	})
	group.Go(func() error { return progress.show(ctx) })
	err = group.Wait()
	built.Duration = time.Since(built.Started)
	built.Steps, built.Cached = progress.count()
	built.Warnings = progress.warnings
	if err != nil {
		return built, failure(ctx, one.Build, progress.failed, err)
	}
	built.ID = imageID(response.ExporterResponse)
	info, err := e.docker.ImageInspect(ctx, built.ID)
	if err != nil {
		return built, fmt.Errorf("build %q: the engine has no image %s after the build: %w", one.Build.Service, built.ID, err)
	}
	built.Size = info.Size
	if built.Content, err = contentOf(info); err != nil {
		return built, fmt.Errorf("build %q: %w", one.Build.Service, err)
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
		if err != nil && !errdefs.IsNotFound(err) {
			problems = append(problems, fmt.Errorf("remove image %q: %w", name, err))
		}
	}
	return errors.Join(problems...)
}
