package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// kept begins the paths that the library is not to take for relative ones, or
// for ones in the home of who runs this: with a variable or ~ at their begin.
const kept = "/.travois-kept/"

// protect writes kept before the texts that begin so.
func (d *doc) protect() ([]byte, error) {
	var edits []edit
	yamlsource.Walk(d.Root, func(n *yaml.Node) {
		if !keeps(n) {
			return
		}
		at := d.Content(n)
		if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			at++
		}
		edits = append(edits, edit{at, at, kept})
	})
	return apply(d.Source, edits)
}

func keeps(n *yaml.Node) bool {
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) == 0 &&
		(strings.HasPrefix(n.Value, "~") || strings.HasPrefix(n.Value, "$"))
}

// copyTo writes what was read below a folder, protected, for the library.
func (g *gathering) copyTo(dir string) error {
	all := slices.Clone(g.docs)
	for _, d := range g.extended {
		all = append(all, d)
	}
	for _, d := range all {
		content, err := d.protect()
		if err != nil {
			return err
		}
		file := filepath.Join(dir, filepath.FromSlash(d.path))
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o700), os.WriteFile(file, content, 0o600)); err != nil {
			return err
		}
	}
	return nil
}

// plain is a node as it reads: aliases written out, merge keys followed, what
// !reset takes away left out, and the texts that keeps tells protected.
func plain(n *yaml.Node) *yaml.Node {
	n = yamlsource.Follow(n)
	c := *n
	c.Anchor, c.Alias, c.Content = "", nil, nil
	if keeps(n) {
		c.Value = kept + n.Value
	}
	if n.Tag == "!override" {
		c.Tag = ""
		c.Style &^= yaml.TaggedStyle
	}
	if n.Kind == yaml.SequenceNode {
		for _, item := range n.Content {
			if yamlsource.Follow(item).Tag != "!reset" {
				c.Content = append(c.Content, plain(item))
			}
		}
		return &c
	}
	for _, pair := range yamlsource.Pairs(n) {
		if yamlsource.Follow(pair.Value).Tag != "!reset" {
			c.Content = append(c.Content, plain(pair.Key), plain(pair.Value))
		}
	}
	return &c
}
