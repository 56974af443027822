package junit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guk0/travois/internal/action"
)

// Ran is a test with what ran it.
type Ran struct {
	Suite string
	Case
}

// A summary of hundreds of failures is still to be read: the first ones are
// shown whole, others by their first line, all within what GitHub takes.
const (
	wholeFailures  = 50
	shortFailures  = 450
	longestOutput  = 4 << 10
	slowestShown   = 10
	slowEnough     = 100 * time.Millisecond
	longestOneLine = 200
)

// FailuresMarkdown lists failed tests with message and output.
func FailuresMarkdown(failures []Failure) string {
	if len(failures) == 0 {
		return ""
	}
	var text strings.Builder
	fmt.Fprintf(&text, "\n### Failed tests (%d)\n\n", len(failures))
	for i, one := range failures {
		switch {
		case i < wholeFailures:
			text.WriteString(whole(one))
		case i < wholeFailures+shortFailures:
			if i == wholeFailures {
				text.WriteString("\nThe others, without their output:\n\n")
			}
			fmt.Fprintf(&text, "- %s: **%s**%s: %s\n", action.Escape(one.Suite), action.Escape(oneLine(one.Title())), at(one), action.Escape(oneLine(one.Message)))
		}
	}
	if rest := len(failures) - wholeFailures - shortFailures; rest > 0 {
		fmt.Fprintf(&text, "- … and %d more: see the report itself\n", rest)
	}
	return text.String()
}

func whole(one Failure) string {
	var text strings.Builder
	fmt.Fprintf(&text, "<details><summary>%s: <b>%s</b>%s</summary>\n\n", action.Escape(one.Suite), action.Escape(oneLine(one.Title())), at(one))
	shown := one.Message
	if one.Output != "" && !strings.HasPrefix(one.Output, one.Message) {
		shown += "\n\n" + one.Output
	} else if one.Output != "" {
		shown = one.Output
	}
	shown = cut(shown, longestOutput)
	fence := fenceFor(shown)
	fmt.Fprintf(&text, "%s\n%s\n%s\n\n</details>\n\n", fence, shown, fence)
	return text.String()
}

// at is where a failure is, in HTML and in Markdown alike.
func at(one Failure) string {
	if one.At == "" {
		return ""
	}
	if one.AtLine == 0 {
		return " <code>" + action.Escape(one.At) + "</code>"
	}
	return fmt.Sprintf(" <code>%s:%d</code>", action.Escape(one.At), one.AtLine)
}

// fenceFor is longer than any run of backticks in a text.
func fenceFor(text string) string {
	longest, run := 2, 0
	for _, r := range text {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	return strings.Repeat("`", longest+1)
}

// SlowestMarkdown lists the tests that took longest, if any took long.
func SlowestMarkdown(cases []Ran) string {
	slow := slices.DeleteFunc(slices.Clone(cases), func(one Ran) bool { return one.Duration < slowEnough })
	if len(slow) == 0 {
		return ""
	}
	slices.SortStableFunc(slow, func(a, b Ran) int { return int(b.Duration - a.Duration) })
	var text strings.Builder
	text.WriteString("\n### Slowest tests\n\n| suite | test | time |\n|---|---|--:|\n")
	for _, one := range slow[:min(len(slow), slowestShown)] {
		fmt.Fprintf(&text, "| %s | %s | %.1f s |\n", action.Escape(one.Suite), action.Escape(oneLine(one.Title())), one.Duration.Seconds())
	}
	return text.String()
}

func oneLine(text string) string {
	line, _, more := strings.Cut(strings.TrimSpace(text), "\n")
	if len(line) > longestOneLine {
		line, more = strings.ToValidUTF8(line[:longestOneLine], ""), true
	}
	if more {
		line += " …"
	}
	return line
}
