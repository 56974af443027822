package test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/junit"
)

// maxAnnotations is how many of a kind the runner shows of a step
// (actions/runner, ExecutionContext.cs).
const maxAnnotations = 10

// finish annotates what failed and hands the result on. The reasons come last,
// and count among the errors that the runner shows.
func finish(r *action.Runner, done result, err error) error {
	workspace, workspaceErr := r.Workspace()
	err = errors.Join(err, workspaceErr)
	failures := hide(done.failures(workspace), r.Log)
	for _, one := range junit.Annotations(failures, maxAnnotations-len(action.Problems(err))) {
		r.Log.Error(one)
	}
	for i, one := range done.warnings() {
		if i < maxAnnotations {
			r.Log.Warning(one)
			continue
		}
		r.Log.Printf("%v", one)
	}
	r.Log.Printf("result: %s", done.verdict())
	return errors.Join(err, r.SetOutputs(done.outputs()), r.AddSummary(done.summary(failures, err)))
}

// hide takes what is masked out of what failures say before any of it is cut,
// since half a secret is not found.
func hide(failures []junit.Failure, log *action.Log) []junit.Failure {
	for i := range failures {
		one := &failures[i]
		one.Message, one.Output = log.Redact(one.Message), log.Redact(one.Output)
	}
	return failures
}

// summary is Markdown: the verdicts, what went wrong, then the tests.
func (d result) summary(failures []junit.Failure, err error) string {
	text := d.head()
	if err != nil {
		text += action.ProblemList(err)
	}
	return text + d.notes() + junit.FailuresMarkdown(failures) + junit.SlowestMarkdown(d.ran())
}

// failures are the failed tests of the tries that count.
func (d result) failures(workspace string) []junit.Failure {
	exists := func(name string) bool {
		info, err := os.Stat(filepath.Join(workspace, name))
		return err == nil && info.Mode().IsRegular()
	}
	var all []junit.Failure
	for _, one := range d.suites {
		for _, failed := range one.last().failedCases() {
			failure := junit.Failure{Suite: one.name, Case: failed}
			failure.At, failure.AtLine = failed.Place(one.paths, exists)
			all = append(all, failure)
		}
	}
	return all
}

func (t try) failedCases() []junit.Case {
	var all []junit.Case
	for _, report := range t.reports {
		for _, one := range report.Cases {
			if one.Bad() {
				all = append(all, one)
			}
		}
	}
	return all
}

func (d result) ran() []junit.Ran {
	var all []junit.Ran
	for _, one := range d.suites {
		for _, report := range one.last().reports {
			for _, test := range report.Cases {
				all = append(all, junit.Ran{Suite: one.name, Case: test})
			}
		}
	}
	return all
}

// warnings are what did not hide the verdict: a suite that passed on a retry
// or against its own report, files that could not be had.
func (d result) warnings() []error {
	var all []error
	for _, one := range d.suites {
		if one.flaky() {
			all = append(all, fmt.Errorf("suite %q is flaky: it passed at try %d; before: %w", one.name, len(one.tries), one.before()))
		}
		last := one.last()
		if failures := last.totals().Failures; one.verdict() == passed && failures > 0 {
			all = append(all, fmt.Errorf("suite %q exited with 0 although its reports hold %d failed tests; the exit code counts", one.name, failures))
		}
		for _, report := range last.reports {
			if report.Problem != nil {
				all = append(all, fmt.Errorf("suite %q: report %w", one.name, report.Problem))
			}
		}
		all = append(all, last.warnings...)
	}
	return all
}

// before is why the first tries of a flaky suite did not pass.
func (s suiteResult) before() error {
	first := s.tries[0]
	why := s.reason(first)
	var names []string
	for _, one := range first.failedCases() {
		names = append(names, one.Title())
	}
	if len(names) == 0 {
		return why
	}
	const shown = 5
	more := ""
	if len(names) > shown {
		more = fmt.Sprintf(" and %d more", len(names)-shown)
		names = names[:shown]
	}
	return fmt.Errorf("%w (%s%s)", why, strings.Join(names, "; "), more)
}

func (d result) head() string {
	var text strings.Builder
	fmt.Fprintf(&text, "## Tests: %s\n\n", d.verdict())
	if len(d.suites) == 0 {
		return text.String()
	}
	text.WriteString("| suite | result | exit code | tests | failed | skipped | images | run |\n|---|---|--:|--:|--:|--:|--:|--:|\n")
	for _, one := range d.suites {
		text.WriteString(one.row())
	}
	return text.String()
}

func (s suiteResult) row() string {
	last := s.last()
	verdict := s.verdict()
	if len(s.tries) > 1 {
		verdict += fmt.Sprintf(" (try %d)", len(s.tries))
	}
	if s.flaky() {
		verdict += ", flaky"
	}
	code := "–"
	if last.ran {
		code = strconv.Itoa(last.exit.Code)
	}
	tests, failures, skipped := "–", "–", "–"
	if len(last.reports) > 0 {
		totals := last.totals()
		tests, failures, skipped = strconv.Itoa(totals.Tests), strconv.Itoa(totals.Failures), strconv.Itoa(totals.Skipped)
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %s | %s |\n",
		s.name, verdict, code, tests, failures, skipped, action.Seconds(s.preparing), action.Seconds(last.running))
}

// notes are the warnings, for the summary.
func (d result) notes() string {
	warnings := d.warnings()
	if len(warnings) == 0 {
		return ""
	}
	return "\n### Warnings\n" + action.ProblemList(errors.Join(warnings...))
}
