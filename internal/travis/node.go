package travis

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// Place is where the value begins.
func (n Node) Place() Place { return Place{n.doc.File, n.Line} }

// Kind names what the value is, for messages.
func (n Node) Kind() string {
	switch followed := yamlsource.Follow(n.Node); {
	case yamlsource.IsNull(followed):
		return "nothing"
	case followed.Kind == yaml.MappingNode:
		return "a mapping"
	case followed.Kind == yaml.SequenceNode:
		return "a list"
	default:
		return "the text " + followed.Value
	}
}

// IsMap tells whether the value is a mapping.
func (n Node) IsMap() bool { return n.kind() == yaml.MappingNode }

// IsList tells whether the value is a list.
func (n Node) IsList() bool { return n.kind() == yaml.SequenceNode }

// IsNull tells whether the value is null or not there.
func (n Node) IsNull() bool { return n.Node == nil || yamlsource.IsNull(yamlsource.Follow(n.Node)) }

func (n Node) kind() yaml.Kind {
	if n.Node == nil {
		return 0
	}
	return yamlsource.Follow(n.Node).Kind
}

// Text is a scalar with its place; a value that is no scalar has no text.
func (n Node) Text() Text {
	if n.kind() != yaml.ScalarNode || n.IsNull() {
		return Text{Place: n.placeOrNone()}
	}
	return Text{yamlsource.Follow(n.Node).Value, n.Place()}
}

func (n Node) placeOrNone() Place {
	if n.Node == nil {
		return Place{}
	}
	return n.Place()
}

// True tells whether a scalar is one of YAML 1.1's words for true, as Travis
// reads them, or the given word.
func (n Node) True() bool {
	switch strings.ToLower(n.Text().Value) {
	case "true", "yes", "on":
		return true
	}
	return false
}

// False is the counterpart of True.
func (n Node) False() bool {
	switch strings.ToLower(n.Text().Value) {
	case "false", "no", "off":
		return true
	}
	return false
}

// Section is the value as a mapping, with merge keys followed.
func (n Node) Section() *Section {
	s := &Section{Place: n.placeOrNone()}
	for _, pair := range yamlsource.Pairs(n.Node) {
		key := yamlsource.Follow(pair.Key)
		s.keys = append(s.keys, &Key{
			Name:  key.Value,
			Place: Place{n.doc.File, key.Line},
			Node:  Node{pair.Value, n.doc},
		})
	}
	return s
}

// Keys are the entries of a mapping, in order.
func (n Node) Keys() []*Key { return n.Section().keys }

// Items are the elements of a list; any other value is its own only element,
// as Travis takes a single value for a list of one.
func (n Node) Items() []Node {
	if n.IsNull() {
		return nil
	}
	if !n.IsList() {
		return []Node{n}
	}
	var items []Node
	for _, item := range yamlsource.Follow(n.Node).Content {
		items = append(items, Node{item, n.doc})
	}
	return items
}

// Texts are the scalars among the Items.
func (n Node) Texts() []Text {
	var texts []Text
	for _, item := range n.Items() {
		if text := item.Text(); text.Value != "" {
			texts = append(texts, text)
		}
	}
	return texts
}

// Secure tells whether the value is encrypted, as {secure: …}.
func (n Node) Secure() bool {
	return n.IsMap() && yamlsource.Lookup(yamlsource.Follow(n.Node), "secure") != nil
}

// Anchored tells whether the value has a name for aliases.
func (n Node) Anchored() bool { return n.Node != nil && n.Anchor != "" }
