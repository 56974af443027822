package migrate

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

var travisVariable = regexp.MustCompile(`\bTRAVIS(_[A-Z]+)+\b`)

// readByScripts are Travis's variables that the scripts of a line read, those
// that lie beside the file.
func (u *unit) readByScripts(l *line) []string {
	var names []string
	syntax.Walk(l.file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		for _, w := range unwrapped(call).Args {
			name := w.Lit()
			if !strings.HasPrefix(name, "./") && !strings.HasSuffix(name, ".sh") && name != "make" {
				continue
			}
			if name == "make" {
				name = "Makefile"
			}
			content, _ := u.c.read(path.Join(l.dir, name))
			for _, found := range travisVariable.FindAllString(string(content), -1) {
				if _, ok := travisVariables[found]; ok || found == "TRAVIS_OS_NAME" {
					names = append(names, found)
				}
			}
		}
		return true
	})
	slices.Sort(names)
	return slices.Compact(names)
}
