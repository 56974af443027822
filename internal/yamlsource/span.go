package yamlsource

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// Content is the offset at which a node's value begins, after its anchor and
// its tag. For an empty value that is the end of the last of them.
func (d *Document) Content(n *yaml.Node) int {
	at := d.Start(n)
	if n.Kind == yaml.AliasNode || startsWithKey(n) {
		return at
	}
	anchor, tag := n.Anchor != "", true
	for {
		var end int
		switch {
		case anchor && d.at(at) == '&':
			end, anchor = at+1+len(n.Anchor), false
		case tag && d.at(at) == '!' && (n.Style&yaml.TaggedStyle != 0 || d.tagEnd(at+1) == at+1):
			end, tag = d.tagEnd(at+1), false
		default:
			return at
		}
		at = d.Trivia(end)
		if more := (anchor && d.at(at) == '&') || (n.Style&yaml.TaggedStyle != 0 && tag && d.at(at) == '!'); empty(n) && !more {
			return end
		}
	}
}

// startsWithKey tells of a mapping that has nothing in front of its first key,
// so that a tag or an anchor that stands there is the key's.
func startsWithKey(n *yaml.Node) bool {
	return n.Kind == yaml.MappingNode && len(n.Content) > 0 && n.Content[0].Line == n.Line && n.Content[0].Column == n.Column
}

// at is the byte at an offset, 0 at the end of the file.
func (d *Document) at(offset int) byte {
	if offset >= len(d.Source) {
		return 0
	}
	return d.Source[offset]
}

func empty(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.Value == "" && quoting(n) == 0
}

// quoting is a scalar's style without the mark of an explicit tag.
func quoting(n *yaml.Node) yaml.Style { return n.Style &^ yaml.TaggedStyle }

// tagEnd is where a tag ends whose text begins at an offset. In YAML 1.1 commas
// and square brackets are part of it.
func (d *Document) tagEnd(at int) int {
	if at < len(d.Source) && d.Source[at] == '<' {
		if end := strings.IndexByte(string(d.Source[at:]), '>'); end >= 0 {
			return at + end + 1
		}
	}
	for at < len(d.Source) && !strings.ContainsRune(" \t{}", rune(d.Source[at])) && breakAt(d.Source, at) == 0 {
		at++
	}
	return at
}

// End is the offset after a node's last byte. Comments and spaces behind it are
// not part of it. indent is the column, from 0, of the block collection that
// the node stands in; it matters to a block scalar with an explicit indent.
func (d *Document) End(n *yaml.Node, indent int) int {
	switch n.Kind {
	case yaml.AliasNode:
		return d.aliasEnd(n)
	case yaml.MappingNode, yaml.SequenceNode:
		return d.collectionEnd(n)
	default:
		return d.scalarEnd(n, indent)
	}
}

// aliasEnd goes by the name, since a colon may stand in a name or behind it.
func (d *Document) aliasEnd(n *yaml.Node) int {
	return min(len(d.Source), d.Start(n)+1+len(n.Value))
}

func (d *Document) collectionEnd(n *yaml.Node) int {
	at := d.Content(n)
	closing := d.closing(n, at)
	if closing != 0 {
		at++
	}
	if len(n.Content) > 0 {
		at = d.End(n.Content[len(n.Content)-1], d.indentOf(n, at))
	}
	if closing == 0 && n.Style&yaml.FlowStyle != 0 && d.at(at) == ':' {
		// The parser puts the empty value of [a: , b] onto the colon.
		return at + 1
	}
	if closing == 0 {
		return at
	}
	for at = d.Trivia(at); at < len(d.Source) && d.Source[at] != closing; at = d.Trivia(at + 1) {
		// Between the last element and the bracket are only commas and the
		// marks of an entry without a value.
		if !strings.ContainsRune(",:?", rune(d.Source[at])) {
			return at
		}
	}
	return min(at+1, len(d.Source))
}

// indentOf is the column, from 0, of a collection's keys or dashes.
func (d *Document) indentOf(n *yaml.Node, content int) int {
	if n.Kind == yaml.MappingNode {
		return n.Content[len(n.Content)-2].Column - 1
	}
	return content - d.LineStart(content)
}

// closing is the bracket that ends a collection in flow style, 0 when it has
// none: in block style, or as the single pair of [a: b].
func (d *Document) closing(n *yaml.Node, at int) byte {
	if n.Style&yaml.FlowStyle == 0 || at >= len(d.Source) {
		return 0
	}
	switch {
	case n.Kind == yaml.MappingNode && d.Source[at] == '{':
		return '}'
	case n.Kind == yaml.SequenceNode && d.Source[at] == '[':
		return ']'
	}
	return 0
}

// InBrackets tells whether a collection stands between brackets.
func (d *Document) InBrackets(n *yaml.Node) bool { return d.closing(n, d.Content(n)) != 0 }

func (d *Document) scalarEnd(n *yaml.Node, indent int) int {
	at := d.Content(n)
	switch quoting(n) {
	case yaml.DoubleQuotedStyle:
		return d.quotedEnd(at, '"')
	case yaml.SingleQuotedStyle:
		return d.quotedEnd(at, '\'')
	case yaml.LiteralStyle, yaml.FoldedStyle:
		return d.blockEnd(n, at, indent)
	default:
		return d.plainEnd(n, at)
	}
}

func (d *Document) quotedEnd(at int, quote byte) int {
	for at++; at < len(d.Source); at++ {
		switch {
		case quote == '"' && d.Source[at] == '\\':
			at++
		case d.Source[at] != quote:
		case quote == '\'' && at+1 < len(d.Source) && d.Source[at+1] == quote:
			at++
		default:
			return at + 1
		}
	}
	return len(d.Source)
}

// plainEnd matches the value with the source word by word, since a plain
// scalar has no escapes but may be folded over lines.
func (d *Document) plainEnd(n *yaml.Node, at int) int {
	for _, word := range strings.Fields(n.Value) {
		for at < len(d.Source) {
			r, size := utf8.DecodeRune(d.Source[at:])
			if !unicode.IsSpace(r) {
				break
			}
			at += size
		}
		at = min(at+len(word), len(d.Source))
	}
	return at
}

// blockEnd is the end of a block scalar's last line with content.
func (d *Document) blockEnd(n *yaml.Node, at, indent int) int {
	end := d.LineEnd(at)
	if strings.Trim(n.Value, "\n") == "" {
		return end
	}
	deep := explicitIndent(d.Source[at:end])
	if deep > 0 {
		deep += max(indent, 0)
	}
	for line := d.NextLine(at); line < len(d.Source); line = d.NextLine(line) {
		stop := d.LineEnd(line)
		if d.Blank(line, stop) {
			continue
		}
		spaces := leadingSpaces(d.Source[line:stop])
		if deep == 0 {
			deep = max(spaces, 1)
		}
		if spaces < deep {
			break
		}
		end = stop
	}
	return end
}

func explicitIndent(header []byte) int {
	for _, c := range header[min(1, len(header)):min(3, len(header))] {
		if c >= '1' && c <= '9' {
			return int(c - '0')
		}
	}
	return 0
}

func leadingSpaces(line []byte) int {
	n := 0
	for n < len(line) && line[n] == ' ' {
		n++
	}
	return n
}
