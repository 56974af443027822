package migrate

import (
	"slices"
	"strings"
)

// ancestry remembers the conditions of jobs, since GitHub skips a job when one
// that it waits for was skipped, which Travis's stages did not do.
type ancestry struct {
	// own are the terms of a job's if:.
	own map[string][]string
	// above are the jobs that it waits for, those of these too.
	above map[string][]string
}

// condition is a job's if: where it waits for jobs that may be skipped while
// it should run, it asks that none has failed instead of that all have run.
func (c *converter) condition(id string, conds, needs []string) string {
	if c.family.own == nil {
		c.family = ancestry{own: map[string][]string{}, above: map[string][]string{}}
	}
	c.family.own[id] = conds
	var above []string
	for _, need := range needs {
		above = append(above, need)
		above = append(above, c.family.above[need]...)
	}
	above = unique(above)
	c.family.above[id] = above
	skipped := slices.ContainsFunc(above, func(other string) bool {
		return slices.ContainsFunc(c.family.own[other], func(term string) bool { return !implied(term, conds) })
	})
	if !skipped {
		return expression(conjunction(conds))
	}
	terms := []string{"!cancelled() && !failure()"}
	for _, need := range needs {
		// Where the images' job may not run, Travis deployed without them.
		runs := !slices.ContainsFunc(c.family.own[need], func(term string) bool { return !implied(term, conds) })
		if c.images[need] && runs {
			terms = append(terms, "needs."+need+".result == 'success'")
		}
	}
	if all := conjunction(conds); all != "" {
		terms = append(terms, all)
	}
	return expression(bare(terms))
}

// expression marks a condition as one where YAML would take its first byte for
// something else.
func expression(condition string) string {
	if strings.HasPrefix(condition, "!") {
		return "${{ " + condition + " }}"
	}
	return condition
}
