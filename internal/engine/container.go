package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/strslice"
	"github.com/docker/docker/pkg/stdcopy"
)

// cleanupTime bounds a removal after a cancellation. The containers and then the
// images go within the 7.5 s before the runner's second signal (actions/runner,
// ProcessInvoker.cs).
const cleanupTime = 3 * time.Second

// cleanup is a context for removals: as long as they take, but no longer than
// cleanupTime after the step was cancelled.
func cleanup(ctx context.Context) (context.Context, context.CancelFunc) {
	cleaning, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(cleanupTime, cancel) })
	return cleaning, func() {
		stop()
		cancel()
	}
}

// Container is what a container runs.
type Container struct {
	// Image is a name or ID that the engine has.
	Image string
	// Entrypoint and Command replace the image's; nil keeps them.
	Entrypoint, Command []string
	// Env is "KEY=VALUE" each.
	Env              []string
	WorkingDir, User string
	// Labels mark it for Sweep.
	Labels map[string]string
}

// Run runs a container to its end and removes it, with its anonymous volumes,
// also when the context ends. Output takes standard output and error. The
// error says why it could not be run; an exit code other than 0 is none.
func (e *Engine) Run(ctx context.Context, spec Container, output io.Writer) (exitCode int, err error) {
	id, err := e.create(ctx, spec)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, e.remove(ctx, id)) }()
	attached, err := e.docker.ContainerAttach(ctx, id, container.AttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return 0, fmt.Errorf("attach to the container: %w", err)
	}
	defer attached.Close()
	copied := make(chan error, 1)
	go func() {
		_, err := stdcopy.StdCopy(output, output, attached.Reader)
		copied <- err
	}()
	done, failed := e.docker.ContainerWait(ctx, id, container.WaitConditionNextExit)
	if err := e.docker.ContainerStart(ctx, id, container.StartOptions{}); err != nil {
		return 0, fmt.Errorf("start the container: %w", err)
	}
	select {
	case result := <-done:
		if err := <-copied; err != nil {
			return 0, fmt.Errorf("read the container's output: %w", err)
		}
		return int(result.StatusCode), nil
	case err := <-failed:
		return 0, fmt.Errorf("wait for the container: %w", err)
	}
}

// create ignores a cancellation: the engine makes a container whether or not
// somebody waits for its ID, and without the ID it could not be removed.
func (e *Engine) create(ctx context.Context, spec Container) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("create the container: %w", err)
	}
	created, err := e.docker.ContainerCreate(context.WithoutCancel(ctx), &container.Config{
		Image: spec.Image, Entrypoint: strslice.StrSlice(spec.Entrypoint), Cmd: strslice.StrSlice(spec.Command), Env: spec.Env,
		WorkingDir: spec.WorkingDir, User: spec.User, Labels: spec.Labels, AttachStdout: true, AttachStderr: true,
	}, nil, nil, nil, "")
	if err != nil {
		return "", fmt.Errorf("create the container: %w", err)
	}
	return created.ID, nil
}

func (e *Engine) remove(ctx context.Context, id string) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	err := e.docker.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove the container: %w", err)
	}
	return nil
}

// Labelled lists the IDs of the containers, running or not, that have a label:
// "KEY" or "KEY=VALUE".
func (e *Engine) Labelled(ctx context.Context, label string) ([]string, error) {
	found, err := e.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: filters.NewArgs(filters.Arg("label", label))})
	if err != nil {
		return nil, fmt.Errorf("list the containers of %s: %w", label, err)
	}
	var ids []string
	for _, one := range found {
		ids = append(ids, one.ID)
	}
	return ids, nil
}

// Sweep removes the containers that have a label, and gives their number: what
// a step that was killed left behind.
func (e *Engine) Sweep(ctx context.Context, label string) (int, error) {
	ids, err := e.Labelled(ctx, label)
	if err != nil {
		return 0, err
	}
	var problems []error
	for _, id := range ids {
		problems = append(problems, e.remove(ctx, id))
	}
	return len(ids), errors.Join(problems...)
}

// SweepImages removes the images whose name fits a pattern, as
// "travois-test/*:KEY".
func (e *Engine) SweepImages(ctx context.Context, pattern string) error {
	found, err := e.docker.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", pattern))})
	if err != nil {
		return fmt.Errorf("list the images %s: %w", pattern, err)
	}
	var names []string
	for _, one := range found {
		names = append(names, one.RepoTags...)
	}
	return e.RemoveImages(ctx, names)
}
