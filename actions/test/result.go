package test

import (
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/junit"
)

// The values of the output result.
const (
	passed   = "passed"
	failed   = "failed"
	timedOut = "timed-out"
	errored  = "errored"
)

// badness orders them: a suite that never ran is worse than one that failed,
// since nobody knows what it would have said.
var badness = []string{passed, failed, timedOut, errored}

// The output exit-code when no suite that ran failed: as docker run for a
// container that was never started, as timeout(1) for one that took too long.
const (
	couldNotRun = 125
	tookTooLong = 124
)

// result is what became of the suites, in the order given.
type result struct {
	suites []suiteResult
	// images are the names of those that were made, by service.
	images map[string]string
}

type suiteResult struct {
	name      string
	preparing time.Duration
	tries     []try
	// paths tell where its files are in the repository.
	paths  junit.PathMap
	memory int64
	// ended is the limit that its images did not make in time.
	ended *limit
	err   error
}

// try is what became of one try.
type try struct {
	ran     bool
	exit    engine.Exit
	running time.Duration
	reports []junit.Report
	// warnings are what did not hide the verdict.
	warnings []error
	// empty tells that there should have been tests in the reports.
	empty bool
	ended *limit
	err   error
}

func (p plan) unrun() result {
	done := result{images: map[string]string{}}
	for _, one := range p.suites {
		done.suites = append(done.suites, suiteResult{
			name: one.name, memory: p.services[one.name].container.Memory,
		})
	}
	return done
}

// take notes the images that the suite is made of, and where its files are in
// the repository: by the input, by its mounts, by WORKDIR of what was built.
func (s *suiteResult) take(p plan, one suite, images map[string]made) {
	service := p.services[one.name]
	s.paths = append(append(s.paths, p.paths...), service.paths...)
	if service.build != nil {
		if inside, err := filepath.Rel(p.workspace, service.build.Context); err == nil && filepath.IsLocal(inside) {
			s.paths = append(s.paths, junit.Mapping{From: path.Join("/", images[one.name].WorkingDir), To: inside})
		}
	}
	for _, name := range append(one.members(), one.bases...) {
		s.preparing = max(s.preparing, images[name].took)
		if images[name].ended != nil {
			s.ended = images[name].ended
		}
	}
}

func (t try) verdict() string {
	switch {
	case t.ended != nil:
		return timedOut
	case t.err != nil || !t.ran:
		return errored
	case t.exit.Code != 0 || t.empty:
		return failed
	}
	return passed
}

// last is the try that counts.
func (s suiteResult) last() try {
	if len(s.tries) == 0 {
		return try{err: s.err, ended: s.ended}
	}
	return s.tries[len(s.tries)-1]
}

func (s suiteResult) verdict() string { return s.last().verdict() }

// flaky tells that a suite passed, and not at once.
func (s suiteResult) flaky() bool { return len(s.tries) > 1 && s.verdict() == passed }

// verdict is the worst of the suites'.
func (d result) verdict() string {
	worst := 0
	for _, one := range d.suites {
		worst = max(worst, slices.Index(badness, one.verdict()))
	}
	if len(d.suites) == 0 {
		return errored
	}
	return badness[worst]
}

// exitCode is that of the first suite that failed.
func (d result) exitCode() int {
	for _, one := range d.suites {
		if last := one.last(); last.ran && last.exit.Code != 0 {
			return last.exit.Code
		}
	}
	return map[string]int{passed: 0, failed: 1, timedOut: tookTooLong, errored: couldNotRun}[d.verdict()]
}

// reason is why a suite did not pass.
func (s suiteResult) reason(of try) error {
	var why error
	switch of.verdict() {
	case timedOut:
		why = fmt.Errorf("suite %q timed out: %w", s.name, of.err)
	case errored:
		why = fmt.Errorf("suite %q could not be run: %w", s.name, of.err)
	case failed:
		why = fmt.Errorf("suite %q failed: %s", s.name, explain(of.exit, s.memory))
		if of.exit.Code == 0 {
			why = fmt.Errorf("suite %q failed: it exited with 0, and its reports hold no tests (fail-on-empty)", s.name)
		}
	}
	return why
}

// errors are the reasons of the suites that did not pass.
func (d result) errors() error {
	var problems []error
	for _, one := range d.suites {
		if one.err != nil {
			problems = append(problems, one.err)
			continue
		}
		problems = append(problems, one.reason(one.last()))
	}
	return errors.Join(problems...)
}

func (t try) totals() junit.Totals {
	var all junit.Totals
	for _, report := range t.reports {
		all = all.Add(report.Totals())
	}
	return all
}

func (d result) totals() junit.Totals {
	var all junit.Totals
	for _, one := range d.suites {
		all = all.Add(one.last().totals())
	}
	return all
}

func (d result) outputs() action.Outputs {
	totals := d.totals()
	outputs := action.Outputs{
		"result": d.verdict(), "exit-code": strconv.Itoa(d.exitCode()),
		"tests": strconv.Itoa(totals.Tests), "failures": strconv.Itoa(totals.Failures), "skipped": strconv.Itoa(totals.Skipped),
	}
	images := d.images
	if images == nil {
		images = map[string]string{}
	}
	outputs.JSON("images", images)
	return outputs
}
