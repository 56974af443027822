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
		if all, _ := runsOf(got); all.of("any-env") != c.run {
			t.Errorf("%q is read as %v", got, all)
		}
	}
	for _, text := range []string{"", "Fix [GitHub run 12] it", "[GitHub run x]", "[GitHub run 99999999999999999999999]", "[GitHub run 1, 2]", "[GitHub run 1, 2 to a b]"} {
		if all, rest := runsOf(text); all.of("any-env") != 0 || rest != text {
			t.Errorf("%q is read as %v beside %q", text, all, rest)
		}
	}
}

// TestBroughtByRun has runs bring a version that is there to environments.
func TestBroughtByRun(t *testing.T) {
	long := func(i int) string { return strings.Repeat(string(rune('a'+i)), 40) }
	description := "Fix the page, all of it [GitHub run 90]"
	for _, c := range []struct {
		run  uint64
		env  string
		want string
	}{
		{300, "staging", "Fix the page, all of it [GitHub run 90, 300 to staging]"},
		{310, "production", "Fix the page, all of it [GitHub run 90, 310 to production, 300 to staging]"},
		{320, "staging", "Fix the page, all of it [GitHub run 90, 320 to staging, 310 to production]"},
		{18446744073709551611, long(0), "Fix the page, all of it [GitHub run 90, 18446744073709551611 to " + long(0) + ", 320 to staging, 310 to production]"},
		{18446744073709551612, long(1), "Fix the page, al… [GitHub run 90, 18446744073709551612 to " + long(1) + ", 18446744073709551611 to " + long(0) + ", 320 to staging, 310 to production]"},
		{18446744073709551613, long(2), "Fix the page, al… [GitHub run 90, 18446744073709551613 to " + long(2) + ", 18446744073709551612 to " + long(1) + "]"},
	} {
		all, text := runsOf(description)
		description = all.with(c.run, c.env).note(text)
		again, _ := runsOf(description)
		if description != c.want || utf8.RuneCountInString(description) > maxDescription || again.of(c.env) != c.run || again.of("elsewhere") != 90 {
			t.Errorf("run %d to %s: %q\nwant %q", c.run, c.env, description, c.want)
		}
	}
	all, text := runsOf("made by hand")
	if got := all.with(7, "staging").note(text); got != "made by hand [GitHub run 7 to staging]" {
		t.Errorf("without a first run: %q", got)
	}
}
