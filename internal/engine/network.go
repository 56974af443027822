package engine

import (
	"context"
	"fmt"
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
