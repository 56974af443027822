package migrate

import (
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// maxAlternatives bounds what one expression may be written out to.
const maxAlternatives = 24

// globs are GitHub's filter patterns for a regular expression of Travis's.
// exact is false when the patterns let more pass; ok is false when there are
// none. Source: GitHub's workflow syntax, "Filter pattern cheat sheet".
func globs(expression string) (patterns []string, exact, ok bool) {
	tree, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, false, false
	}
	g := globber{exact: true}
	patterns = g.node(tree.Simplify())
	if len(patterns) == 0 || len(patterns) > maxAlternatives {
		return nil, false, false
	}
	for i, p := range patterns {
		start, end := strings.HasPrefix(p, "\x02"), strings.HasSuffix(p, "\x03")
		p = strings.Trim(p, "\x02\x03")
		if strings.ContainsAny(p, "\x02\x03") {
			return nil, false, false
		}
		if !start {
			p = "**" + p
		}
		if !end {
			p += "**"
		}
		patterns[i] = strings.ReplaceAll(p, "****", "**")
	}
	slices.Sort(patterns)
	return slices.Compact(patterns), g.exact, true
}

type globber struct{ exact bool }

func (g *globber) node(n *syntax.Regexp) []string {
	switch n.Op {
	case syntax.OpEmptyMatch:
		return []string{""}
	case syntax.OpBeginText, syntax.OpBeginLine:
		return []string{"\x02"}
	case syntax.OpEndText, syntax.OpEndLine:
		return []string{"\x03"}
	case syntax.OpLiteral:
		if n.Flags&syntax.FoldCase != 0 {
			g.exact = false
		}
		return []string{escapeGlob(string(n.Rune))}
	case syntax.OpCharClass:
		return g.class(n.Rune)
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		g.exact = false
		return []string{"*"}
	case syntax.OpCapture:
		return g.node(n.Sub[0])
	case syntax.OpConcat:
		return g.concat(n.Sub)
	case syntax.OpAlternate:
		return g.alternate(n.Sub)
	case syntax.OpQuest:
		return append([]string{""}, g.node(n.Sub[0])...)
	case syntax.OpStar, syntax.OpPlus, syntax.OpRepeat:
		return g.repeat(n)
	}
	return nil
}

func (g *globber) concat(subs []*syntax.Regexp) []string {
	out := []string{""}
	for _, sub := range subs {
		var next []string
		for _, tail := range g.node(sub) {
			for _, head := range out {
				next = append(next, head+tail)
			}
		}
		if out = next; len(out) > maxAlternatives {
			return out
		}
	}
	return out
}

func (g *globber) alternate(subs []*syntax.Regexp) []string {
	var out []string
	for _, sub := range subs {
		out = append(out, g.node(sub)...)
	}
	return out
}

func (g *globber) repeat(n *syntax.Regexp) []string {
	inner := n.Sub[0]
	if inner.Op == syntax.OpAnyChar || inner.Op == syntax.OpAnyCharNotNL {
		g.exact = g.exact && n.Op == syntax.OpStar
		return []string{"**"}
	}
	if one := g.node(inner); n.Op == syntax.OpPlus && len(one) == 1 && (inner.Op == syntax.OpCharClass || len(one[0]) == 1) && one[0] != "*" {
		return []string{one[0] + "+"}
	}
	g.exact = false
	return []string{"**"}
}

// class is a set of characters; GitHub knows ranges of letters and digits.
func (g *globber) class(ranges []rune) []string {
	var inside strings.Builder
	var singles []string
	alphanumeric := true
	for i := 0; i+1 < len(ranges); i += 2 {
		lo, hi := ranges[i], ranges[i+1]
		alphanumeric = alphanumeric && isAlphanumeric(lo) && isAlphanumeric(hi)
		inside.WriteRune(lo)
		if hi != lo {
			inside.WriteString("-" + string(hi))
		}
		for r := lo; r <= hi && len(singles) <= 4; r++ {
			singles = append(singles, escapeGlob(string(r)))
		}
	}
	switch {
	case len(singles) <= 4:
		return singles
	case alphanumeric:
		return []string{"[" + inside.String() + "]"}
	}
	g.exact = false
	return []string{"*"}
}

func isAlphanumeric(r rune) bool {
	return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
}

func escapeGlob(text string) string {
	var b strings.Builder
	for _, r := range text {
		if strings.ContainsRune(`*?+[]!\`, r) {
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// matches is an expression that tells whether an operand matches a regular
// expression, for those that only name beginnings, ends and alternatives.
func matches(operand, expression string) (string, bool) {
	if len(expression) > 1 && expression[0] == '/' && expression[len(expression)-1] == '/' {
		expression = expression[1 : len(expression)-1]
	}
	patterns, _, ok := globs(expression)
	if !ok {
		return "", false
	}
	var any []string
	for _, p := range patterns {
		start, end := strings.HasPrefix(p, "**"), strings.HasSuffix(p, "**")
		core := strings.TrimSuffix(strings.TrimPrefix(p, "**"), "**")
		plain := strings.NewReplacer(`\*`, "*", `\?`, "?", `\+`, "+", `\[`, "[", `\]`, "]", `\!`, "!", `\\`, `\`).Replace(core)
		if escapeGlob(plain) != core || strings.Contains(core, "*") && !strings.Contains(core, `\*`) {
			return "", false
		}
		switch {
		case plain == "":
			return operand + " != ''", true
		case start && end:
			any = append(any, "contains("+operand+", "+quote(plain)+")")
		case end:
			any = append(any, "startsWith("+operand+", "+quote(plain)+")")
		case start:
			any = append(any, "endsWith("+operand+", "+quote(plain)+")")
		default:
			any = append(any, equals(operand, plain))
		}
	}
	return disjunction(any), true
}

// versionLike tells whether a pattern is for tags: one that a release's tag
// matches and that no usual branch does.
func versionLike(expression string) bool {
	re, err := regexp.Compile(expression)
	if err != nil {
		return false
	}
	tags := []string{"v1.2.3", "1.2.3", "v1.0", "1.0", "release-1.2.3", "v1.2.3-rc.1", "v1"}
	branches := []string{"master", "main", "develop", "feature", "release"}
	return slices.ContainsFunc(tags, re.MatchString) && !slices.ContainsFunc(branches, re.MatchString)
}
