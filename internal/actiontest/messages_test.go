package actiontest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var quoted = regexp.MustCompile("^\\| `([^`]+)`[^|]*\\|")

// TestMessages holds the messages of docs/troubleshooting.md against the code:
// each part of one, between what stands for names, is in a source.
func TestMessages(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs", "troubleshooting.md"))
	if err != nil {
		t.Fatal(err)
	}
	ours, _, found := strings.Cut(string(text), "What Elastic Beanstalk says itself:")
	if !found {
		t.Fatal("where do Elastic Beanstalk's own messages begin?")
	}
	code := sources(t)
	count := 0
	for row := range strings.Lines(ours) {
		message := quoted.FindStringSubmatch(row)
		if message == nil {
			continue
		}
		count++
		for part := range strings.SplitSeq(message[1], "…") {
			part = strings.TrimSpace(part)
			if part != "" && !strings.Contains(code, part) {
				t.Errorf("no code says %q, of %q", part, message[1])
			}
		}
	}
	if count < 40 {
		t.Errorf("only %d messages: are they still found?", count)
	}
}

// sources are the texts of what can print a message, less the tests.
func sources(t *testing.T) string {
	t.Helper()
	var all strings.Builder
	add := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(text)
	}
	add(composite.path)
	for _, folder := range []string{"actions", "internal"} {
		err := filepath.WalkDir(filepath.Join(root, folder), func(path string, entry fs.DirEntry, err error) error {
			if err == nil && strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
				add(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all.String()
}
