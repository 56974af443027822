package bundle

import (
	"cmp"
	"errors"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// emission writes what files mean together in the words of the files.
type emission struct {
	docs     []*doc
	extended map[string]*doc
	// verbatim tells that what one file says alone is written as it is there.
	verbatim bool
	spots    map[*yaml.Node]spot
	spelt    map[spelling][]any
}

// part is a node of a file that says something about what is written.
type part struct {
	*doc
	node *yaml.Node
}

func (p part) spot(n *yaml.Node) spot { return spot{p.File, n.Line} }

// write is the file with the spot of each line, proven to mean the model.
func (e *emission) write(name string, model map[string]any, header string) ([]byte, spots, error) {
	var parts []part
	for _, d := range slices.Backward(e.docs) {
		parts = append(parts, part{d, d.root})
	}
	root, err := e.mapping(nil, model, parts, spot{e.docs[0].File, 1})
	if err != nil {
		return nil, nil, err
	}
	written, err := encode(root)
	if err != nil {
		return nil, nil, err
	}
	content := []byte(header + written + "\n")
	result, err := yamlsource.Parse(name, content)
	if err != nil {
		return nil, nil, err
	}
	value, ok := valueOf(plain(result.Root))
	if spelt, spells := canonical(nil, value, "."); !ok || !spells || !reflect.DeepEqual(unkept(spelt), unkept(model)) {
		return nil, nil, errors.New("the result does not say what the files say together")
	}
	return content, e.lines(root, result.Root), nil
}

// lines are the spots of a written tree, by the lines of the text that was
// parsed from it.
func (e *emission) lines(written, parsed *yaml.Node) spots {
	var all spots
	var visit func(w, p *yaml.Node)
	visit = func(w, p *yaml.Node) {
		for i := range min(len(w.Content), len(p.Content)) {
			visit(w.Content[i], p.Content[i])
		}
		for len(all) <= p.Line {
			all = append(all, spot{})
		}
		if all[p.Line] == (spot{}) {
			all[p.Line] = e.spots[w]
		}
	}
	visit(written, parsed)
	return all
}

func (e *emission) value(at []string, value any, parts []part, from spot) (*yaml.Node, error) {
	for _, p := range parts {
		if e.verbatim && means(at, p.node, value) {
			return e.copy(p, p.node), nil
		}
	}
	switch v := value.(type) {
	case map[string]any:
		return e.mapping(at, v, parts, from)
	case []any:
		return e.sequence(at, v, parts, from)
	}
	return e.scalar(value, from)
}

func (e *emission) scalar(value any, from spot) (*yaml.Node, error) {
	if text, ok := value.(string); ok {
		value = strings.ReplaceAll(text, kept, "")
	}
	n, err := nodeOf(value)
	e.spots[n] = from
	return n, err
}

func (e *emission) mapping(at []string, value map[string]any, parts []part, from spot) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	e.spots[n] = from
	for _, key := range ordered(value, parts) {
		below, comment, place := e.below(at, key, parts, from)
		if len(below) == 0 && implied(at, key, value[key]) {
			continue
		}
		k, err := e.scalar(key, place)
		if err != nil {
			return nil, err
		}
		if e.verbatim {
			k.HeadComment = comment
		}
		v, err := e.value(append(slices.Clone(at), key), value[key], below, place)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, k, v)
	}
	return n, nil
}

// implied tells what the library adds where a dependency has no long form, and
// Compose 1 does not know.
func implied(at []string, key string, value any) bool {
	return len(at) == 4 && at[0] == "services" && at[2] == "depends_on" && key == "required" && value == true
}

// ordered are the keys as the files have them, the first file's first.
func ordered(value map[string]any, parts []part) []string {
	var keys []string
	for _, p := range slices.Backward(parts) {
		for _, pair := range yamlsource.Pairs(p.node) {
			if _, there := value[pair.Key.Value]; there && !slices.Contains(keys, pair.Key.Value) {
				keys = append(keys, pair.Key.Value)
			}
		}
	}
	for _, key := range slices.Sorted(maps.Keys(value)) {
		if !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// below is what the parts say about a key of theirs, the first file's comment
// on it, and the place to name for it, which is the last file's.
func (e *emission) below(at []string, key string, parts []part, from spot) ([]part, string, spot) {
	var all []part
	comment := ""
	found := false
	for _, p := range parts {
		if n := itemOf(p.node, key); n != nil && !found {
			from, found = p.spot(n), true
		}
		for _, pair := range yamlsource.Pairs(p.node) {
			if pair.Key.Value != key {
				continue
			}
			if !found {
				from, found = p.spot(pair.Key), true
			}
			comment = cmp.Or(pair.Key.HeadComment, comment)
			all = append(all, part{p.doc, pair.Value})
		}
	}
	if len(at) == 1 && at[0] == "services" {
		for i := 0; i < len(all) && i < maxLinks; i++ {
			if base, ok := e.base(all[i]); ok {
				all = append(all, base)
			}
		}
	}
	return all, comment, from
}

// base is the service that another one extends.
func (e *emission) base(service part) (part, bool) {
	extends := yamlsource.Lookup(service.node, "extends")
	if extends == nil {
		return part{}, false
	}
	name, in := extends.Value, service.doc
	if extends.Kind == yaml.MappingNode {
		name = text(extends, "service")
		if file := text(extends, "file"); file != "" {
			in = e.extended[path.Join(service.folder, file)]
		}
	}
	if in == nil {
		return part{}, false
	}
	n := yamlsource.Lookup(yamlsource.Lookup(in.root, "services"), name)
	return part{in, n}, n != nil
}

// means tells whether a node, read from the tree's root, is a value.
func means(at []string, n *yaml.Node, value any) bool {
	is, ok := valueOf(n)
	if !ok {
		return false
	}
	spelt, ok := canonical(at, is, ".")
	return ok && reflect.DeepEqual(spelt, value)
}

// copy is a node as it stands in a file.
func (e *emission) copy(p part, n *yaml.Node) *yaml.Node {
	c := *n
	c.Value = strings.ReplaceAll(n.Value, kept, "")
	c.Content = nil
	if n.Kind == yaml.ScalarNode && yamlsource.IsNull(n) {
		c.Value = "null" // The encoder would make a text of one that has no letters.
	}
	for _, child := range n.Content {
		c.Content = append(c.Content, e.copy(p, child))
	}
	e.spots[&c] = p.spot(n)
	return &c
}
