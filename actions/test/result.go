package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/guk0/travois/internal/action"
)

// The values of the output result, worst last.
const (
	passed  = "passed"
	failed  = "failed"
	errored = "errored"
)

// couldNotRun is the exit code of docker run for a container that was never
// started, in the output exit-code when no suite ran.
const couldNotRun = 125

// result is what became of the suites, in the order given.
type result struct {
	suites []suiteResult
	// keep tells that the images stay in the engine.
	keep bool
}

type suiteResult struct {
	name string
	// reference names the image; image is what the container is made of.
	reference, image   string
	ran                bool
	exitCode           int
	preparing, running time.Duration
	err                error
}

func (p plan) unrun() result {
	var done result
	for _, one := range p.suites {
		done.suites = append(done.suites, suiteResult{name: one.name, reference: one.image.String()})
	}
	return done
}

func (s suiteResult) verdict() string {
	switch {
	case s.err != nil || !s.ran:
		return errored
	case s.exitCode != 0:
		return failed
	}
	return passed
}

// verdict is the worst of the suites': a suite that never ran is worse than one
// that failed, since nobody knows what it would have said.
func (d result) verdict() string {
	worst := passed
	for _, one := range d.suites {
		switch verdict := one.verdict(); {
		case verdict == errored:
			worst = errored
		case verdict == failed && worst == passed:
			worst = failed
		}
	}
	if len(d.suites) == 0 {
		return errored
	}
	return worst
}

// exitCode is that of the first suite that failed.
func (d result) exitCode() int {
	for _, one := range d.suites {
		if one.ran && one.exitCode != 0 {
			return one.exitCode
		}
	}
	if d.verdict() == errored {
		return couldNotRun
	}
	return 0
}

// errors are the reasons of the suites that did not run and of those that
// failed.
func (d result) errors() error {
	var problems []error
	for _, one := range d.suites {
		switch one.verdict() {
		case errored:
			problems = append(problems, one.err)
		case failed:
			problems = append(problems, fmt.Errorf("suite %q failed: it exited with %d", one.name, one.exitCode))
		}
	}
	return errors.Join(problems...)
}

func finish(r *action.Runner, done result, err error) error {
	return r.Finish(done.outputs(), done.summary(), err)
}

func (d result) outputs() action.Outputs {
	images := map[string]string{}
	for _, one := range d.suites {
		if d.keep && one.image != "" {
			images[one.name] = one.reference
		}
	}
	outputs := action.Outputs{"result": d.verdict(), "exit-code": strconv.Itoa(d.exitCode())}
	outputs.JSON("images", images)
	return outputs
}

func (d result) summary() string {
	var text strings.Builder
	fmt.Fprintf(&text, "## Tests: %s\n\n", d.verdict())
	if len(d.suites) == 0 {
		return text.String()
	}
	text.WriteString("| suite | result | exit code | build | run |\n|---|---|--:|--:|--:|\n")
	for _, one := range d.suites {
		code := "–"
		if one.ran {
			code = strconv.Itoa(one.exitCode)
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s |\n", one.name, one.verdict(), code, action.Seconds(one.preparing), action.Seconds(one.running))
	}
	return text.String()
}
