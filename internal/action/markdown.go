package action

import (
	"fmt"
	"regexp"
	"strings"
)

// special are the characters that Markdown reads in the middle of a line. As
// entities they are plain in HTML too.
var special = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "|", "&#124;", "*", "&#42;", "_", "&#95;", "`", "&#96;", "[", "&#91;", "~", "&#126;",
	`\`, "&#92;", "\n", " ", "\r", " ")

// Escape makes foreign text fit for a line of Markdown, a table's cell and HTML.
// A masked value is found again in it.
func Escape(text string) string { return special.Replace(text) }

// ProblemList is an error as a Markdown list, one problem an entry.
func ProblemList(err error) string {
	var text strings.Builder
	text.WriteString("\n")
	for _, problem := range Problems(err) {
		fmt.Fprintf(&text, "- %s\n", message(problem.Error()))
	}
	return text.String()
}

var codeSpan = regexp.MustCompile("`[^`\n]+`")

// message is an error's text as one line of Markdown. It shows as it is, but for
// what stands between backquotes, which is code.
func message(text string) string {
	var shown strings.Builder
	plain := func(part string) {
		for i, line := range strings.Split(part, "\n") {
			if i > 0 {
				shown.WriteString("<br>")
			}
			shown.WriteString(Escape(line))
		}
	}
	end := 0
	for _, at := range codeSpan.FindAllStringIndex(text, -1) {
		plain(text[end:at[0]])
		shown.WriteString(text[at[0]:at[1]])
		end = at[1]
	}
	plain(text[end:])
	return shown.String()
}
