package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
	"golang.org/x/sync/errgroup"
)

// cleanupTime bounds a removal after a cancellation. Containers, then networks
// and volumes, then images go within the 7.5 s before the runner's second
// signal (actions/runner, ProcessInvoker.cs).
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

func (e *Engine) remove(ctx context.Context, id string) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	err := e.docker.ContainerRemove(ctx, id, container.RemoveOptions{Force: true, RemoveVolumes: true})
	if errdefs.IsConflict(err) {
		return e.awaitRemoval(ctx, id)
	}
	if err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove the container: %w", err)
	}
	return nil
}

// awaitRemoval waits for a removal that somebody else has begun.
func (e *Engine) awaitRemoval(ctx context.Context, id string) error {
	done, failed := e.docker.ContainerWait(ctx, id, container.WaitConditionRemoved)
	select {
	case <-done:
		return nil
	case err := <-failed:
		if errdefs.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("remove the container: %w", err)
	}
}

// Labelled lists the IDs of the containers, running or not, that have a label:
// "KEY" or "KEY=VALUE".
func (e *Engine) Labelled(ctx context.Context, label string) ([]string, error) {
	found, err := e.docker.ContainerList(ctx, container.ListOptions{All: true, Filters: labelled(label)})
	if err != nil {
		return nil, fmt.Errorf("list the containers of %s: %w", label, err)
	}
	var ids []string
	for _, one := range found {
		ids = append(ids, one.ID)
	}
	return ids, nil
}

func labelled(label string) filters.Args { return filters.NewArgs(filters.Arg("label", label)) }

// Swept counts what was removed.
type Swept struct{ Containers, Networks, Volumes, Images int }

// Add is the sum of both.
func (s Swept) Add(other Swept) Swept {
	return Swept{s.Containers + other.Containers, s.Networks + other.Networks, s.Volumes + other.Volumes, s.Images + other.Images}
}

// Sweep removes the containers, networks and volumes that have a label: what a
// step that was killed left behind.
func (e *Engine) Sweep(ctx context.Context, label string) (Swept, error) {
	found, err := e.Leftovers(ctx, label)
	if err != nil {
		return Swept{}, err
	}
	var containers, rest errgroup.Group
	for _, id := range found.Containers {
		containers.Go(func() error { return e.remove(ctx, id) })
	}
	err = containers.Wait()
	for _, id := range found.Networks {
		rest.Go(func() error { return e.RemoveNetwork(ctx, id) })
	}
	for _, name := range found.Volumes {
		rest.Go(func() error { return e.RemoveVolume(ctx, name) })
	}
	return Swept{Containers: len(found.Containers), Networks: len(found.Networks), Volumes: len(found.Volumes)}, errors.Join(err, rest.Wait())
}

// Leftovers are the IDs of containers and networks and the names of volumes.
type Leftovers struct{ Containers, Networks, Volumes []string }

// Leftovers finds everything that has a label.
func (e *Engine) Leftovers(ctx context.Context, label string) (Leftovers, error) {
	var all Leftovers
	containers, err := e.Labelled(ctx, label)
	if err != nil {
		return all, err
	}
	all.Containers = containers
	networks, err := e.docker.NetworkList(ctx, network.ListOptions{Filters: labelled(label)})
	if err != nil {
		return all, fmt.Errorf("list the networks of %s: %w", label, err)
	}
	for _, one := range networks {
		all.Networks = append(all.Networks, one.ID)
	}
	volumes, err := e.docker.VolumeList(ctx, volume.ListOptions{Filters: labelled(label)})
	if err != nil {
		return all, fmt.Errorf("list the volumes of %s: %w", label, err)
	}
	for _, one := range volumes.Volumes {
		all.Volumes = append(all.Volumes, one.Name)
	}
	return all, nil
}

// SweepImages removes the images whose name fits a pattern, as
// "travois-test/*:KEY", and gives their number.
func (e *Engine) SweepImages(ctx context.Context, pattern string) (int, error) {
	found, err := e.docker.ImageList(ctx, image.ListOptions{Filters: filters.NewArgs(filters.Arg("reference", pattern))})
	if err != nil {
		return 0, fmt.Errorf("list the images %s: %w", pattern, err)
	}
	var names []string
	for _, one := range found {
		names = append(names, one.RepoTags...)
	}
	return len(names), e.RemoveImages(ctx, names)
}
