package beanstalk

import (
	"fmt"
	"slices"
	"strings"
)

// choices says what is there instead of name, the likeliest first as a guess.
func choices(what, name string, there []string) string {
	if len(there) == 0 {
		return "there is no " + what + " at all"
	}
	slices.Sort(there)
	quoted := make([]string, 0, len(there))
	for _, t := range there {
		quoted = append(quoted, fmt.Sprintf("%q", t))
	}
	text := "there are: " + strings.Join(quoted, ", ")
	if guess := nearest(name, there); guess != "" {
		text += fmt.Sprintf("; did you mean %q?", guess)
	}
	return text
}

// nearest is the candidate that differs least, or "" when all differ too much.
func nearest(name string, candidates []string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, c := range candidates {
		if d := distance(strings.ToLower(name), strings.ToLower(c)); d < least {
			best, least = c, d
		}
	}
	return best
}

// distance counts the edits between two texts (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
