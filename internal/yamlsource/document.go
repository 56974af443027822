// Package yamlsource owns YAML as its author wrote it: what is wrong with a
// file and where, and which bytes a node covers. It changes nothing itself.
package yamlsource

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/place"
)

// maxNodes bounds how many nodes a document may have once its aliases are
// followed, since a few lines of nested aliases can stand for billions.
const maxNodes = 200_000

// Document is one parsed YAML file with the bytes that it came from.
type Document struct {
	// File is the name for messages.
	File string
	// Source is the file, byte for byte.
	Source []byte
	// Root is the document's only value.
	Root *yaml.Node

	lines []int
}

// Parse reads a file of exactly one YAML document. The error reports all that
// Diagnose finds, or every duplicate key and wrong merge, each as "file:line: …".
func Parse(file string, source []byte) (*Document, error) {
	if err := checkText(file, source); err != nil {
		return nil, err
	}
	root, err := parseOne(source)
	if err != nil {
		return nil, Diagnose(file, source, err)
	}
	d := &Document{File: file, Source: source, Root: root, lines: lineStarts(source)}
	if err := d.checkAliases(); err != nil {
		return nil, err
	}
	if err := d.checkKeys(); err != nil {
		return nil, err
	}
	return d, nil
}

var errNotUTF8 = errors.New("the file is not UTF-8: save it as UTF-8")

func checkText(file string, source []byte) error {
	if len(bytes.TrimSpace(source)) == 0 {
		return place.At(file, 0, errors.New("the file is empty"))
	}
	if utf8.Valid(source) {
		return nil
	}
	for i, line := range bytes.Split(source, []byte("\n")) {
		if !utf8.Valid(line) {
			return place.At(file, i+1, errNotUTF8)
		}
	}
	return place.At(file, 0, errNotUTF8)
}

// secondDocument is reported with its line, which yaml.v3 has no error for.
type secondDocument struct{ line int }

func (e secondDocument) Error() string {
	return fmt.Sprintf("yaml: line %d: a second YAML document begins here: keep one document a file", e.line)
}

func parseOne(source []byte) (root *yaml.Node, err error) {
	// The parser reports its own impossible states by panicking; a file must
	// not be able to end the process.
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("yaml: %v", r)
		}
	}()
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	var first, second yaml.Node
	if err := decoder.Decode(&first); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, errors.New("yaml: line 1: the file has no content besides comments")
		}
		return nil, err
	}
	if err := decoder.Decode(&second); err == nil {
		return nil, secondDocument{line: second.Line}
	} else if !errors.Is(err, io.EOF) {
		return nil, err
	}
	if len(first.Content) != 1 {
		return nil, errors.New("yaml: line 1: the file has no content besides comments")
	}
	return first.Content[0], nil
}

// checkAliases refuses what could not be followed to an end.
func (d *Document) checkAliases() error {
	left := maxNodes
	open := map[*yaml.Node]bool{}
	var visit func(n *yaml.Node) error
	visit = func(n *yaml.Node) error {
		if left--; left < 0 {
			return d.Errorf(d.Root, "the file's aliases stand for more than %d nodes: write it with fewer aliases", maxNodes)
		}
		if open[n] {
			return d.Errorf(n, "anchor %q contains itself: write the part out", n.Anchor)
		}
		open[n] = true
		defer delete(open, n)
		if n.Kind == yaml.AliasNode {
			return visit(n.Alias)
		}
		for _, child := range n.Content {
			if err := visit(child); err != nil {
				return err
			}
		}
		return nil
	}
	return visit(d.Root)
}

// checkKeys reports what a parser lets pass and a decoder does not.
func (d *Document) checkKeys() error {
	var problems []error
	Walk(d.Root, func(n *yaml.Node) {
		if n.Kind == yaml.MappingNode {
			problems = append(problems, d.duplicates(n)...)
			problems = append(problems, d.merges(n)...)
		}
	})
	return errors.Join(problems...)
}

func (d *Document) duplicates(mapping *yaml.Node) []error {
	var problems []error
	seen := map[string]*yaml.Node{}
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key := Follow(mapping.Content[i])
		if key.Kind != yaml.ScalarNode {
			problems = append(problems, d.Errorf(mapping.Content[i], "a key is a list or a mapping; write a text"))
			continue
		}
		id := key.ShortTag() + " " + key.Value
		if first, twice := seen[id]; twice {
			problems = append(problems, d.Errorf(key, "key %q is given twice, first on line %d: keep one%s", key.Value, first.Line, mergeHint(key)))
			continue
		}
		seen[id] = key
	}
	return problems
}

func (d *Document) merges(mapping *yaml.Node) []error {
	var problems []error
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if !IsMerge(mapping.Content[i]) {
			continue
		}
		for _, source := range mergeSources(mapping.Content[i+1]) {
			if Follow(source).Kind != yaml.MappingNode {
				problems = append(problems, d.Errorf(source, "<< merges a mapping, as <<: *anchor, or a list of mappings; this is neither"))
			}
		}
	}
	return problems
}

func mergeHint(key *yaml.Node) string {
	if IsMerge(key) {
		return ", as <<: [*a, *b]"
	}
	return ""
}

// Walk calls visit for a node and all that is written below it, in the order
// of the file. Aliases are visited, not followed.
func Walk(n *yaml.Node, visit func(*yaml.Node)) {
	visit(n)
	for _, child := range n.Content {
		Walk(child, visit)
	}
}

// Errorf is an error at the place of a node.
func (d *Document) Errorf(n *yaml.Node, format string, args ...any) error {
	return place.At(d.File, n.Line, fmt.Errorf(format, args...))
}

// plainReason is a parser's message without its prefix, and the line in it,
// 0 when it names none.
func plainReason(err error) (line int, reason string) {
	reason = strings.TrimPrefix(err.Error(), "yaml: ")
	if n, scan := fmt.Sscanf(reason, "line %d: ", &line); scan == nil && n == 1 {
		_, reason, _ = strings.Cut(reason, ": ")
	}
	return line, reason
}
