package bundle

import (
	"bytes"
	"errors"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// maxExpansions bounds how many aliases are written out one after the other.
const maxExpansions = 1000

// site is where a node stands.
type site struct {
	node, parent *yaml.Node
	// index is the node's in parent.Content.
	index int
	// brackets is set inside of a collection in flow style.
	brackets bool
	above    *site
}

// sites finds where each node is written.
func sites(root *yaml.Node) map[*yaml.Node]*site {
	found := map[*yaml.Node]*site{}
	var visit func(s *site)
	visit = func(s *site) {
		found[s.node] = s
		inside := s.brackets || (s.node.Kind != yaml.ScalarNode && s.node.Style&yaml.FlowStyle != 0)
		for i, child := range s.node.Content {
			visit(&site{node: child, parent: s.node, index: i, brackets: inside, above: s})
		}
	}
	visit(&site{node: root})
	return found
}

// merge is the site of the << value that a node is or stands in a list of, nil
// when it is not merged.
func (s *site) merge() *site {
	for at := s; at != nil && at.parent != nil; at = at.above {
		if at.parent.Kind == yaml.MappingNode {
			if at.index%2 == 1 && yamlsource.IsMerge(at.parent.Content[at.index-1]) {
				return at
			}
			return nil
		}
	}
	return nil
}

// expand writes an alias out, in place, with the value that it stands for, or a
// merge with the entries that come through it.
func expand(d *yamlsource.Document, alias *yaml.Node) ([]byte, error) {
	s := sites(d.Root)[alias]
	if s == nil || s.parent == nil {
		return nil, errors.New("an alias was not found where it is written")
	}
	var edits []edit
	var err error
	if m := s.merge(); m != nil {
		edits, err = expandMerge(d, m)
	} else {
		edits, err = expandValue(d, s)
	}
	if err != nil {
		return nil, err
	}
	return apply(d.Source, edits)
}

func expandMerge(d *yamlsource.Document, s *site) ([]edit, error) {
	all, err := elements(d, s.parent)
	if err != nil {
		return nil, err
	}
	i := s.index / 2
	entries := &yaml.Node{Kind: yaml.MappingNode}
	for _, pair := range yamlsource.Pairs(s.parent) {
		if pair.Merge == s.node {
			entries.Content = append(entries.Content, copyOf(pair.Key), copyOf(pair.Value))
		}
	}
	if len(entries.Content) == 0 {
		return removals(d, s.parent, all, map[int]bool{i: true})
	}
	if d.InBrackets(s.parent) {
		text, err := flowText(entries)
		text = strings.TrimSuffix(strings.TrimPrefix(text, "{"), "}")
		return []edit{{all[i].from, all[i].to, text}}, err
	}
	lines, err := blockLines(entries)
	column := all[i].from - d.LineStart(all[i].from)
	return []edit{{all[i].from, all[i].to, join(d, lines, column)}}, err
}

func expandValue(d *yamlsource.Document, s *site) ([]edit, error) {
	from, to := d.Start(s.node), d.End(s.node, 0)
	value := copyOf(s.node.Alias)
	if s.brackets || len(value.Content) == 0 {
		text, err := flowText(value)
		return []edit{{from, to, text}}, err
	}
	lines, err := blockLines(value)
	if s.parent.Kind == yaml.SequenceNode {
		return []edit{{from, to, join(d, lines, from-d.LineStart(from))}}, err
	}
	column := s.parent.Content[s.index-1].Column - 1 + 2
	for from > 0 && d.Source[from-1] == ' ' {
		from--
	}
	return []edit{{from, to, newline(d) + strings.Repeat(" ", column) + join(d, lines, column)}}, err
}

// copyOf is a node as it can be written a second time: without the anchors,
// which stay the original's, and without comments. Long texts become quoted
// ones, behind which a comment may stand.
func copyOf(n *yaml.Node) *yaml.Node {
	c := &yaml.Node{Kind: n.Kind, Tag: n.Tag, Value: n.Value, Style: n.Style, Alias: n.Alias}
	if c.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 || strings.ContainsAny(c.Value, "\r\n\u0085\u2028\u2029") {
		c.Style = c.Style&yaml.TaggedStyle | yaml.DoubleQuotedStyle
	}
	switch {
	case yamlsource.IsMerge(n):
		c.Tag = ""
	case n.Kind == yaml.ScalarNode && yamlsource.IsNull(n):
		// The encoder would make a text of a null that has no letters.
		c.Value = "null"
	}
	for _, child := range n.Content {
		c.Content = append(c.Content, copyOf(child))
	}
	return c
}

// flowText writes a node on one line, as it may stand between brackets.
func flowText(n *yaml.Node) (string, error) {
	wrapped := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle, Content: []*yaml.Node{n}}
	yamlsource.Walk(n, func(n *yaml.Node) {
		if n.Kind == yaml.MappingNode || n.Kind == yaml.SequenceNode {
			n.Style |= yaml.FlowStyle
		}
	})
	text, err := encode(wrapped)
	if err != nil {
		return "", err
	}
	text = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	if strings.Contains(text, "\n") {
		return "", errors.New("an aliased value does not fit on a line")
	}
	return text, nil
}

func blockLines(n *yaml.Node) ([]string, error) {
	text, err := encode(n)
	return strings.Split(text, "\n"), err
}

func encode(n *yaml.Node) (text string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errors.New("an aliased value cannot be written out")
		}
	}()
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(n), encoder.Close()); err != nil {
		return "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}

func join(d *yamlsource.Document, lines []string, column int) string {
	return strings.Join(lines, newline(d)+strings.Repeat(" ", column))
}

// newline is the file's first line break.
func newline(d *yamlsource.Document) string {
	end := d.LineEnd(0)
	if next := d.NextLine(0); next > end {
		return string(d.Source[end:next])
	}
	return "\n"
}

// inTheWay is an alias that must be written out before the intents can be
// carried out by bytes, nil when none is left: one that a change would have to
// go through, or one whose anchor lies in what changes.
func inTheWay(d *yamlsource.Document, intents map[string]intent) *yaml.Node {
	t := touch{nodes: map[*yaml.Node]bool{}, replaced: map[*yaml.Node]bool{}}
	if alias := t.file(d, intents); alias != nil {
		return alias
	}
	var found *yaml.Node
	yamlsource.Walk(d.Root, func(n *yaml.Node) {
		if found == nil && n.Kind == yaml.AliasNode && t.nodes[n.Alias] && !t.replaced[n] {
			found = n
		}
	})
	return found
}

// touch collects the nodes that the intents change.
type touch struct {
	nodes map[*yaml.Node]bool
	// replaced are the nodes of which nothing stays.
	replaced map[*yaml.Node]bool
}

func (t touch) file(d *yamlsource.Document, intents map[string]intent) *yaml.Node {
	t.nodes[d.Root] = true
	services, alias := t.own(d.Root, "services")
	if alias != nil {
		return alias
	}
	for _, pair := range yamlsource.Pairs(services) {
		name := yamlsource.Follow(pair.Key).Value
		if in, changes := intents[name]; changes {
			service, alias := t.own(services, name)
			if alias == nil {
				alias = t.service(service, in)
			}
			if alias != nil {
				return alias
			}
		}
	}
	return nil
}

// own is the value that a mapping itself has for a key, or the alias or merge
// that is in the way to it.
func (t touch) own(mapping *yaml.Node, key string) (value, alias *yaml.Node) {
	pair, found := yamlsource.Get(mapping, key)
	switch {
	case !found:
		return nil, nil
	case pair.Merge != nil:
		return nil, pair.Merge
	case pair.Value.Kind == yaml.AliasNode:
		return nil, pair.Value
	}
	t.nodes[pair.Value] = true
	return pair.Value, nil
}

func (t touch) service(service *yaml.Node, in intent) *yaml.Node {
	if len(in.mounts) > 0 {
		volumes, alias := t.own(service, "volumes")
		if alias != nil {
			return alias
		}
		for i := range in.mounts {
			t.replace(volumes.Content[i])
		}
	}
	gone := in.drop
	if in.image != "" {
		gone = append(slices.Clone(gone), "image")
	}
	for _, key := range gone {
		pair, found := yamlsource.Get(service, key)
		if !found {
			continue
		}
		if merge := yamlsource.MergeOf(service, key); merge != nil {
			return merge
		}
		t.replace(pair.Value)
		if key != "image" {
			t.replace(pair.Key)
		}
	}
	return nil
}

func (t touch) replace(n *yaml.Node) {
	yamlsource.Walk(n, func(n *yaml.Node) {
		t.nodes[n], t.replaced[n] = true, true
	})
}
