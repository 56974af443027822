package yamlsource_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

func TestParseErrors(t *testing.T) {
	bomb := "a0: &a0 [x]\n"
	for i := range 9 {
		n := string(rune('1' + i))
		p := string(rune('0' + i))
		bomb += "a" + n + ": &a" + n + " [" + strings.Repeat("*a"+p+", ", 9) + "]\n"
	}
	for _, c := range []struct{ name, src, want string }{
		{"empty", " \n", "f: the file is empty"},
		{"only comments", "# a\n", "f:1: not valid YAML: the file has no content besides comments"},
		{"not UTF-8", "a: 1\nb: \xff\n", "f:2: the file is not UTF-8: save it as UTF-8"},
		{"UTF-16", "\xff\xfea\x00", "f:1: the file is not UTF-8: save it as UTF-8"},
		{"two documents", "---\na: 1\n---\nb: 1\n", "f:3: a second YAML document begins here: keep one document a file"},
		{"duplicate keys", "a: {x: 1,\n 'x': 2}\nb: 1\n\"a\": 3\n",
			"f:4: key \"a\" is given twice, first on line 1: keep one\nf:2: key \"x\" is given twice, first on line 1: keep one"},
		{"two merges", "a: &a {}\nb:\n  <<: *a\n  <<: *a\n", "f:4: key \"<<\" is given twice, first on line 3: keep one, as <<: [*a, *b]"},
		{"wrong merges", "a: &a [x]\nb:\n  <<: *a\nc: {<<: }\n",
			"f:1: << merges a mapping, as <<: *anchor, or a list of mappings; this is neither\n" +
				"f:4: << merges a mapping, as <<: *anchor, or a list of mappings; this is neither"},
		{"a key that is none", "a: 1\n[b]: 2\n", "f:2: a key is a list or a mapping; write a text"},
		{"unknown anchor", "a: *b\n", "f: not valid YAML: unknown anchor 'b' referenced"},
		{"cycle", "a: &a\n  b: *a\n", "f:1: anchor \"a\" contains itself: write the part out"},
		{"bomb", bomb, "f:1: the file's aliases stand for more than 200000 nodes: write it with fewer aliases"},
		{"syntax", "a: [1\nb: 2\n", "f:1: not valid YAML: did not find expected ',' or ']'"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := yamlsource.Parse("f", []byte(c.src))
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestDiagnose(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"a tab below a key", "a:\n  b:\n\tc: 1\n", "f:3: a tab in the indentation, which YAML does not allow: write 4 spaces in its place"},
		{"tabs and placeholders", "a:\n\tB: ***\n\tmem_limit: ****  # size\n\tother: 1\n\tlow: ***\n",
			"f:2: a tab in the indentation, which YAML does not allow: write 2 spaces in its place\n" +
				"f:2: B: *** is a placeholder, not a value: write B: ${B} and set B as an environment property\n" +
				"f:3: a tab in the indentation, which YAML does not allow: write 2 spaces in its place\n" +
				"f:3: mem_limit: **** is a placeholder, not a value: write the value, such as 128m\n" +
				"f:4: a tab in the indentation, which YAML does not allow: write 2 spaces in its place\n" +
				"f:5: a tab in the indentation, which YAML does not allow: write 2 spaces in its place\n" +
				"f:5: low: *** is a placeholder, not a value: write the value"},
		{"a tab and something else", "a:\n\tb: 1\nc: [\n",
			"f:2: a tab in the indentation, which YAML does not allow: indent with spaces\n" +
				"f:3: not valid YAML: did not find expected node content"},
		{"tabs within a text are its content", "a: |\n  x\n  \ty: ***\nb: [\n", "f:4: not valid YAML: did not find expected node content"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var n yaml.Node
			parseErr := yaml.Unmarshal([]byte(c.src), &n)
			err := yamlsource.Diagnose("f", []byte(c.src), parseErr)
			if err == nil {
				t.Fatal("no error")
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if err := yamlsource.Diagnose("f", []byte("a: 1"), nil); err != nil {
		t.Errorf("what parses is diagnosed: %v", err)
	}
}

func TestRepair(t *testing.T) {
	got, ok := yamlsource.Repair([]byte("a:\r\n\tB: ***\r\n"))
	if want := "a:\r\n  B: 0\r\n"; !ok || string(got) != want {
		t.Errorf("got %q, %v; want %q", got, ok, want)
	}
	for _, src := range []string{"a: [", "\xff", ""} {
		if got, ok := yamlsource.Repair([]byte(src)); ok {
			t.Errorf("%q is repaired to %q", src, got)
		}
	}
}
