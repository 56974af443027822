package migrate

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestGlobs(t *testing.T) {
	for _, c := range []struct {
		expression string
		want       []string
		exact      bool
	}{
		{`^master$`, []string{"master"}, true},
		{`^v\d+\.\d+$`, []string{"v[0-9]+.[0-9]+"}, true},
		{`^release-.*$`, []string{"release-**"}, true},
		{`^release/`, []string{"release/**"}, true},
		{`wip`, []string{"**wip**"}, true},
		{`^(a|b)-x?$`, []string{"a-", "a-x", "b-", "b-x"}, true},
		{`^fix.+$`, []string{"fix**"}, false},
		{`^a.b$`, []string{"a*b"}, false},
		{`^[a-z]+$`, []string{"[a-z]+"}, true},
		{`^\[x\]\*$`, []string{`\[x\]\*`}, true},
		{`^(?!wip)`, nil, false},
		{`^(one|two|six)(one|two|six)(one|two|six)$`, nil, false},
	} {
		got, exact, ok := globs(c.expression)
		if diff := cmp.Diff(c.want, got); diff != "" || ok != (c.want != nil) || ok && exact != c.exact {
			t.Errorf("%s: exact %v, ok %v (-want +got):\n%s", c.expression, exact, ok, diff)
		}
	}
}

func TestVersionLike(t *testing.T) {
	for expression, want := range map[string]bool{`^v\d+`: true, `^\d+\.\d+\.\d+$`: true, `^release-.*$`: true, `^feature/`: false, `.*`: false, `^master$`: false} {
		if got := versionLike(expression); got != want {
			t.Errorf("%s: version-like %v, want %v", expression, got, want)
		}
	}
}
