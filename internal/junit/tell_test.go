package junit_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/junit"
)

func failure(file string, line int, name, message, output string) junit.Failure {
	return junit.Failure{Suite: "unit", At: file, AtLine: line, Case: junit.Case{Class: "adds", Name: name, Status: junit.Failed, Message: message, Output: output}}
}

// TestAnnotations shows which failures are told where only some can be.
func TestAnnotations(t *testing.T) {
	failures := []junit.Failure{
		failure("", 0, "lost", "m", ""), failure("a.js", 1, "one", "m", ""), failure("a.js", 2, "two", "m", ""), failure("b.js", 0, "three", strings.Repeat("x", 5000), ""),
	}
	var got []string
	for _, one := range junit.Annotations(failures, 3) {
		var place action.Located
		if !errors.As(one, &place) {
			t.Fatalf("%v has no place", one)
		}
		file, line := place.Location()
		got = append(got, fmt.Sprintf("%s:%d", file, line))
		if len(one.Error()) > 4096 {
			t.Errorf("%s:%d is %d bytes long", file, line, len(one.Error()))
		}
	}
	if want := "a.js:1 b.js:0 a.js:2"; strings.Join(got, " ") != want {
		t.Errorf("got %v, want %s", got, want)
	}
	if got := junit.Annotations(failures, -1); len(got) != 0 {
		t.Errorf("no room, and %d annotations", len(got))
	}
	if got := len(junit.Annotations(failures, 10)); got != 4 {
		t.Errorf("got %d of 4", got)
	}
}

// TestMarkdown holds names and outputs that would break Markdown against a
// golden.
func TestMarkdown(t *testing.T) {
	text := junit.FailuresMarkdown([]junit.Failure{
		failure("src/a.test.js", 3, "one | <b>two</b> *three* _four_ [five](x) `six`", "expected `2`", "expected `2`\n```\nfence\n```\n</details>"),
		failure("", 0, "", "first\nsecond", ""),
		failure("b_b.js", 0, "long", "m", strings.Repeat("0123456789\n", 1000)),
	}) + junit.SlowestMarkdown([]junit.Ran{
		{Suite: "unit", Case: junit.Case{Name: "quick", Duration: time.Millisecond}},
		{Suite: "unit", Case: junit.Case{Name: "slow | pipe", Duration: 1500 * time.Millisecond}},
		{Suite: "e_2_e", Case: junit.Case{Class: "page", Name: "slower", Duration: 3 * time.Second}},
	})
	actiontest.Golden(t, "testdata/summary.md", text)
}

// TestLongNames shows that names which hold a test's data leave room for what
// went wrong.
func TestLongNames(t *testing.T) {
	var failures []junit.Failure
	for range 500 {
		failures = append(failures, failure("a.js", 1, strings.Repeat("data ", 2000), "expected 2, got 3", ""))
	}
	if got := junit.FailuresMarkdown(failures); len(got) > 500_000 {
		t.Errorf("a summary of %d bytes", len(got))
	}
	if got := junit.Annotations(failures, 1)[0].Error(); len(got) > 4096 || !strings.Contains(got, "expected 2, got 3") {
		t.Errorf("an annotation of %d bytes: %.300s", len(got), got)
	}
}

// TestMarkdownOfMany shows that hundreds of failures stay within a summary.
func TestMarkdownOfMany(t *testing.T) {
	var failures []junit.Failure
	for i := range 3000 {
		failures = append(failures, failure("src/a.test.js", i+1, fmt.Sprintf("case %d", i), "expected 2, got 3", strings.Repeat("at somewhere in the stack\n", 500)))
	}
	text := junit.FailuresMarkdown(failures)
	if len(text) > 900_000 {
		t.Errorf("%d bytes", len(text))
	}
	for _, want := range []string{"### Failed tests (3000)", "case 49</b>", "**adds › case 50** <code>src/a.test.js:51</code>: expected 2, got 3\n", "**adds › case 499**", "and 2500 more"} {
		if !strings.Contains(text, want) {
			t.Errorf("lacks %q", want)
		}
	}
	if strings.Contains(text, "case 500") {
		t.Error("shows more than it says")
	}
}
