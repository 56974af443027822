package bundle

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/place"
)

// Unusable reports the images that a deploy file names itself and no engine can
// pull, such as a placeholder that nothing was put in the place of. The images
// are those given to the renderer; what a variable stands for is not known.
func Unusable(file string, kind Kind, src []byte, images map[string]string) []error {
	if kind == DockerrunV1 && len(images) > 0 {
		return nil // Its one image is given under any name.
	}
	found, _ := Images(kind, src)
	var problems []error
	for _, service := range slices.Sorted(maps.Keys(found)) {
		text := found[service].Text
		if _, given := images[service]; given || text == "" || kind == Compose && strings.Contains(text, "$") {
			continue
		}
		if _, err := image.Parse(text); err != nil {
			problems = append(problems, place.At(file, found[service].Line, fmt.Errorf("%w; write the name out, or give the image to the action", err)))
		}
	}
	return problems
}
