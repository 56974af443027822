package ebdeploy

import (
	"fmt"
	"strings"
)

// fence puts foreign text into a code block that it can't end.
func fence(text *strings.Builder, body string) { fenceAs(text, "", body) }

// fenceAs also names the language that the text is in.
func fenceAs(text *strings.Builder, language, body string) {
	marks := "```"
	for strings.Contains(body, marks) {
		marks += "`"
	}
	fmt.Fprintf(text, "%s%s\n%s\n%s\n\n", marks, language, strings.TrimRight(body, "\n"), marks)
}

func link(text, address string) string {
	if text == "" || address == "" {
		return text
	}
	return "[" + text + "](" + address + ")"
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.NewReplacer("`", "'", "|", "\\|", "\n", " ").Replace(text) + "`"
}
