package engine

import (
	"context"
	"fmt"
)

// ImageConfig is what an image says about the containers made of it.
type ImageConfig struct {
	// ID is the image's in the engine.
	ID                  string
	Entrypoint, Command []string
	WorkingDir          string
	// Health tells that it has a health check.
	Health bool
}

// Inspect reads an image's configuration. Image is a name or an ID.
func (e *Engine) Inspect(ctx context.Context, image string) (ImageConfig, error) {
	info, err := e.docker.ImageInspect(ctx, image)
	if err != nil {
		return ImageConfig{}, fmt.Errorf("inspect the image %s: %w", image, err)
	}
	found := ImageConfig{ID: info.ID}
	if config := info.Config; config != nil {
		found.Entrypoint, found.Command, found.WorkingDir = config.Entrypoint, config.Cmd, config.WorkingDir
		found.Health = config.Healthcheck != nil && len(config.Healthcheck.Test) > 0 && config.Healthcheck.Test[0] != "NONE"
	}
	return found, nil
}
