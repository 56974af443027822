package migrate

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/travis"
)

// usedVariables are the variables whose values a line needs from outside.
func usedVariables(file *syntax.File) []string {
	var names []string
	own := map[string]bool{}
	syntax.Walk(file, func(node syntax.Node) bool {
		switch n := node.(type) {
		case *syntax.Assign:
			if n.Name != nil && !n.Append {
				own[n.Name.Value] = true
			}
		case *syntax.WordIter:
			own[n.Name.Value] = true
		case *syntax.ParamExp:
			if n.Param != nil {
				names = append(names, n.Param.Value)
			}
		case *syntax.CallExpr:
			names = append(names, usedInner(n)...)
			if len(n.Args) > 1 && n.Args[0].Lit() == "read" {
				for _, w := range n.Args[1:] {
					own[w.Lit()] = true
				}
			}
		}
		return true
	})
	names = slices.DeleteFunc(names, func(name string) bool { return own[name] })
	slices.Sort(names)
	return slices.Compact(names)
}

// usedInner are the variables of a text that a shell of its own reads, as in
// bash -c '…'.
func usedInner(call *syntax.CallExpr) []string {
	if len(call.Args) != 3 || call.Args[1].Lit() != "-c" || call.Args[0].Lit() != "bash" && call.Args[0].Lit() != "sh" {
		return nil
	}
	text, ok := plainText(call.Args[2])
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), "")
	if !ok || err != nil {
		return nil
	}
	return usedVariables(file)
}

// assigned are the variables that a line sets for the lines after it.
func assigned(file *syntax.File) []string {
	var names []string
	if file == nil {
		return nil
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		switch n := node.(type) {
		case *syntax.CallExpr:
			if len(n.Args) > 0 {
				return true
			}
			for _, a := range n.Assigns {
				names = append(names, a.Name.Value)
			}
		case *syntax.DeclClause:
			for _, a := range n.Args {
				if a.Name != nil {
					names = append(names, a.Name.Value)
				}
			}
		case *syntax.Subshell, *syntax.CmdSubst:
			return false
		}
		return true
	})
	return names
}

// shellState are commands whose effect on the shell the next lines may need.
var shellState = map[string]bool{"cd": true, "pushd": true, "popd": true, "source": true, ".": true, "eval": true,
	"set": true, "shopt": true, "alias": true, "nvm": true, "rvm": true, "trap": true, "unset": true, "ulimit": true, "umask": true,
	"gvm": true, "phpenv": true, "pyenv": true, "sdk": true, "conda": true, "workon": true, "bg": true, "wait": true}

// changesShell tells whether later lines depend on this one running in the
// same shell.
func changesShell(file *syntax.File) bool {
	if file == nil || len(assigned(file)) > 0 {
		return true
	}
	changes := false
	for _, s := range file.Stmts {
		changes = changes || s.Background
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		switch n := node.(type) {
		case *syntax.Subshell, *syntax.CmdSubst:
			return false
		case *syntax.FuncDecl:
			changes = true
		case *syntax.CallExpr:
			changes = changes || len(n.Args) > 0 && shellState[n.Args[0].Lit()]
		}
		return true
	})
	return changes
}

// retryFunction is Travis's, for lines that use it.
const retryFunction = `travis_retry() { "$@" || { sleep 2; "$@"; } || { sleep 4; "$@"; }; }`

// guard finds the && between tests at the front of a line and what they guard.
// After the tests Travis took no notice of a test that does not hold; a step
// would fail on it.
func guard(l *line) (at int, ok bool) {
	if slices.Contains(testPhases, l.phase) || len(l.file.Stmts) != 1 || len(l.file.Last) > 0 {
		return 0, false
	}
	stmt := l.file.Stmts[0]
	b, isBinary := stmt.Cmd.(*syntax.BinaryCmd)
	for isBinary && b.Op == syntax.AndStmt {
		if allTests(b.X) {
			return int(b.OpPos.Offset()), true
		}
		b, isBinary = b.X.Cmd.(*syntax.BinaryCmd)
	}
	return 0, false
}

// closing ends an if, out of reach of a comment or a here-document before it.
func closing(text string) string {
	if strings.ContainsAny(text, "#") || strings.Contains(text, "<<") {
		return "\nfi"
	}
	return "; fi"
}

// modern is a line's text with commands that GitHub's runners lack replaced by
// those that they have, and secrets in plain text by variables, whose names are
// secrets; retries tells whether travis_retry is used.
func modern(l *line) (text string, secrets []string, retries bool) {
	if l.file == nil {
		return travis.WithoutSecrets(l.text.Value), nil, false
	}
	edits, secrets := plainSecrets(l.file)
	functions := false
	syntax.Walk(l.file, func(node syntax.Node) bool {
		_, isFunction := node.(*syntax.FuncDecl)
		functions = functions || isFunction
		call, ok := node.(*syntax.CallExpr)
		if !ok {
			return true
		}
		for i, w := range call.Args {
			switch lit := w.Lit(); {
			case lit == "docker-compose":
				edits = append(edits, edit{int(w.Pos().Offset()), int(w.End().Offset()), "docker compose"})
			case lit == "travis_retry":
				retries = true
			case lit == "travis_wait" && i+1 < len(call.Args):
				next := call.Args[i+1]
				if strings.Trim(next.Lit(), "0123456789") == "" && next.Lit() != "" && i+2 < len(call.Args) {
					next = call.Args[i+2]
				}
				edits = append(edits, edit{int(w.Pos().Offset()), int(next.Pos().Offset()), ""})
			case lit == "return" && i == 0 && !functions:
				// Travis ran each line within a function of its own.
				word := map[bool]string{true: "true", false: "false"}[len(call.Args) > 1 && call.Args[1].Lit() == "0"]
				edits = append(edits, edit{int(w.Pos().Offset()), int(call.End().Offset()), word})
			case lit == "travis_terminate":
				edits = append(edits, edit{int(w.Pos().Offset()), int(w.End().Offset()), "exit"})
			default:
				if _, wrapper := wrappers[lit]; !wrapper {
					return true
				}
			}
		}
		return true
	})
	text = l.text.Value
	if at, ok := guard(l); ok {
		edits = append(edits, edit{0, 0, "if "}, edit{at, at + len("&&"), "; then"}, edit{len(strings.TrimRight(text, " \n;")), len(text), closing(text)})
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return b.from - a.from })
	for _, e := range edits {
		text = text[:e.from] + e.text + text[e.to:]
	}
	return text, secrets, retries
}
