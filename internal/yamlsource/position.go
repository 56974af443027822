package yamlsource

import (
	"bytes"
	"sort"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

var bom = []byte("\ufeff")

// breakAt is the length of the line break at i, 0 when there is none. YAML 1.1,
// which the parser counts lines by, has more breaks than \n.
func breakAt(source []byte, i int) int {
	if i >= len(source) {
		return 0
	}
	rest := source[i:]
	switch {
	case bytes.HasPrefix(rest, []byte("\r\n")):
		return 2
	case rest[0] == '\n' || rest[0] == '\r':
		return 1
	}
	for _, long := range []string{"\u0085", "\u2028", "\u2029"} {
		if bytes.HasPrefix(rest, []byte(long)) {
			return len(long)
		}
	}
	return 0
}

// lineStarts are the offsets at which lines begin. A byte order mark stands
// before line 1.
func lineStarts(source []byte) []int {
	first := 0
	if bytes.HasPrefix(source, bom) {
		first = len(bom)
	}
	starts := []int{first}
	for i := first; i < len(source); {
		if n := breakAt(source, i); n > 0 {
			i += n
			starts = append(starts, i)
			continue
		}
		i++
	}
	return starts
}

// Start is the offset at which a node begins, its anchor and tag included.
// The parser counts columns in characters.
func (d *Document) Start(n *yaml.Node) int {
	if n.Line < 1 || n.Line > len(d.lines) {
		return len(d.Source)
	}
	at := d.lines[n.Line-1]
	for column := 1; column < n.Column && at < len(d.Source); column++ {
		_, size := utf8.DecodeRune(d.Source[at:])
		at += size
	}
	return at
}

// LineStart is the offset at which the line that holds an offset begins.
func (d *Document) LineStart(offset int) int {
	i := sort.SearchInts(d.lines, offset+1)
	if i == 0 {
		return 0
	}
	return d.lines[i-1]
}

// Line is the number of the line that holds an offset.
func (d *Document) Line(offset int) int {
	return max(1, sort.SearchInts(d.lines, offset+1))
}

// LineEnd is the offset of the break that ends the line, or the file's end.
func (d *Document) LineEnd(offset int) int {
	for offset < len(d.Source) && breakAt(d.Source, offset) == 0 {
		offset++
	}
	return offset
}

// NextLine is the offset at which the line after an offset begins, or the
// file's end.
func (d *Document) NextLine(offset int) int {
	end := d.LineEnd(offset)
	return end + breakAt(d.Source, end)
}

// Trivia is the first offset from at that is neither space, line break nor
// comment.
func (d *Document) Trivia(at int) int {
	for at < len(d.Source) {
		switch {
		case d.Source[at] == ' ' || d.Source[at] == '\t':
			at++
		case d.Source[at] == '#':
			at = d.LineEnd(at)
		case breakAt(d.Source, at) > 0:
			at += breakAt(d.Source, at)
		default:
			return at
		}
	}
	return at
}

// Blank tells whether only spaces stand between two offsets.
func (d *Document) Blank(from, to int) bool {
	return from <= to && len(bytes.Trim(d.Source[from:to], " \t")) == 0
}
