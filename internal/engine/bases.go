package engine

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"

	"github.com/guk0/travois/internal/compose"
)

// imageContext begins a named context that is an image.
const imageContext = "docker-image://"

// Bases are the names of what a build starts from or copies out of, as far as
// its Dockerfile is here to be read: images, and stages of its own. Arguments
// in them are filled in. A Dockerfile that can't be read has none; the build
// will tell.
func Bases(build compose.Build) []string {
	var all []string
	for _, name := range slices.Sorted(maps.Keys(build.Contexts)) {
		if from, is := strings.CutPrefix(build.Contexts[name], imageContext); is {
			all = append(all, from)
		}
	}
	text, err := dockerfile(build)
	if err != nil {
		return all
	}
	if syntax, _, _, found := parser.DetectSyntax(text); found {
		all = append(all, syntax)
	}
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return all
	}
	scope := arguments{given: build.Args, known: map[string]string{}, lex: shell.NewLex(parsed.EscapeToken)}
	for _, one := range parsed.AST.Children {
		all = append(all, scope.bases(one)...)
	}
	return all
}

// dockerfile is the text of a build's Dockerfile, nothing for one that only
// BuildKit fetches.
func dockerfile(build compose.Build) ([]byte, error) {
	if build.Inline != "" || build.Remote() {
		return []byte(build.Inline), nil
	}
	return os.ReadFile(build.Dockerfile)
}

// arguments are those of a Dockerfile up to a line.
type arguments struct {
	given, known map[string]string
	lex          *shell.Lex
}

// bases are those that one instruction names.
func (a arguments) bases(node *parser.Node) []string {
	switch strings.ToLower(node.Value) {
	case "arg":
		for word := node.Next; word != nil; word = word.Next {
			a.learn(word.Value)
		}
	case "from":
		if node.Next != nil {
			return []string{a.fill(node.Next.Value)}
		}
	case "copy", "add", "run":
		return a.flags(node.Flags)
	}
	return nil
}

// learn takes NAME or NAME=DEFAULT.
func (a arguments) learn(word string) {
	name, value, _ := strings.Cut(word, "=")
	if given, is := a.given[name]; is {
		a.known[name] = given
	} else if value != "" {
		a.known[name] = a.fill(value)
	}
}

// flags are the bases in --from=NAME and in --mount=…,from=NAME,….
func (a arguments) flags(flags []string) []string {
	var all []string
	for _, flag := range flags {
		if from, is := strings.CutPrefix(flag, "--from="); is {
			all = append(all, a.fill(from))
		}
		mount, _ := strings.CutPrefix(flag, "--mount=")
		for pair := range strings.SplitSeq(mount, ",") {
			if from, is := strings.CutPrefix(pair, "from="); is {
				all = append(all, a.fill(from))
			}
		}
	}
	return all
}

// fill puts the arguments' values in. What can't be filled in stays.
func (a arguments) fill(word string) string {
	var pairs []string
	for name, value := range a.known {
		pairs = append(pairs, name+"="+value)
	}
	filled, _, err := a.lex.ProcessWord(word, shell.EnvsFromSlice(pairs))
	if err != nil {
		return word
	}
	return filled
}
