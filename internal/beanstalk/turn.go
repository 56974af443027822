package beanstalk

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Turn is whose turn it is at an environment: a newer run's version is not
// overwritten by an older run.
type Turn struct {
	// Env is the environment, Label the version that it is to run.
	Env, Label string
	// Own is a version that this run has brought there before, if any.
	Own string
	// Run is the workflow run's id, which GitHub counts up over all runs; 0 is
	// not known, and then no other run is newer.
	Run uint64
	// Force overwrites a newer run's version.
	Force bool
}

// SupersededError is an environment that a newer run has deployed to.
type SupersededError struct {
	Env, Label string
	// Run is the newer one.
	Run uint64
}

func (e *SupersededError) Error() string {
	return fmt.Sprintf("environment %q runs version %q of the newer run %d", e.Env, e.Label, e.Run)
}

// byRun is how a version's description ends that a workflow run has made. AWS
// has no better place for it that needs no further permission: a tag would.
var byRun = regexp.MustCompile(` ?\[GitHub run (\d+)\]$`)

// ByRun notes in a version's description which run has made it; 0 notes
// nothing.
func ByRun(description string, run uint64) string {
	if run == 0 {
		return Description(description)
	}
	note := fmt.Sprintf(" [GitHub run %d]", run)
	return Description(short(description, maxDescription-utf8.RuneCountInString(note)) + note)
}

func runOf(description string) uint64 {
	found := byRun.FindStringSubmatch(description)
	if found == nil {
		return 0
	}
	run, err := strconv.ParseUint(found[1], 10, 64)
	if err != nil {
		return 0
	}
	return run
}

// AwaitTurn waits until the environment is Ready. It is a SupersededError where
// it runs a newer run's version by then.
func (m *Monitor) AwaitTurn(ctx context.Context, turn Turn, log io.Writer) (Environment, error) {
	env, err := m.AwaitReady(ctx, turn.Env, log)
	if err != nil {
		return env, err
	}
	return env, m.newer(ctx, turn, env)
}

// newer is a SupersededError where the environment runs a newer run's version.
func (m *Monitor) newer(ctx context.Context, turn Turn, env Environment) error {
	if turn.Force || turn.Run == 0 || slices.Contains([]string{"", turn.Label, turn.Own}, env.VersionLabel) {
		return nil
	}
	v, err := m.client.version(ctx, m.app, env.VersionLabel)
	if err != nil || v == nil {
		return err
	}
	if run := runOf(aws.ToString(v.Description)); run > turn.Run {
		return &SupersededError{Env: turn.Env, Label: env.VersionLabel, Run: run}
	}
	return nil
}
