// Package travis owns .travis.yml: it reads one or more files into sections
// whose keys are taken one by one, so that what nobody took is known.
// The keys are those of Travis's schema (travis-ci/travis-yml, schema/def).
package travis

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/place"
	"github.com/guk0/travois/internal/yamlsource"
)

// File is a .travis.yml, or a part of one.
type File struct {
	Name   string
	Source []byte
}

// Place is where something stands.
type Place struct {
	File string
	Line int
}

func (p Place) String() string { return fmt.Sprintf("%s:%d", p.File, p.Line) }

// Text is a scalar with its place.
type Text struct {
	Value string
	Place Place
}

// Node is a value with the document that it stands in.
type Node struct {
	*yaml.Node
	doc *yamlsource.Document
}

// Key is an entry of a section.
type Key struct {
	Name  string
	Place Place
	Node  Node
	taken bool
}

// Section is a mapping: the whole configuration, a job, a deployment.
type Section struct {
	Place Place
	keys  []*Key
}

// Read reads the files as one configuration. With repair, tabs in indentations
// are read as spaces. The error reports what is wrong with each file, and each
// key that two files have, as "file:line: …".
func Read(files []File, repair bool) (*Section, error) {
	whole := &Section{}
	var problems []error
	for _, file := range files {
		section, err := readFile(file, repair)
		if err != nil {
			problems = append(problems, err)
			continue
		}
		problems = append(problems, whole.join(section)...)
	}
	if err := errors.Join(problems...); err != nil {
		return nil, err
	}
	if len(files) > 0 {
		whole.Place = Place{files[0].Name, 1}
	}
	return whole, nil
}

// Tabs are the lines of a file whose indentation has tabs, where spaces in their
// place make it valid.
func Tabs(file File) []int {
	_, lines := yamlsource.SpacesForTabs(file.bare())
	return lines
}

// bare is the file without what marks its beginning and end.
func (f File) bare() []byte {
	return withoutMarkers(bytes.TrimPrefix(f.Source, []byte("\ufeff")))
}

func readFile(file File, repair bool) (*Section, error) {
	source := file.bare()
	if repair {
		source, _ = yamlsource.SpacesForTabs(source)
	}
	doc, err := yamlsource.Parse(file.Name, source)
	if err != nil {
		return nil, err
	}
	root := Node{doc.Root, doc}
	if doc.Root.Kind != yaml.MappingNode {
		return nil, doc.Errorf(doc.Root, "found %s; a .travis.yml has keys such as script: and deploy:", root.Kind())
	}
	return root.Section(), nil
}

// withoutMarkers blanks the lines that only mark where a document begins or
// ends: a cut-out piece may have them anywhere. Lines keep their numbers.
func withoutMarkers(source []byte) []byte {
	lines := strings.SplitAfter(string(source), "\n")
	for i, line := range lines {
		bare := strings.TrimRight(line, " \t\r\n")
		if bare == "..." || (bare == "---" && first(lines[:i])) {
			lines[i] = "\n"
		}
	}
	return []byte(strings.Join(lines, ""))
}

// first tells whether only comments and empty lines stand before.
func first(lines []string) bool {
	return !slices.ContainsFunc(lines, func(line string) bool {
		line = strings.TrimSpace(line)
		return line != "" && line[0] != '#'
	})
}

func (s *Section) join(other *Section) []error {
	var problems []error
	for _, key := range other.keys {
		if i := slices.IndexFunc(s.keys, func(k *Key) bool { return k.Name == key.Name }); i >= 0 {
			problems = append(problems, place.At(key.Place.File, key.Place.Line,
				fmt.Errorf("key %q is in %s too: keep one of them", key.Name, s.keys[i].Place)))
			continue
		}
		s.keys = append(s.keys, key)
	}
	return problems
}

// Has tells whether a key is there. Travis took a dash in a key for an
// underscore.
func (s *Section) Has(name string) bool { return s.find(name) != nil }

func (s *Section) find(name string) *Key {
	for _, key := range s.keys {
		if key.Name == name || strings.ReplaceAll(key.Name, "-", "_") == name {
			return key
		}
	}
	return nil
}

// Look is the value of a key, which stays one that nobody took.
func (s *Section) Look(name string) (Node, bool) {
	key := s.find(name)
	if key == nil {
		return Node{}, false
	}
	return key.Node, true
}

// Take is the value of the first of the keys that is there, and marks it as
// understood.
func (s *Section) Take(names ...string) (Node, bool) {
	for _, name := range names {
		if key := s.find(name); key != nil {
			key.taken = true
			return key.Node, true
		}
	}
	return Node{}, false
}

// TakeText is a scalar's text, empty when the key is not there.
func (s *Section) TakeText(names ...string) Text {
	node, ok := s.Take(names...)
	if !ok {
		return Text{}
	}
	return node.Text()
}

// Rest are the keys that nobody took.
func (s *Section) Rest() []*Key {
	return slices.DeleteFunc(slices.Clone(s.keys), func(k *Key) bool { return k.taken })
}

// GiveBack makes a key one that nobody took.
func (s *Section) GiveBack(name string) {
	if key := s.find(name); key != nil {
		key.taken = false
	}
}

// Names are the section's keys, in order.
func (s *Section) Names() []string {
	var names []string
	for _, key := range s.keys {
		names = append(names, key.Name)
	}
	return names
}

// Over is a section with the keys of another laid over its own; own keys in
// without are left out.
func (s *Section) Over(other *Section, without ...string) *Section {
	out := &Section{Place: other.Place}
	out.keys = slices.Clone(other.keys)
	for _, key := range s.keys {
		if !other.Has(key.Name) && !slices.Contains(without, key.Name) {
			out.keys = append(out.keys, key)
		}
	}
	return out
}

// Only is a section with some of the keys.
func (s *Section) Only(names ...string) *Section {
	out := &Section{Place: s.Place}
	for _, key := range s.keys {
		if slices.Contains(names, strings.ReplaceAll(key.Name, "-", "_")) {
			out.keys = append(out.keys, key)
		}
	}
	return out
}

// Count is how many elements the value of a key has, 0 without the key.
func (s *Section) Count(name string) int {
	key := s.find(name)
	if key == nil {
		return 0
	}
	return len(key.Node.Items())
}
