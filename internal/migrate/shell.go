package migrate

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/travis"
)

// line is one entry of a phase, such as an element of script.
type line struct {
	phase string
	text  travis.Text
	// file is nil when the line is not valid shell.
	file *syntax.File
	// commands are what the line comes down to; nil when it is more than a row
	// of commands, and then it stays as it is.
	commands []*command
	// dir is the folder in which the line ran, from the workspace; lost tells
	// that only a shell knows it.
	dir  string
	lost bool
}

// fileOrNone is the line as shell, an empty one where it is none.
func (l *line) fileOrNone() *syntax.File {
	if l.file == nil {
		return new(syntax.File)
	}
	return l.file
}

// command is a simple command with the tests that it depends on.
type command struct {
	phase string
	place travis.Place
	call  *syntax.CallExpr
	// input is what is piped into it.
	input *syntax.Stmt
	conds []*syntax.Stmt
	// terms are conditions in GitHub's words, those of a deployment.
	terms []string
	// retry marks a command after travis_retry.
	retry bool
	// tolerated marks a command whose failure is without effect.
	tolerated bool
}

// parseLine parses a shell line as bash does.
func parseLine(phase string, text travis.Text) *line {
	l := &line{phase: phase, text: text}
	parser := syntax.NewParser(syntax.Variant(syntax.LangBash))
	file, err := parser.Parse(strings.NewReader(text.Value), "")
	if err != nil {
		return l
	}
	l.file = file
	f := flattener{phase: phase, place: text.Place}
	for _, stmt := range file.Stmts {
		if !f.stmt(stmt, nil) {
			return l
		}
	}
	l.commands = f.out
	return l
}

// flattener turns statements into a row of commands.
type flattener struct {
	phase string
	place travis.Place
	out   []*command
}

func (f *flattener) stmt(s *syntax.Stmt, conds []*syntax.Stmt) bool {
	input, rest := hereString(s)
	if s.Negated || s.Background || s.Coprocess || !harmless(rest) {
		return false
	}
	switch cmd := s.Cmd.(type) {
	case *syntax.CallExpr:
		f.add(cmd, input, conds)
		return true
	case *syntax.BinaryCmd:
		return f.binary(cmd, conds)
	case *syntax.IfClause:
		return f.ifClause(cmd, conds)
	case *syntax.Block:
		return f.stmts(cmd.Stmts, conds)
	case *syntax.DeclClause:
		f.declare(cmd, conds)
		return true
	}
	return false
}

func (f *flattener) stmts(stmts []*syntax.Stmt, conds []*syntax.Stmt) bool {
	for _, s := range stmts {
		if !f.stmt(s, conds) {
			return false
		}
	}
	return true
}

func (f *flattener) add(call *syntax.CallExpr, input *syntax.Stmt, conds []*syntax.Stmt) {
	retry := len(call.Args) > 0 && call.Args[0].Lit() == "travis_retry"
	f.out = append(f.out, &command{phase: f.phase, place: f.place, call: unwrapped(call), input: input, conds: conds, retry: retry})
}

// declare takes export A=b as the assignment A=b.
func (f *flattener) declare(d *syntax.DeclClause, conds []*syntax.Stmt) {
	f.add(&syntax.CallExpr{Assigns: d.Args}, nil, conds)
}

func (f *flattener) binary(b *syntax.BinaryCmd, conds []*syntax.Stmt) bool {
	switch b.Op {
	case syntax.AndStmt:
		return f.chain(b, conds)
	case syntax.OrStmt:
		return f.or(b, conds)
	case syntax.Pipe:
		call, ok := b.Y.Cmd.(*syntax.CallExpr)
		if !ok || !harmless(b.Y.Redirs) {
			return false
		}
		f.add(call, b.X, conds)
		return true
	}
	return false
}

// chain is a && b && c: a test in it is a condition of what follows.
func (f *flattener) chain(b *syntax.BinaryCmd, conds []*syntax.Stmt) bool {
	conds = slices.Clone(conds)
	for _, link := range links(b) {
		if allTests(link) {
			conds = append(conds, link)
			continue
		}
		if !f.stmt(link, slices.Clone(conds)) {
			return false
		}
	}
	return true
}

// links are the parts of a && b && c.
func links(b *syntax.BinaryCmd) []*syntax.Stmt {
	if inner, ok := b.X.Cmd.(*syntax.BinaryCmd); ok && inner.Op == syntax.AndStmt && !b.X.Negated {
		return append(links(inner), b.Y)
	}
	return []*syntax.Stmt{b.X, b.Y}
}

// or knows "x || true" and "x || exit 1", which say what becomes of a failure.
func (f *flattener) or(b *syntax.BinaryCmd, conds []*syntax.Stmt) bool {
	before := len(f.out)
	if !f.stmt(b.X, conds) {
		return false
	}
	switch word := firstWord(b.Y); word {
	case "true", ":", "echo":
		for _, c := range f.out[before:] {
			c.tolerated = true
		}
		return true
	case "exit", "travis_terminate", "return":
		return true
	}
	return false
}

func (f *flattener) ifClause(c *syntax.IfClause, conds []*syntax.Stmt) bool {
	if len(c.Cond) == 0 {
		// A plain else.
		return f.stmts(c.Then, conds)
	}
	if len(c.Cond) != 1 || !allTests(c.Cond[0]) {
		return false
	}
	if !f.stmts(c.Then, append(slices.Clone(conds), c.Cond[0])) {
		return false
	}
	if c.Else == nil {
		return true
	}
	otherwise := &syntax.Stmt{Cmd: c.Cond[0].Cmd, Negated: true}
	return f.ifClause(c.Else, append(slices.Clone(conds), otherwise))
}

// hereString is what <<< gives to docker login, as a command that prints it,
// and the other redirections.
func hereString(s *syntax.Stmt) (input *syntax.Stmt, rest []*syntax.Redirect) {
	call, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) < 2 || call.Args[1].Lit() != "login" {
		return nil, s.Redirs
	}
	for _, r := range s.Redirs {
		if r.Op != syntax.WordHdoc {
			rest = append(rest, r)
			continue
		}
		echo := &syntax.Word{Parts: []syntax.WordPart{&syntax.Lit{Value: "echo"}}}
		input = &syntax.Stmt{Cmd: &syntax.CallExpr{Args: []*syntax.Word{echo, r.Word}}}
	}
	return input, rest
}

// harmless tells whether redirections only hide output.
func harmless(redirs []*syntax.Redirect) bool {
	for _, r := range redirs {
		target := r.Word.Lit()
		if target != "/dev/null" && r.Op != syntax.DplOut {
			return false
		}
	}
	return true
}

func firstWord(s *syntax.Stmt) string {
	if call, ok := s.Cmd.(*syntax.CallExpr); ok && len(call.Args) > 0 {
		return call.Args[0].Lit()
	}
	return ""
}

func isTest(s *syntax.Stmt) bool {
	if s.Negated {
		return false
	}
	if _, ok := s.Cmd.(*syntax.TestClause); ok {
		return true
	}
	word := firstWord(s)
	return word == "[" || word == "test"
}

// allTests tells whether a statement is a test, or tests joined by && and ||.
func allTests(s *syntax.Stmt) bool {
	if b, ok := s.Cmd.(*syntax.BinaryCmd); ok && (b.Op == syntax.AndStmt || b.Op == syntax.OrStmt) {
		return allTests(b.X) && allTests(b.Y)
	}
	return isTest(s)
}

// wrappers are words before a command that do not change what it does here.
var wrappers = map[string]int{"sudo": 0, "travis_retry": 0, "time": 0, "command": 0, "travis_wait": 1, "nohup": 0}

// unwrapped is a call without sudo, travis_retry and travis_wait N.
func unwrapped(call *syntax.CallExpr) *syntax.CallExpr {
	for len(call.Args) > 1 {
		numbers, ok := wrappers[call.Args[0].Lit()]
		if !ok {
			break
		}
		args := call.Args[1:]
		if numbers > 0 && strings.Trim(args[0].Lit(), "0123456789") == "" && len(args) > 1 {
			args = args[1:]
		}
		if strings.HasPrefix(args[0].Lit(), "-") && call.Args[0].Lit() == "sudo" && len(args) > 1 {
			args = args[1:]
		}
		call = &syntax.CallExpr{Assigns: call.Assigns, Args: args}
	}
	return call
}

// name is the command's first word, empty for an assignment.
func (c *command) name() string {
	if len(c.call.Args) == 0 {
		return ""
	}
	return c.call.Args[0].Lit()
}
