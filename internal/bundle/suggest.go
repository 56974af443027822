package bundle

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/place"
)

// unknownImages reports the images that are for nothing in the file, and those
// that are no image references.
func unknownImages(file, what string, images map[string]string, there []string) error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(images)) {
		if !slices.Contains(there, name) {
			problems = append(problems, place.At(file, 0, fmt.Errorf("an image is given for %q, which is no %s of the file; it has %s%s", name, what, list(there), didYouMean(name, there))))
		}
		if _, err := image.Parse(images[name]); err != nil {
			problems = append(problems, fmt.Errorf("%s %q: %w", what, name, err))
		}
	}
	return errors.Join(problems...)
}

func list(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(slices.Sorted(slices.Values(names)), ", ")
}

// didYouMean is a clause that names the candidate that differs least, empty
// when all differ too much to be meant.
func didYouMean(name string, candidates []string) string {
	best, least := "", min(max(2, len(name)/3)+1, len(name))
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate)); d < least {
			best, least = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", best)
}

// distance is the number of letters to insert, delete or exchange.
func distance(a, b string) int {
	previous := make([]int, len(b)+1)
	for j := range previous {
		previous[j] = j
	}
	for i := range len(a) {
		current := make([]int, len(b)+1)
		current[0] = i + 1
		for j := range len(b) {
			exchange := previous[j]
			if a[i] != b[j] {
				exchange++
			}
			current[j+1] = min(exchange, previous[j+1]+1, current[j]+1)
		}
		previous = current
	}
	return previous[len(b)]
}
