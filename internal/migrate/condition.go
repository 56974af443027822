package migrate

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/travis"
)

// conditions are shell tests as GitHub's conditions. ok is false when one of
// them can only be answered by a shell.
func (s *scope) conditions(tests []*syntax.Stmt, at travis.Place) (terms []string, ok bool) {
	for _, test := range tests {
		some, ok := s.test(test, at)
		if !ok {
			return nil, false
		}
		terms = append(terms, some...)
	}
	return terms, true
}

// conditionsOf are all that a command depends on.
func (s *scope) conditionsOf(c *command) (terms []string, ok bool) {
	terms, ok = s.conditions(c.conds, c.place)
	return append(terms, c.terms...), ok
}

func (s *scope) test(stmt *syntax.Stmt, at travis.Place) ([]string, bool) {
	if stmt.Negated {
		inner, ok := s.test(&syntax.Stmt{Cmd: stmt.Cmd}, at)
		return negated(inner), ok
	}
	switch cmd := stmt.Cmd.(type) {
	case *syntax.TestClause:
		return s.testExpr(cmd.X, at)
	case *syntax.CallExpr:
		return s.bracket(cmd, at)
	case *syntax.BinaryCmd:
		x, okX := s.test(cmd.X, at)
		y, okY := s.test(cmd.Y, at)
		return combine(x, y, cmd.Op == syntax.AndStmt), okX && okY
	}
	return nil, false
}

func (s *scope) testExpr(expr syntax.TestExpr, at travis.Place) ([]string, bool) {
	switch e := expr.(type) {
	case *syntax.ParenTest:
		return s.testExpr(e.X, at)
	case *syntax.UnaryTest:
		if e.Op == syntax.TsNot {
			inner, ok := s.testExpr(e.X, at)
			return negated(inner), ok
		}
		word, ok := e.X.(*syntax.Word)
		if !ok {
			return nil, false
		}
		return s.unary(e.Op.String(), word, at)
	case *syntax.BinaryTest:
		if e.Op == syntax.AndTest || e.Op == syntax.OrTest {
			x, okX := s.testExpr(e.X, at)
			y, okY := s.testExpr(e.Y, at)
			return combine(x, y, e.Op == syntax.AndTest), okX && okY
		}
		x, okX := e.X.(*syntax.Word)
		y, okY := e.Y.(*syntax.Word)
		if !okX || !okY {
			return nil, false
		}
		return s.binary(x, e.Op.String(), y, at)
	case *syntax.Word:
		return s.unary("-n", e, at)
	}
	return nil, false
}

// bracket reads [ … ] and test ….
func (s *scope) bracket(call *syntax.CallExpr, at travis.Place) ([]string, bool) {
	if len(call.Args) == 0 {
		return nil, false
	}
	words := call.Args[1:]
	if call.Args[0].Lit() == "[" {
		if len(words) == 0 {
			return nil, false
		}
		words = words[:len(words)-1]
	}
	return s.bracketWords(words, at)
}

func (s *scope) bracketWords(words []*syntax.Word, at travis.Place) ([]string, bool) {
	for _, op := range []string{"-o", "-a"} {
		for i, w := range words {
			if i > 0 && w.Lit() == op {
				x, okX := s.bracketWords(words[:i], at)
				y, okY := s.bracketWords(words[i+1:], at)
				return combine(x, y, op == "-a"), okX && okY
			}
		}
	}
	switch {
	case len(words) > 1 && words[0].Lit() == "!":
		inner, ok := s.bracketWords(words[1:], at)
		return negated(inner), ok
	case len(words) == 1:
		return s.unary("-n", words[0], at)
	case len(words) == 2:
		return s.unary(words[0].Lit(), words[1], at)
	case len(words) == 3:
		return s.binary(words[0], words[1].Lit(), words[2], at)
	}
	return nil, false
}

func (s *scope) unary(op string, w *syntax.Word, at travis.Place) ([]string, bool) {
	if op != "-n" && op != "-z" {
		return nil, false
	}
	name := variableName(w)
	if name == "TRAVIS_TAG" {
		return []string{map[string]string{"-n": isTag, "-z": isNoTag}[op]}, true
	}
	operand, ok := s.operand(w, at)
	if !ok {
		return nil, false
	}
	return []string{operand + map[string]string{"-n": " != ''", "-z": " == ''"}[op]}, true
}

func (s *scope) binary(x *syntax.Word, op string, y *syntax.Word, at travis.Place) ([]string, bool) {
	if variableName(x) == "" && variableName(y) != "" {
		x, y = y, x
	}
	right, err := s.word(y, at)
	if err != nil {
		return nil, false
	}
	text, plain := right.lit()
	name := variableName(x)
	switch op {
	case "=~":
		operand, ok := s.operand(x, at)
		if !ok || !plain {
			return nil, false
		}
		term, ok := matches(operand, regexText(y))
		return []string{term}, ok
	case "=", "==", "-eq":
		op = "=="
	case "!=", "-ne":
		op = "!="
	default:
		return nil, false
	}
	if term := known(name, op, text); plain && term != "" {
		return []string{term}, true
	}
	left, ok := s.operand(x, at)
	if !ok || !plain {
		return nil, false
	}
	if strings.ContainsAny(text, "*?[") {
		return wildcard(left, op, text)
	}
	return []string{left + " " + op + " " + quote(text)}, true
}

// wildcard is a comparison with a pattern of the shell's.
func wildcard(left, op, pattern string) ([]string, bool) {
	core := strings.Trim(pattern, "*")
	if core == "" || strings.ContainsAny(core, "*?[") {
		return nil, false
	}
	term := "contains"
	switch {
	case !strings.HasPrefix(pattern, "*"):
		term = "startsWith"
	case !strings.HasSuffix(pattern, "*"):
		term = "endsWith"
	}
	term += "(" + left + ", " + quote(core) + ")"
	if op == "!=" {
		term = "!" + term
	}
	return []string{term}, true
}

// regexText is a pattern as it is written, since its backslashes matter.
func regexText(w *syntax.Word) string {
	var b strings.Builder
	for _, p := range w.Parts {
		switch p := p.(type) {
		case *syntax.SglQuoted:
			b.WriteString(p.Value)
		default:
			b.WriteString(strings.Trim(source(p), `"`))
		}
	}
	return b.String()
}

// known are comparisons that GitHub says in another way.
func known(name, op, text string) string {
	is := op == "=="
	switch {
	case name == "TRAVIS_PULL_REQUEST" && text == "false":
		return map[bool]string{true: noPullRequest, false: isPullRequest}[is]
	case name == "TRAVIS_TAG" && text == "":
		return map[bool]string{true: isNoTag, false: isTag}[is]
	case name == "TRAVIS_EVENT_TYPE":
		return "github.event_name " + op + " " + quote(eventName(text))
	case name == "TRAVIS_TEST_RESULT" && text == "0" && is:
		return alwaysTrue
	case name == "TRAVIS_SECURE_ENV_VARS" && is == (text == "true"):
		return "!github.event.pull_request.head.repo.fork"
	}
	return ""
}

func eventName(travisName string) string {
	switch travisName {
	case "cron":
		return "schedule"
	case "api":
		return "workflow_dispatch"
	}
	return travisName
}

// variableName is the name of a word that is one variable, quoted or not.
func variableName(w *syntax.Word) string {
	parts := w.Parts
	if len(parts) == 1 {
		if q, ok := parts[0].(*syntax.DblQuoted); ok {
			parts = q.Parts
		}
	}
	if len(parts) != 1 {
		return ""
	}
	if p, ok := parts[0].(*syntax.ParamExp); ok && p.Exp == nil && p.Slice == nil && p.Repl == nil {
		return p.Param.Value
	}
	return ""
}

// operand is a word as a value in an expression. Secrets, matrix and env are
// out of reach of a job's condition.
func (s *scope) operand(w *syntax.Word, at travis.Place) (string, bool) {
	if variableName(w) == "TRAVIS_BRANCH" {
		return travisBranch, true
	}
	a, err := s.word(w, at)
	if err != nil {
		return "", false
	}
	if text, ok := a.lit(); ok {
		return quote(text), true
	}
	if len(a) != 1 || a[0].short || strings.HasPrefix(a[0].expr, "secrets.") || strings.HasPrefix(a[0].expr, "matrix.") || strings.HasPrefix(a[0].expr, "job.") {
		return "", false
	}
	if strings.ContainsAny(a[0].expr, " ") {
		return "(" + a[0].expr + ")", true
	}
	return a[0].expr, true
}
