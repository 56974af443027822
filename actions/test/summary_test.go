package test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/junit"
)

// TestSummary holds what a reader sees of suites of every kind against a
// golden.
func TestSummary(t *testing.T) {
	report := junit.Parse("/app/junit.xml", strings.NewReader(`<testsuite><testcase classname="adds" name="one and one" time="0.4"><failure message="expected 2, got 3">at /app/a.test.js:3:1</failure></testcase><testcase name="fine"/></testsuite>`))
	broken := junit.Parse("/app/cut.xml", strings.NewReader("<testsuite>"))
	done := result{suites: []suiteResult{
		{name: "green", preparing: time.Second, tries: []try{{ran: true, running: 2 * time.Second}}},
		{name: "red", preparing: time.Second, tries: []try{{ran: true, exit: engine.Exit{Code: 1}, running: time.Second, reports: []junit.Report{report, broken}}}, paths: junit.PathMap{{From: "/app", To: "web"}}},
		{name: "flaky", tries: []try{{ran: true, exit: engine.Exit{Code: 137, OOMKilled: true}, reports: []junit.Report{report}}, {ran: true}}, memory: 128 << 20},
		{name: "slow", tries: []try{{ended: &limit{idleInput, 10 * time.Minute}, err: errors.New("nothing was printed for 10m (input idle-timeout) while running; the last line was: half way")}}},
		{name: "broken", err: errors.New(`suite "broken": build "broken": no such file`)},
	}}
	workspace := t.TempDir()
	if err := os.MkdirAll(filepath.Join(workspace, "web"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(workspace, "web/a.test.js"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	actiontest.Golden(t, "testdata/summary.md", done.summary(done.failures(workspace), done.errors()))
}

// TestSummaryOfMany shows that 300 failures among 5,000 tests are readable and
// within what GitHub takes.
func TestSummaryOfMany(t *testing.T) {
	var text strings.Builder
	text.WriteString("<testsuites><testsuite name='all'>")
	for i := range 5000 {
		fmt.Fprintf(&text, "<testcase classname='suite %d' name='case %d' time='0.%03d'>", i/100, i, i%1000)
		if i%16 == 0 && i < 4800 {
			fmt.Fprintf(&text, "<failure message='expected %d'>%s</failure>", i, strings.Repeat("    at frame (/app/x.js:1:1)\n", 400))
		}
		text.WriteString("</testcase>")
	}
	text.WriteString("</testsuite></testsuites>")
	one := suiteResult{name: "unit", tries: []try{{ran: true, exit: engine.Exit{Code: 1}, reports: []junit.Report{junit.Parse("/x.xml", strings.NewReader(text.String()))}}}}
	done := result{suites: []suiteResult{one}}
	summary := done.summary(done.failures(t.TempDir()), done.errors())
	if len(summary) > action.MaxSummary/2 {
		t.Errorf("%d bytes", len(summary))
	}
	for _, want := range []string{"| unit | failed | 1 | 5000 | 300 | 0 |", "### Failed tests (300)", "<b>suite 0 › case 0</b>", "bytes cut", "**suite 47 › case 4784**: expected 4784\n", "### Slowest tests", "| unit | suite 9 › case 999 | 1.0 s |"} {
		if !strings.Contains(summary, want) {
			t.Errorf("lacks %q", want)
		}
	}
}

// TestFailuresHideSecrets shows that a failure which is cut in the middle of a
// masked value tells nothing of it.
func TestFailuresHideSecrets(t *testing.T) {
	var log bytes.Buffer
	summary := filepath.Join(t.TempDir(), "summary")
	r := action.NewRunner([]string{"GITHUB_STEP_SUMMARY=" + summary, "GITHUB_WORKSPACE=" + t.TempDir()}, &log)
	r.Log.Mask("sesame_street")
	for _, length := range []int{195, 1020, 2040, 4090} { // near where texts are cut
		said := strings.Repeat("x", length) + "sesame_street"
		report := junit.Parse("/x.xml", strings.NewReader("<testsuite><testcase name='a'><failure message='"+said+" and more'>"+strings.Repeat(said+"\n", 9)+"</failure></testcase></testsuite>"))
		one := suiteResult{name: "unit", tries: []try{{ran: true, exit: engine.Exit{Code: 1}, reports: []junit.Report{report}}}}
		if err := finish(r, result{suites: []suiteResult{one}}, nil); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(summary)
	if err != nil {
		t.Fatal(err)
	}
	_, shown, _ := strings.Cut(log.String()+string(text), "::add-mask::sesame_street\n")
	if !strings.Contains(shown, "***") || regexp.MustCompile(`xs|street|eet`).MatchString(shown) {
		t.Errorf("a part of the secret is shown:\n%s", shown)
	}
}
