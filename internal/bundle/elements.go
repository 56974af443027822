package bundle

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// element is an entry of a mapping or an item of a sequence, as bytes.
type element struct {
	// from is where its key, its ? or its dash stands; to is after its value.
	from, to int
	key      *yaml.Node // nil in a sequence
	value    *yaml.Node
}

// elements are the parts of a collection in their order. It fails where the
// bytes are not what the nodes say.
func elements(d *yamlsource.Document, n *yaml.Node) ([]element, error) {
	at := d.Content(n)
	if d.InBrackets(n) {
		at++
	}
	var all []element
	step := 1
	if n.Kind == yaml.MappingNode {
		step = 2
	}
	for i := 0; i+step <= len(n.Content); i += step {
		e := element{from: elementStart(d, at), value: n.Content[i+step-1]}
		if step == 2 {
			e.key = n.Content[i]
		}
		e.to = max(d.End(e.value, e.from-d.LineStart(e.from)), e.from)
		if problem := misplaced(d, n, e); problem != "" {
			return nil, d.Errorf(e.value, "%s", problem)
		}
		all = append(all, e)
		at = e.to
	}
	return all, nil
}

func elementStart(d *yamlsource.Document, at int) int {
	at = d.Trivia(at)
	for at < len(d.Source) && d.Source[at] == ',' {
		at = d.Trivia(at + 1)
	}
	return at
}

func misplaced(d *yamlsource.Document, n *yaml.Node, e element) string {
	first := e.value
	if e.key != nil {
		first = e.key
	}
	brackets := d.InBrackets(n)
	switch {
	case e.from >= len(d.Source) || d.Start(first) < e.from:
		return "an element's begin was not found"
	case e.key == nil && !brackets && d.Source[e.from] != '-':
		return "an item's dash was not found"
	case (e.key != nil || brackets) && d.Source[e.from] != '?' && d.Start(first) != e.from:
		return "an element does not begin where it should"
	}
	return ""
}

// removals are the edits that take some elements out of a collection, of which
// at least one must stay.
func removals(d *yamlsource.Document, n *yaml.Node, all []element, gone map[int]bool) ([]edit, error) {
	if len(gone) == 0 {
		return nil, nil
	}
	if len(gone) >= len(all) {
		return nil, d.Errorf(n, "nothing would be left")
	}
	if d.InBrackets(n) {
		return flowRemovals(d, all, gone), nil
	}
	var edits []edit
	for i, e := range all {
		if !gone[i] {
			continue
		}
		cut, err := blockRemoval(d, all, i)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", d.Line(e.from), err)
		}
		edits = append(edits, cut)
	}
	return edits, nil
}

// blockRemoval takes whole lines, with the comments that are indented below
// the element, but not those above its neighbour.
func blockRemoval(d *yamlsource.Document, all []element, i int) (edit, error) {
	e := all[i]
	line := d.LineStart(e.from)
	if !d.Blank(line, e.from) {
		if i+1 == len(all) {
			return edit{}, fmt.Errorf("the last element shares its line with its parent")
		}
		return edit{from: e.from, to: all[i+1].from}, nil
	}
	end := ownLines(d, d.NextLine(e.to), e.from-line)
	return edit{from: line, to: end}, nil
}

// withoutFinalBreak keeps a file that has no final line break without one when
// its last lines go: the break before them goes too.
func withoutFinalBreak(d *yamlsource.Document, edits []edit) []edit {
	i := len(edits) - 1
	if i < 0 || edits[i].to != len(d.Source) || d.LineEnd(len(d.Source)-1) != len(d.Source) {
		return edits
	}
	for i > 0 && edits[i-1].to == edits[i].from && edits[i-1].text == "" {
		i--
	}
	if line := edits[i].from; edits[i].text == "" && line > 0 && d.LineStart(line) == line {
		edits[i].from = d.LineEnd(d.LineStart(line - 1))
	}
	return edits
}

// ownLines extends over the lines from at that are comments deeper than indent.
func ownLines(d *yamlsource.Document, at, indent int) int {
	end := at
	for at < len(d.Source) {
		stop := d.LineEnd(at)
		first := at
		for first < stop && d.Source[first] == ' ' {
			first++
		}
		blank := d.Blank(at, stop)
		if !blank && (d.Source[first] != '#' || first-at <= indent) {
			break
		}
		at = d.NextLine(at)
		if !blank {
			end = at
		}
	}
	return end
}

// flowRemovals takes runs of elements with their commas.
func flowRemovals(d *yamlsource.Document, all []element, gone map[int]bool) []edit {
	var edits []edit
	for i := 0; i < len(all); i++ {
		if !gone[i] {
			continue
		}
		last := i
		for last+1 < len(all) && gone[last+1] {
			last++
		}
		edits = append(edits, flowRun(d, all, i, last))
		i = last
	}
	return edits
}

func flowRun(d *yamlsource.Document, all []element, first, last int) edit {
	from, to := all[first].from, all[last].to
	if last+1 == len(all) {
		before := all[first-1].to
		if onlyComma(d.Source[before:from]) {
			return edit{from: before, to: to}
		}
		// The comma before stays with its comment, so one behind must go.
		if comma := d.Trivia(to); d.Source[comma] == ',' {
			to = comma + 1
		}
		return edit{from: from, to: to}
	}
	next := all[last+1].from
	comma := d.Trivia(to) + 1
	end := d.LineEnd(comma)
	if next < end {
		return edit{from: from, to: next}
	}
	if line := d.LineStart(from); d.Blank(line, from) {
		return edit{from: line, to: d.NextLine(comma)}
	}
	return edit{from: from, to: end}
}

func onlyComma(between []byte) bool {
	for _, c := range between {
		switch c {
		case ' ', '\t', '\r', '\n', ',':
		default:
			return false
		}
	}
	return true
}
