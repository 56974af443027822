package junit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/place"
)

// Failure is a failed test with its place in the repository.
type Failure struct {
	// Suite is what ran it.
	Suite string
	Case
	// At is relative to the workspace, "" if it isn't known; 0 is the whole
	// file.
	At     string
	AtLine int
}

// longestNote is how much of a failure an annotation tells, in bytes; GitHub
// cuts at 4096 (actions/runner, ExecutionContext.cs).
const longestNote = 2 << 10

// Annotations are the most useful failures as errors with a place, at most
// limit: those whose place is known first, one of each file before a second
// one of any.
func Annotations(failures []Failure, limit int) []error {
	ordered := slices.Clone(failures)
	seen := map[string]int{}
	rank := make(map[int]int, len(ordered))
	for i, one := range ordered {
		if one.At == "" {
			rank[i] = len(ordered) + 1
			continue
		}
		rank[i] = seen[one.At]
		seen[one.At]++
	}
	order := make([]int, len(ordered))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return rank[a] - rank[b] })
	var all []error
	for _, i := range order[:min(max(limit, 0), len(order))] {
		all = append(all, annotation(ordered[i]))
	}
	return all
}

func annotation(one Failure) error {
	text := fmt.Sprintf("%s: %s: %s", one.Suite, oneLine(one.Title()), cut(first(one.Message, string(one.Status)), longestNote))
	if one.At == "" {
		return errors.New(text)
	}
	return place.At(one.At, one.AtLine, errors.New(text))
}

// cut keeps the beginning and the end of a text.
func cut(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	half := limit / 2
	return strings.ToValidUTF8(text[:half], "") + "\n… (" + fmt.Sprint(len(text)-2*half) + " bytes cut) …\n" + strings.ToValidUTF8(text[len(text)-half:], "")
}
