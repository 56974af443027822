package migrate

import (
	"slices"
	"strings"
)

const (
	travisBranch   = "(github.base_ref || github.ref_name)"
	noPullRequest  = "github.event_name != 'pull_request'"
	isPush         = "github.event_name == 'push'"
	isPullRequest  = "github.event_name == 'pull_request'"
	isTag          = "github.ref_type == 'tag'"
	isNoTag        = "github.ref_type != 'tag'"
	alwaysTrue     = "true"
	branchEquality = travisBranch + " == '"
)

func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func equals(operand, text string) string { return operand + " == " + quote(text) }

func disjunction(terms []string) string {
	if len(terms) == 1 {
		return terms[0]
	}
	return "(" + strings.Join(terms, " || ") + ")"
}

// conjunction joins conditions, each once. Where pull requests are excluded,
// a branch is the ref that was pushed.
func conjunction(terms []string) string {
	var out []string
	excluded := false
	seen := map[string]bool{}
	for _, term := range terms {
		if term == "" || term == alwaysTrue || seen[term] {
			continue
		}
		seen[term] = true
		excluded = excluded || term == noPullRequest || term == isPush || strings.HasPrefix(term, "github.ref == 'refs/heads/")
		out = append(out, term)
	}
	if !excluded {
		return bare(out)
	}
	var pushed []string
	refs := false
	for _, term := range out {
		if strings.HasPrefix(term, branchEquality) || strings.HasPrefix(term, "("+branchEquality) {
			term = strings.ReplaceAll(term, branchEquality, "github.ref == 'refs/heads/")
			refs = true
		}
		term = strings.ReplaceAll(term, travisBranch, "github.ref_name")
		pushed = append(pushed, term)
	}
	if !refs && !seen[isTag] {
		return bare(pushed)
	}
	out = out[:0]
	for _, term := range pushed {
		if term != noPullRequest {
			out = append(out, term)
		}
	}
	return bare(out)
}

// bare joins terms. A single one needs no parentheses; an or among several
// does.
func bare(terms []string) string {
	terms = absorbed(terms)
	if len(terms) == 1 {
		return stripped(terms[0])
	}
	joined := slices.Clone(terms)
	for i, term := range joined {
		if hasOr(term) {
			joined[i] = "(" + term + ")"
		}
	}
	return strings.Join(joined, " && ")
}

// absorbed leaves out an or that another term already answers.
func absorbed(terms []string) []string {
	return slices.DeleteFunc(slices.Clone(terms), func(term string) bool {
		return hasOr(stripped(term)) && slices.ContainsFunc(disjuncts(term), func(d string) bool { return slices.Contains(terms, d) })
	})
}

// disjuncts are the sides of a term's ors.
func disjuncts(term string) []string {
	term = stripped(term)
	var out []string
	depth, from := 0, 0
	for i := 0; i < len(term); i++ {
		switch term[i] {
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			if depth == 0 && strings.HasPrefix(term[i:], "|| ") {
				out = append(out, strings.TrimSpace(term[from:i]))
				from = i + len("|| ")
			}
		}
	}
	return append(out, strings.TrimSpace(term[from:]))
}

// implied tells whether a term holds wherever conditions hold.
func implied(term string, conds []string) bool {
	pushed := slices.ContainsFunc(conds, func(c string) bool {
		return strings.HasPrefix(c, "github.ref == 'refs/heads/") || c == isTag || c == isPush
	})
	if term == "" || slices.Contains(conds, term) || pushed && term == noPullRequest {
		return true
	}
	for _, d := range disjuncts(term) {
		if slices.Contains(conds, d) || pushed && slices.Contains(conds, strings.ReplaceAll(d, branchEquality, "github.ref == 'refs/heads/")) {
			return true
		}
	}
	return false
}

// stripped is a term without parentheses around the whole of it.
func stripped(term string) string {
	if !strings.HasPrefix(term, "(") || !strings.HasSuffix(term, ")") {
		return term
	}
	inside := term[1 : len(term)-1]
	depth := 0
	for _, c := range inside {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		}
		if depth < 0 {
			return term
		}
	}
	return inside
}

// hasOr tells whether a term has an or outside of parentheses.
func hasOr(term string) bool {
	depth := 0
	for i, c := range term {
		switch c {
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			if depth == 0 && i > 0 && term[i-1] == '|' {
				return true
			}
		}
	}
	return false
}

func combine(x, y []string, and bool) []string {
	if and {
		return append(x, y...)
	}
	return []string{disjunction([]string{conjunction(x), conjunction(y)})}
}

func negated(terms []string) []string {
	if len(terms) == 0 {
		return nil
	}
	return []string{"!(" + conjunction(terms) + ")"}
}
