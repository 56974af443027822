package bundle

import (
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

func (e *emission) sequence(at []string, items []any, parts []part, from spot) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	e.spots[n] = from
	for i := 0; i < len(items); {
		item, covers, err := e.item(at, items[i:], parts, from)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, item)
		i += covers
	}
	return n, nil
}

// item writes the first of some items as it stands in a file, where one that
// stands there may cover several, such as a range of ports.
func (e *emission) item(at []string, items []any, parts []part, from spot) (n *yaml.Node, covers int, err error) {
	same := func(one any) bool { return reflect.DeepEqual(one, items[0]) }
	found := false
	for _, p := range parts {
		for _, item := range listed(p.node) {
			spelt := e.spell(at, item, ".")
			if e.verbatim && len(spelt) > 0 && len(spelt) <= len(items) && reflect.DeepEqual(spelt, items[:len(spelt)]) {
				return e.copy(p, item), len(spelt), nil
			}
			if !slices.ContainsFunc(e.spell(at, item, p.folder), same) {
				continue
			}
			if short := moved(item, items[0]); short != nil && slices.ContainsFunc(spell(at, short, "."), same) {
				return e.copy(p, short), 1, nil
			}
			if !found {
				from, found = p.spot(item), true
			}
		}
		if pair, is := setting(p.node, items[0]); is && !found {
			from, found = p.spot(pair.Key), true
		}
	}
	n, err = e.value(append(slices.Clone(at), "[]"), items[0], nil, from)
	return n, 1, err
}

// setting is the entry of a mapping that an item such as A=1 comes from.
func setting(n *yaml.Node, item any) (yamlsource.Pair, bool) {
	text, _ := item.(string)
	key, _, _ := strings.Cut(text, "=")
	return yamlsource.Get(n, key)
}

// moved is an item in the short form, such as ./conf:/etc/conf, with the path
// that it has from the tree's root; nil where it has no short form.
func moved(item *yaml.Node, value any) *yaml.Node {
	long, isMap := value.(map[string]any)
	if !isMap || item.Kind != yaml.ScalarNode {
		return nil
	}
	short := *item
	if file, ok := long["path"].(string); ok {
		short.Value = file
	} else if source, ok := long["source"].(string); ok {
		short.Value = source + strings.TrimPrefix(item.Value, splitMount(item.Value)[0])
	}
	return &short
}

// listed are the items of a list, or the one text that stands in its place.
func listed(n *yaml.Node) []*yaml.Node {
	switch n.Kind {
	case yaml.SequenceNode:
		return n.Content
	case yaml.ScalarNode:
		return []*yaml.Node{n}
	}
	return nil
}

// spelling is an item of a file as the library spells it, its paths taken from
// a folder.
type spelling struct {
	item   *yaml.Node
	folder string
}

// spell is kept, since each item is held against each one that is written.
func (e *emission) spell(at []string, item *yaml.Node, folder string) []any {
	key := spelling{item, folder}
	if _, known := e.spelt[key]; !known {
		e.spelt[key] = spell(at, item, folder)
	}
	return e.spelt[key]
}

// spell is an item of a list as the library spells it.
func spell(at []string, item *yaml.Node, folder string) []any {
	value, ok := valueOf(item)
	if !ok {
		return nil
	}
	spelt, _ := canonical(at, []any{value}, folder)
	list, _ := spelt.([]any)
	return list
}

// itemOf is the item of a list such as A=1 that is about a key.
func itemOf(n *yaml.Node, key string) *yaml.Node {
	if n.Kind != yaml.SequenceNode {
		return nil
	}
	for _, item := range n.Content {
		if name, _, _ := strings.Cut(item.Value, "="); name == key {
			return item
		}
	}
	return nil
}
