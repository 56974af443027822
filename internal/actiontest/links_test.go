package actiontest_test

import (
	"fmt"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/text"
)

// TestLinks follows every relative link of the documents, to its heading where
// it names one.
func TestLinks(t *testing.T) {
	documents := map[string]document{}
	for _, name := range markdown(t) {
		source, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		documents[name] = parseDocument(source)
	}
	count := 0
	for name, one := range documents {
		for _, link := range one.links {
			followed, err := follow(documents, name, link)
			if err != nil {
				t.Errorf("%s: link to %s: %v", name, link, err)
			}
			if followed {
				count++
			}
		}
	}
	if count < 30 {
		t.Errorf("only %d relative links: are they still found?", count)
	}
}

func TestFollow(t *testing.T) {
	documents := map[string]document{
		"docs/a.md": parseDocument([]byte("# One `two` (three), *four*!\n\n## Same\n\n## Same\n\n```\n# none\n```\n[link](b.md#x) and [other]\n\n[other]: c.md\n")),
	}
	if diff := strings.Join(documents["docs/a.md"].links, " "); diff != "b.md#x c.md" {
		t.Errorf("links are %s; want b.md#x c.md", diff)
	}
	for _, one := range []struct {
		link string
		good bool
	}{
		{"#one-two-three-four", true},
		{"#same", true},
		{"#same-1", true},
		{"#same-2", false},
		{"#none", false},
		{"a.md#same", true},
		{"b.md", false},
		{"../README.md", true},
		{"../actions", true},
		{"../actions/test/action.yml#L3", true},
		{"../../outside", false},
	} {
		if _, err := follow(documents, "docs/a.md", one.link); (err == nil) != one.good {
			t.Errorf("%s: %v; want good %t", one.link, err, one.good)
		}
	}
}

// document is what of a Markdown file takes part in links.
type document struct {
	links []string
	// anchors are those of the headings, as GitHub names them.
	anchors map[string]bool
}

func parseDocument(source []byte) document {
	found := document{anchors: map[string]bool{}}
	tree := goldmark.New(goldmark.WithExtensions(extension.GFM)).Parser().Parse(text.NewReader(source))
	_ = ast.Walk(tree, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch node := node.(type) {
		case *ast.Link:
			found.links = append(found.links, string(node.Destination))
		case *ast.Image:
			found.links = append(found.links, string(node.Destination))
		case *ast.Heading:
			found.anchor(words(node, source))
		}
		return ast.WalkContinue, nil
	})
	return found
}

// words are a node's text without its markup.
func words(node ast.Node, source []byte) string {
	var all strings.Builder
	_ = ast.Walk(node, func(part ast.Node, entering bool) (ast.WalkStatus, error) {
		if part, ok := part.(*ast.Text); ok && entering {
			all.Write(part.Value(source))
		}
		return ast.WalkContinue, nil
	})
	return all.String()
}

// anchor adds a heading: its letters, digits, hyphens and underscores in lower
// case, a hyphen for each space, and a number if it was there before. Source:
// GitHub's toc_filter in html-pipeline.
func (d document) anchor(heading string) {
	name := strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.IsMark(r):
			return unicode.ToLower(r)
		}
		return -1
	}, heading)
	free := name
	for again := 1; d.anchors[free]; again++ {
		free = fmt.Sprintf("%s-%d", name, again)
	}
	d.anchors[free] = true
}

// follow tells whether a link is relative, and what is wrong with one.
func follow(documents map[string]document, from, link string) (bool, error) {
	parsed, err := url.Parse(link)
	if err != nil || parsed.IsAbs() || parsed.Host != "" {
		return false, err
	}
	target := from
	if parsed.Path != "" {
		target = path.Join(path.Dir(from), parsed.Path)
	}
	if !filepath.IsLocal(target) {
		return true, fmt.Errorf("%s is outside of the repository", target)
	}
	to, isDocument := documents[target]
	if _, err := os.Stat(filepath.Join(root, target)); err != nil && !isDocument {
		return true, fmt.Errorf("there is no %s", target)
	}
	if isDocument && parsed.Fragment != "" && !to.anchors[parsed.Fragment] {
		return true, fmt.Errorf("%s has no heading #%s", target, parsed.Fragment)
	}
	return true, nil
}

// markdown are the documents, as paths below the root.
func markdown(t *testing.T) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(root, func(name string, entry os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() && (entry.Name() == ".git" || entry.Name() == "node_modules" || entry.Name() == "testdata") {
			return filepath.SkipDir
		}
		if strings.HasSuffix(name, ".md") {
			below, err := filepath.Rel(root, name)
			names = append(names, filepath.ToSlash(below))
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}
