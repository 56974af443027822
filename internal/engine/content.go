package engine

import (
	"encoding/json"
	"fmt"
	"time"

	dockerimage "github.com/docker/docker/api/types/image"

	"github.com/guk0/travois/internal/image"
)

// contentOf is what an inspected image is made of.
func contentOf(info dockerimage.InspectResponse) (image.Content, error) {
	content := image.Content{OS: info.Os, Architecture: info.Architecture, Layers: info.RootFS.Layers}
	created, err := time.Parse(time.RFC3339Nano, info.Created)
	if err != nil {
		return image.Content{}, fmt.Errorf("image %s: its time %q: %w", info.ID, info.Created, err)
	}
	content.Created = created
	config, err := json.Marshal(info.Config)
	if err != nil {
		return image.Content{}, fmt.Errorf("image %s: %w", info.ID, err)
	}
	if err := json.Unmarshal(config, &content.Config); err != nil {
		return image.Content{}, fmt.Errorf("image %s: %w", info.ID, err)
	}
	return content, nil
}
