package bundle

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// rewrite carries the intents out by bytes and proves the result.
func rewrite(original *yamlsource.Document, intents map[string]intent) ([]byte, error) {
	if len(intents) == 0 {
		return original.Source, nil
	}
	d, err := expandAll(original, intents)
	if err != nil {
		return nil, err
	}
	edits, err := composeEdits(d, intents)
	if err != nil {
		return nil, err
	}
	content, err := apply(d.Source, edits)
	if err != nil {
		return nil, err
	}
	return content, prove(original, intents, content)
}

func expandAll(d *yamlsource.Document, intents map[string]intent) (*yamlsource.Document, error) {
	for range maxExpansions {
		alias := inTheWay(d, intents)
		if alias == nil {
			return d, nil
		}
		source, err := expand(d, alias)
		if err != nil {
			return nil, fmt.Errorf("write alias %q out: %w", alias.Value, err)
		}
		if d, err = yamlsource.Parse(d.File, source); err != nil {
			return nil, fmt.Errorf("write alias %q out: %w", alias.Value, err)
		}
	}
	return nil, fmt.Errorf("more than %d aliases would have to be written out", maxExpansions)
}

func composeEdits(d *yamlsource.Document, intents map[string]intent) ([]edit, error) {
	var edits []edit
	for _, pair := range yamlsource.Pairs(yamlsource.Lookup(d.Root, "services")) {
		in, changes := intents[yamlsource.Follow(pair.Key).Value]
		if !changes {
			continue
		}
		some, err := serviceEdits(d, pair.Value, in)
		if err != nil {
			return nil, err
		}
		edits = append(edits, some...)
	}
	slices.SortStableFunc(edits, func(a, b edit) int { return a.from - b.from })
	return withoutFinalBreak(d, edits), nil
}

func serviceEdits(d *yamlsource.Document, service *yaml.Node, in intent) ([]edit, error) {
	all, err := elements(d, service)
	if err != nil {
		return nil, err
	}
	gone := map[int]bool{}
	image, volumes := -1, -1
	for i, e := range all {
		switch key := yamlsource.Follow(e.key).Value; {
		case in.drops(key):
			gone[i] = true
		case key == "image":
			image = i
		case key == "volumes":
			volumes = i
		}
	}
	var edits []edit
	switch {
	case in.image == "":
	case image >= 0:
		edits = append(edits, imageEdits(d, all[image], in.image)...)
	default:
		edits = append(edits, addImage(d, service, all, gone, in.image))
	}
	if volumes >= 0 && len(in.mounts) > 0 {
		some, err := itemEdits(d, all[volumes].value, in.mounts)
		if err != nil {
			return nil, err
		}
		edits = append(edits, some...)
	}
	some, err := removals(d, service, all, gone)
	return append(edits, some...), err
}

func itemEdits(d *yamlsource.Document, items *yaml.Node, gone map[int]bool) ([]edit, error) {
	all, err := elements(d, items)
	if err != nil {
		return nil, err
	}
	return removals(d, items, all, gone)
}

// addImage puts an image in the place of build, or first where there is none.
func addImage(d *yamlsource.Document, service *yaml.Node, all []element, gone map[int]bool, image string) edit {
	text := "image: " + scalarText(image, 0)
	for i, e := range all {
		if e.key.Value == "build" {
			delete(gone, i)
			return edit{from: e.from, to: replacedEnd(d, service, e), text: text}
		}
	}
	from := all[0].from
	if d.InBrackets(service) {
		return edit{from, from, text + ", "}
	}
	return edit{from, from, text + newline(d) + strings.Repeat(" ", from-d.LineStart(from))}
}

// replacedEnd is the end of an element with its own comments.
func replacedEnd(d *yamlsource.Document, service *yaml.Node, e element) int {
	if d.InBrackets(service) {
		return e.to
	}
	end := ownLines(d, d.NextLine(e.to), e.from-d.LineStart(e.from))
	if end == d.NextLine(e.to) {
		return d.LineEnd(e.to)
	}
	return d.LineEnd(d.LineStart(end - 1))
}

// imageEdits replace a scalar or an alias, keeping how it is quoted and the
// comment behind it.
func imageEdits(d *yamlsource.Document, e element, image string) []edit {
	n := e.value
	from := d.Content(n)
	text := scalarText(image, n.Style)
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 {
		return []edit{{from, e.to, text}}
	}
	header := from + 1
	for header < e.to && strings.ContainsRune("+-0123456789", rune(d.Source[header])) {
		header++
	}
	end := d.LineEnd(header)
	return []edit{{from, header, text}, {end, max(end, e.to), ""}}
}

// misread are texts that some reader of YAML takes for a number, a time, a
// truth value or null.
var misread = regexp.MustCompile(`^(?i:[0-9][0-9_:.+e-]*|0[xo][0-9a-f_]+|y|n|yes|no|on|off|true|false|null)$`)

func scalarText(s string, style yaml.Style) string {
	switch {
	case style&yaml.SingleQuotedStyle != 0:
		return "'" + s + "'"
	case style&yaml.DoubleQuotedStyle != 0 || misread.MatchString(s):
		return `"` + s + `"`
	}
	return s
}

// errDiffers is what no input may lead to.
var errDiffers = errors.New("the result does not say what the source says but for the images and what was removed; nothing is written")
