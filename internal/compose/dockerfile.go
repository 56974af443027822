package compose

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/place"
)

// InlineAt is where a Dockerfile stands in a Compose file.
type InlineAt struct {
	// File is what a user calls the Compose file, "" if nobody knows.
	File string
	// Line is that of the Dockerfile's first line or, where the two have not the
	// same lines, the nearest one before it that is known.
	Line int
	// SameLines tells that each line of the Dockerfile is one of the Compose file.
	SameLines bool
}

// AtLine gives an error its place at a line of the Dockerfile, which counts from
// 1; 0 is the whole. A file outside of the workspace is named, and is no place.
func (b Build) AtLine(workspace string, line int, err error) error {
	switch {
	case b.Inline != "" && b.InlineAt.File == "":
		return err
	case b.Inline != "" && b.InlineAt.SameLines:
		return place.At(b.InlineAt.File, b.InlineAt.Line+max(line, 1)-1, err)
	case b.Inline != "":
		return place.At(b.InlineAt.File, b.InlineAt.Line, err)
	}
	return place.Within(workspace, b.Dockerfile, line, err)
}

// inlineAt finds a service's Dockerfile in the sources, the last of which wins.
// One that comes from elsewhere, as by extends, is where its service is.
func inlineAt(sources []source, service, text string) InlineAt {
	for _, one := range slices.Backward(sources) {
		if node := one.inline(service); node != nil {
			found := InlineAt{File: one.name, Line: node.Line}
			if node.Style&yaml.LiteralStyle != 0 && strings.Count(node.Value, "\n") == strings.Count(text, "\n") {
				found.Line, found.SameLines = node.Line+1, true // below the |
			}
			return found
		}
	}
	for _, one := range slices.Backward(sources) {
		if one.services != nil && lineOf(one.services, service) > 0 {
			return InlineAt{File: one.name, Line: lineOf(one.services, service)}
		}
	}
	return InlineAt{}
}

// inline is the node of a service's Dockerfile, nil if there is none.
func (s source) inline(service string) *yaml.Node {
	var found *yaml.Node
	s.each(func(name string, _ int, node *yaml.Node) {
		if name == service {
			found = child(child(node, "build"), "dockerfile_inline")
		}
	})
	return found
}
