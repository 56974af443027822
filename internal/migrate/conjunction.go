package migrate

import (
	"iter"
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

// quote is a text of the file in an expression, where GitHub must not take a
// part of it for another expression.
func quote(text string) string {
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if !strings.Contains(text, "${{") {
		return quoted
	}
	escaped := strings.NewReplacer("${{", "{0}{{{{", "{", "{{", "}", "}}").Replace(quoted)
	return "format(" + escaped + ", '$')"
}

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
	seen := map[string]bool{}
	for _, term := range terms {
		if term == "" || term == alwaysTrue || seen[term] {
			continue
		}
		seen[term] = true
		out = append(out, term)
	}
	if !slices.ContainsFunc(out, excludesPulls) {
		return bare(out)
	}
	for i, term := range out {
		if strings.HasPrefix(term, branchEquality) || strings.HasPrefix(term, "("+branchEquality) {
			term = strings.ReplaceAll(term, branchEquality, "github.ref == 'refs/heads/")
		}
		out[i] = strings.ReplaceAll(term, travisBranch, "github.ref_name")
	}
	// A ref says by itself that it is no pull request.
	said := func(term string) bool { return term != noPullRequest && term != isPush && excludesPulls(term) }
	if slices.ContainsFunc(out, said) {
		out = slices.DeleteFunc(out, func(term string) bool { return term == noPullRequest })
	}
	return bare(out)
}

// excludesPulls tells whether a term can't hold for a pull request: each side
// of its ors asks for a ref that was pushed, or for another event.
func excludesPulls(term string) bool {
	for _, side := range disjuncts(term) {
		if !slices.ContainsFunc(topLevel(stripped(side), "&&"), func(t string) bool { return isPushed(t) || stripped(t) != t && excludesPulls(t) }) {
			return false
		}
	}
	return term != ""
}

func isPushed(term string) bool {
	return term == noPullRequest || term == isPush || term == isTag || strings.HasPrefix(term, "github.ref == 'refs/heads/")
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
func disjuncts(term string) []string { return topLevel(stripped(term), "||") }

// topLevel splits a term at an operator outside of parentheses and quotes.
func topLevel(term, operator string) []string {
	var out []string
	from := 0
	for i := range outside(term) {
		if strings.HasPrefix(term[i:], operator) {
			out = append(out, strings.TrimSpace(term[from:i]))
			from = i + len(operator)
		}
	}
	return append(out, strings.TrimSpace(term[from:]))
}

// outside are the offsets of a term that are in no parentheses and no quotes;
// a parenthesis itself is inside.
func outside(term string) iter.Seq[int] {
	return func(yield func(int) bool) {
		depth, quoted := 0, false
		for i := range len(term) {
			switch c := term[i]; {
			case c == '\'':
				quoted = !quoted
			case quoted:
			case c == '(':
				depth++
			case c == ')':
				depth--
			case depth == 0 && !yield(i):
				return
			}
		}
	}
}

// implied tells whether a term holds wherever conditions hold.
func implied(term string, conds []string) bool {
	pushed := slices.ContainsFunc(conds, excludesPulls)
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
	if !strings.HasPrefix(term, "(") {
		return term
	}
	for range outside(term) {
		return term
	}
	return term[1 : len(term)-1]
}

// hasOr tells whether a term has an or outside of parentheses.
func hasOr(term string) bool { return len(topLevel(term, "||")) > 1 }

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
