package engine

import (
	"bytes"
	"strings"

	"github.com/moby/buildkit/frontend/dockerfile/parser"

	"github.com/guk0/travois/internal/compose"
)

// lineOfStep finds the line of a step by its instruction, as BuildKit names it
// in its progress: engines before 23 do not tell the place of an error. It is 0
// where no line of the Dockerfile, or more than one, reads like that.
func lineOfStep(build compose.Build, instruction string) int {
	text, err := dockerfile(build)
	if err != nil {
		return 0
	}
	parsed, err := parser.Parse(bytes.NewReader(text))
	if err != nil {
		return 0
	}
	line := 0
	for _, one := range parsed.AST.Children {
		if !sameWords(one.Original, instruction) {
			continue
		}
		if line > 0 {
			return 0
		}
		line = one.StartLine
	}
	return line
}

func sameWords(a, b string) bool {
	return strings.Join(strings.Fields(a), " ") == strings.Join(strings.Fields(b), " ")
}
