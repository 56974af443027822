package beanstalk

import (
	"math"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestByRun(t *testing.T) {
	for _, c := range []struct {
		text string
		run  uint64
		want string
	}{
		{"Fix the page", 12, "Fix the page [GitHub run 12]"},
		{"Fix the page", 0, "Fix the page"},
		{"", 12, "[GitHub run 12]"},
		{"Revert [GitHub run 99]", 12, "Revert [GitHub run 99] [GitHub run 12]"},
		{strings.Repeat("ü", 300), math.MaxUint64, strings.Repeat("ü", 165) + "… [GitHub run 18446744073709551615]"},
	} {
		got := ByRun(c.text, c.run)
		if got != c.want || utf8.RuneCountInString(got) > maxDescription {
			t.Errorf("%q of run %d: %q; want %q", c.text, c.run, got, c.want)
		}
		if run := runOf(got); run != c.run {
			t.Errorf("%q is read as run %d", got, run)
		}
	}
	for _, text := range []string{"", "Fix [GitHub run 12] it", "[GitHub run x]", "[GitHub run 99999999999999999999999]"} {
		if run := runOf(text); run != 0 {
			t.Errorf("%q is read as run %d", text, run)
		}
	}
}
