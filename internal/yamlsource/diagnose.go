package yamlsource

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/guk0/travois/internal/place"
)

var (
	placeholder = regexp.MustCompile(`^\s*(?:- +)?["']?([\w.-]+)["']?\s*:\s+(\*{2,})\s*(?:#.*)?$`)
	blockHeader = regexp.MustCompile(`(?:^|[:\-]\s+)[|>][-+0-9]{0,2}\s*(?:#.*)?$`)
	variable    = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
)

// widths are tried in this order to find out what a tab stands for.
var widths = []int{2, 4, 8, 1}

// Diagnose explains why a parser refused a YAML file: each tab in an
// indentation and each *** placeholder with its line and its fix; and what the
// parser said, where those do not explain it. parseErr nil means the source
// parses, and the answer is nil.
func Diagnose(file string, source []byte, parseErr error) error {
	if parseErr == nil {
		return nil
	}
	var problems []error
	width, rest := repairWidth(source)
	for _, line := range scan(source) {
		if line.tabs > 0 {
			problems = append(problems, place.At(file, line.number, fmt.Errorf("a tab in the indentation, which YAML does not allow: %s", tabFix(line, width))))
		}
		if line.placeholder != "" {
			problems = append(problems, place.At(file, line.number,
				fmt.Errorf("%s: %s is a placeholder, not a value: %s", line.key, line.placeholder, placeholderFix(line.key))))
		}
	}
	if len(problems) > 0 && rest == nil {
		return errors.Join(problems...)
	}
	if len(problems) == 0 {
		rest = parseErr
	}
	return errors.Join(append(problems, parserSays(file, rest))...)
}

func parserSays(file string, err error) error {
	line, reason := plainReason(err)
	var second secondDocument
	if errors.As(err, &second) {
		return place.At(file, line, errors.New(reason))
	}
	return place.At(file, line, fmt.Errorf("not valid YAML: %s", reason))
}

func tabFix(line sourceLine, width int) string {
	if width == 0 {
		return "indent with spaces"
	}
	return fmt.Sprintf("write %d spaces in its place", line.indent(width))
}

func placeholderFix(key string) string {
	if variable.MatchString(key) {
		return fmt.Sprintf("write %s: ${%s} and set %s as an environment property", key, key, key)
	}
	if strings.Contains(key, "mem") {
		return "write the value, such as 128m"
	}
	return "write the value"
}

// Repair is the source with tabs in the indentation made spaces and
// placeholders made text, so that the rest of a broken file can be checked in
// the same go. Lines keep their numbers. ok is false when it still does not
// parse. The result is for looking at, never for writing.
func Repair(source []byte) (repaired []byte, ok bool) {
	width, err := repairWidth(source)
	if err != nil || checkText("", source) != nil {
		return nil, false
	}
	return repairWith(scan(source), width), true
}

// repairWidth finds the first width of a tab that makes the file parse, one
// that keeps children deeper than their parents if there is any; 0 and the
// parser's error for the first width when none does.
func repairWidth(source []byte) (width int, err error) {
	lines := scan(source)
	for _, w := range widths {
		_, failed := parseOne(repairWith(lines, w))
		switch {
		case failed == nil && nests(lines, w):
			return w, nil
		case failed == nil && width == 0:
			width = w
		case err == nil:
			err = failed
		}
	}
	if width > 0 {
		return width, nil
	}
	return 0, err
}

// nests tells whether a line with a tab that follows a key without a value is
// deeper than that key.
func nests(lines []sourceLine, width int) bool {
	opener := -1
	for _, line := range lines {
		content := strings.TrimSpace(line.text)
		if content == "" || content[0] == '#' {
			continue
		}
		if line.tabs > 0 && opener >= 0 && line.indent(width) <= opener {
			return false
		}
		opener = -1
		if strings.HasSuffix(content, ":") {
			opener = line.indent(width)
		}
	}
	return true
}

func repairWith(lines []sourceLine, width int) []byte {
	var out bytes.Buffer
	for _, line := range lines {
		text := line.text
		if line.tabs > 0 {
			text = strings.Repeat(" ", line.indent(width)) + text[line.spaces+line.tabs:]
		}
		if line.placeholder != "" {
			text = strings.Replace(text, line.placeholder, "0", 1)
		}
		out.WriteString(text)
	}
	return out.Bytes()
}

// sourceLine is a line with what is wrong in it.
type sourceLine struct {
	number int
	// text has its line break.
	text string
	// spaces and tabs count the indentation; tabs is 0 where they are allowed.
	spaces, tabs     int
	key, placeholder string
}

// indent is how deep the line is with tabs of a width.
func (l sourceLine) indent(width int) int { return l.spaces + l.tabs*width }

// scan looks at the lines one by one, since a parser has failed on the whole.
// Lines of a block scalar are content, in which anything may stand.
func scan(source []byte) []sourceLine {
	var lines []sourceLine
	block := -1
	for i, text := range strings.SplitAfter(string(source), "\n") {
		line := sourceLine{number: i + 1, text: text}
		body := strings.TrimRight(text, "\r\n")
		content := strings.TrimLeft(body, " \t")
		indent := len(body) - len(content)
		if content == "" || (block >= 0 && indent > block) {
			lines = append(lines, line)
			continue
		}
		block = -1
		if blockHeader.MatchString(body) {
			block = indent
		}
		line.tabs = strings.Count(body[:indent], "\t")
		line.spaces = indent - line.tabs
		if found := placeholder.FindStringSubmatch(body); found != nil {
			line.key, line.placeholder = found[1], found[2]
		}
		lines = append(lines, line)
	}
	return lines
}

// SpacesForTabs is the source with the tabs in its indentation made spaces, and
// the numbers of the lines that changed. It is fit for writing: all else stays
// as it is. A source that no width of a tab makes valid is not changed.
func SpacesForTabs(source []byte) (repaired []byte, lines []int) {
	width, err := repairWidth(source)
	if err != nil || width == 0 || checkText("", source) != nil {
		return source, nil
	}
	scanned := scan(source)
	for i := range scanned {
		scanned[i].placeholder = ""
		if scanned[i].tabs > 0 {
			lines = append(lines, scanned[i].number)
		}
	}
	if len(lines) == 0 {
		return source, nil
	}
	return repairWith(scanned, width), lines
}
