package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/volume"
)

// CreateNetwork makes a private network and gives its ID. A cancellation is
// ignored while it does, as in Create.
func (e *Engine) CreateNetwork(ctx context.Context, name string, labels map[string]string) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", fmt.Errorf("create the network %s: %w", name, err)
	}
	created, err := e.docker.NetworkCreate(context.WithoutCancel(ctx), name, network.CreateOptions{Driver: "bridge", Labels: labels})
	if err != nil {
		return "", fmt.Errorf("create the network %s: %w", name, err)
	}
	return created.ID, nil
}

// Networks are the names of the engine's networks that a container can join
// beside others, sorted.
func (e *Engine) Networks(ctx context.Context) ([]string, error) {
	found, err := e.docker.NetworkList(ctx, network.ListOptions{})
	if err != nil {
		return nil, fmt.Errorf("list the engine's networks: %w", err)
	}
	var names []string
	for _, one := range found {
		if one.Driver != network.NetworkHost && one.Driver != "null" {
			names = append(names, one.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// HasNetwork tells whether a name or an ID is a network's that a container can
// join beside others.
func (e *Engine) HasNetwork(ctx context.Context, name string) (bool, error) {
	found, err := e.docker.NetworkInspect(ctx, name, network.InspectOptions{})
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("the network %s: %w", name, err)
	}
	return found.Driver != network.NetworkHost && found.Driver != "null", nil
}

// networkPause is between two tries to remove a network: for a moment after a
// container's removal it may still hold on to it.
const networkPause = 100 * time.Millisecond

// RemoveNetwork removes a network whose containers are gone, also when the
// context has ended.
func (e *Engine) RemoveNetwork(ctx context.Context, id string) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	for tries := 0; ; tries++ {
		err := e.docker.NetworkRemove(ctx, id)
		if err == nil || errdefs.IsNotFound(err) {
			return nil
		}
		if tries == 20 || ctx.Err() != nil {
			return fmt.Errorf("remove the network %s: %w", id, err)
		}
		select {
		case <-time.After(networkPause):
		case <-ctx.Done():
		}
	}
}

// CreateVolume makes a volume. A cancellation is ignored while it does, as in
// Create.
func (e *Engine) CreateVolume(ctx context.Context, name string, labels map[string]string) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("create the volume %s: %w", name, err)
	}
	_, err := e.docker.VolumeCreate(context.WithoutCancel(ctx), volume.CreateOptions{Name: name, Labels: labels})
	if err != nil {
		return fmt.Errorf("create the volume %s: %w", name, err)
	}
	return nil
}

// RemoveVolume removes a volume that no container uses, also when the context
// has ended.
func (e *Engine) RemoveVolume(ctx context.Context, name string) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	if err := e.docker.VolumeRemove(ctx, name, true); err != nil && !errdefs.IsNotFound(err) {
		return fmt.Errorf("remove the volume %s: %w", name, err)
	}
	return nil
}
