package junit_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/junit"
)

// TestParse reads reports as test runners write them: each file's cases, one
// a line, are its golden.
func TestParse(t *testing.T) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, name := range files {
		file, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		report := junit.Parse(filepath.Base(name), file)
		_ = file.Close()
		var got strings.Builder
		for _, one := range report.Cases {
			output, _, _ := strings.Cut(one.Output, "\n")
			fmt.Fprintf(&got, "%s | %s | %s:%d | %v | %s | %s\n", one.Title(), one.Status, one.File, one.Line, one.Duration, one.Message, output)
		}
		if report.Problem != nil {
			fmt.Fprintf(&got, "problem: %v\n", report.Problem)
		}
		actiontest.Golden(t, strings.TrimSuffix(name, ".xml")+".cases", got.String())
	}
}

func TestParseProblems(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"empty":      {" \n", "r.xml is empty"},
		"a page":     {"<!DOCTYPE html><html><body/></html>", "it begins with <html>"},
		"no XML":     {"not at all", "it holds no <testsuite>"},
		"cut":        {"<testsuite><testcase name='a'>", "line 1: unexpected EOF"},
		"deep":       {"<testsuite>" + strings.Repeat("<testsuite>", 100) + strings.Repeat("</testsuite>", 101), "more than 32 deep"},
		"huge":       {"<testsuite>" + strings.Repeat(" ", 33<<20), "larger than 32 MiB"},
		"entity":     {`<!DOCTYPE t [<!ENTITY a "b">]><testsuite name="&a;"/>`, "invalid character entity"},
		"charset":    {`<?xml version="1.0" encoding="ISO-8859-1"?><testsuite/>`, "it is encoded in ISO-8859-1"},
		"two tokens": {"<testsuite></testcase>", "line 1"},
	} {
		got := junit.Parse("r.xml", strings.NewReader(c.text))
		if got.Problem == nil || !strings.Contains(got.Problem.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, got.Problem, c.want)
		}
	}
}

// TestParseRepairs shows what is read although it is not quite XML.
func TestParseRepairs(t *testing.T) {
	for name, text := range map[string]string{
		"colours":     "<testsuite><testcase name='a'><failure message='\x1b[31mred\x1b[0m'/></testcase></testsuite>",
		"escaped":     "<testsuite><testcase name='a'><failure message='&#x1b;[31mred&#27;[0m'/></testcase></testsuite>",
		"a BOM":       "\ufeff<?xml version='1.0' encoding='UTF-8'?>\r\n<testsuite><testcase name='a'><failure message='red'/></testcase></testsuite>",
		"blank lines": "\n\n<?xml version='1.0'?><testsuite><testcase name='a'><failure message='red'/></testcase></testsuite>",
	} {
		got := junit.Parse("r.xml", strings.NewReader(text))
		if got.Problem != nil || len(got.Cases) != 1 || got.Cases[0].Message != "red" {
			t.Errorf("%s: got %+v", name, got)
		}
	}
	escaped := junit.Parse("r.xml", strings.NewReader("<testsuite><testcase name='&#x8;&#x1b;&#0;&#27;&#x09;&#10;&#13;&#xe9;&#32;a'/></testsuite>"))
	if escaped.Problem != nil || escaped.Cases[0].Name != "????\t\n\ré a" {
		t.Errorf("got %+v", escaped)
	}
	broken := junit.Parse("r.xml", strings.NewReader("<testsuite><testcase name='a\x00\xff'/></testsuite>"))
	if broken.Problem != nil || broken.Cases[0].Name != "a??" {
		t.Errorf("got %+v", broken)
	}
}

func TestTotals(t *testing.T) {
	report := junit.Report{Cases: []junit.Case{
		{Status: junit.Passed, Duration: time.Second}, {Status: junit.Failed, Duration: time.Second}, {Status: junit.Errored}, {Status: junit.Skipped},
	}}
	want := junit.Totals{Tests: 8, Failures: 4, Skipped: 2, Duration: 4 * time.Second}
	if got := report.Totals().Add(report.Totals()); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func FuzzParse(f *testing.F) {
	files, err := filepath.Glob("testdata/*.xml")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(text))
	}
	f.Fuzz(func(t *testing.T, text string) {
		report := junit.Parse("r.xml", strings.NewReader(text))
		var failures []junit.Failure
		for _, one := range report.Cases {
			if one.Duration < 0 {
				t.Errorf("%s took %v", one.Name, one.Duration)
			}
			one.Place(junit.PathMap{{From: "/", To: "."}}, func(string) bool { return true })
			failures = append(failures, junit.Failure{Suite: "s", Case: one})
		}
		if got := len(junit.Annotations(failures, 10)); got > 10 {
			t.Errorf("%d annotations", got)
		}
		junit.FailuresMarkdown(failures)
	})
}
