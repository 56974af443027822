package bundle

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/place"
)

// Mutable warns of the images that a rendered deploy file deploys as latest, be
// it written or meant: what that is may change between the instances of one
// environment. The images are those given to the renderer. Images with a digest
// do not change, and what a variable stands for is not known.
func Mutable(file string, kind Kind, src []byte, images map[string]string) []error {
	found, _ := Images(kind, src)
	var warnings []error
	for _, service := range slices.Sorted(maps.Keys(found)) {
		text, given := images[service]
		for _, only := range images {
			if kind == DockerrunV1 { // Its one image is given under any name.
				text, given = only, true
			}
		}
		if !given {
			text = found[service].Text
		}
		ref, err := image.Parse(text)
		if err != nil || strings.Contains(text, "$") || ref.Digest != "" || ref.Tag != "" && ref.Tag != "latest" {
			continue
		}
		warnings = append(warnings, place.At(file, found[service].Line, fmt.Errorf(
			"image %q is whatever is latest when an instance pulls it, so instances of one environment may differ: give a tag that stays, or better a digest", text)))
	}
	return warnings
}
