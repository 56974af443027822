package yamlsource_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// spanned is the source of the value of the key "it".
func spanned(t *testing.T, src string) string {
	t.Helper()
	d, err := yamlsource.Parse("f", []byte(src))
	if err != nil {
		t.Fatalf("%q: %v", src, err)
	}
	var got string
	yamlsource.Walk(d.Root, func(n *yaml.Node) {
		for i := 0; n.Kind == yaml.MappingNode && i < len(n.Content); i += 2 {
			if n.Content[i].Value == "it" {
				value := n.Content[i+1]
				got = src[d.Content(value):d.End(value, n.Content[i].Column-1)]
			}
		}
	})
	return got
}

func TestSpan(t *testing.T) {
	for _, c := range []struct{ src, want string }{
		{"it: plain text  # c\n", "plain text"},
		{"it: a:b#c\n", "a:b#c"},
		{"it: one\n  two # c\nx: 1\n", "one\n  two"},
		{"it:\n  next\n", "next"},
		{"it: 'it''s'  \n", "'it''s'"},
		{"it: \"a\\\"b\\\\\" # c\n", "\"a\\\"b\\\\\""},
		{"it: \"a\n\n  b\"\n", "\"a\n\n  b\""},
		{"it: &a !!str x\n", "x"},
		{"it: !<tag:yaml.org,2002:str> x\n", "x"},
		{"it: &a\nx: *a\n", ""},
		{"&a: 1\nit: &b\n", ""},
		{"it: &a\n  !!str k: v\n", "!!str k: v"},
		{"it:\n  ! k: v\n", "! k: v"},
		{"it: !\n  k: v\n", "k: v"},
		{"it: &a\n  &b k: v\n", "&b k: v"},
		{"it: &a !!map # c\n  &b k: v\n", "&b k: v"},
		{"it: !!str &a\nx: 1\n", ""},
		{"it: ! x\n", "x"},
		{"it: # c\nx: 1\n", ""},
		{"it: &a  # c\n  k: v\n", "k: v"},
		{"a: &a x\nit: *a # c\n", "*a"},
		{"a: &a x\nb: {it: *a , k: v}\n", "*a"},
		{"it: |\n  a\n   b\n\n  c\n\n# c\nx: 1\n", "|\n  a\n   b\n\n  c"},
		{"it: >2-  # h\n   a\n  b\n # c\nx: 1\n", ">2-  # h\n   a\n  b"},
		{"o:\n  it: |1\n    a\n   b\n  x: 1\n", "|1\n    a\n   b"},
		{"it: |\n    a\n  # c\nx: 1\n", "|\n    a"},
		{"it: |\nx: 1\n", "|"},
		{"it: {a: [1, {b: c}], d: } # c\n", "{a: [1, {b: c}], d: }"},
		{"it: [ a,\n  b, # c ]\n ] # d\n", "[ a,\n  b, # c ]\n ]"},
		{"it: []\n", "[]"},
		{"x: [it: 1]\n", "1"},
		{"it:\n- a\n- b: 1\n  c: |\n    t\n# c\nx: 1\n", "- a\n- b: 1\n  c: |\n    t"},
		{"it:\n  - |1\n   a\n  - b\n", "- |1\n   a\n  - b"},
		{"it:\n  ? a\n  : b\nx: 1\n", "a\n  : b"},
		{"기: {능: é, it: 값}\n", "값"},
		{"\ufeffit: x\r\ny: 1\r\n", "x"},
		{"it: a\rx: 1\r", "a"},
		{"it: {a: \"}\", b: '}'}\n", "{a: \"}\", b: '}'}"},
	} {
		if diff := cmp.Diff(c.want, strings.TrimPrefix(spanned(t, c.src), "? ")); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.src, diff)
		}
	}
}

func TestPairs(t *testing.T) {
	d, err := yamlsource.Parse("f", []byte("a: &a {k: 1, l: 1}\nb: &b {<<: *a, k: 2, m: 2}\nc:\n  <<: [*b, {n: 4}]\n  m: 3\n  \"<<\": 5\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, pair := range yamlsource.Pairs(yamlsource.Lookup(d.Root, "c")) {
		line := pair.Key.Value + "=" + pair.Value.Value
		if pair.Merge != nil {
			line += " merged"
		}
		got = append(got, line)
	}
	want := []string{"m=3", "<<=5", "k=2 merged", "l=1 merged", "n=4 merged"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := yamlsource.Lookup(d.Root, "none"); n != nil || !yamlsource.IsNull(n) {
		t.Errorf("a key that is not there has the value %v", n)
	}
}
