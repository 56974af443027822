package beanstalk

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
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

// byRun is how a version's description ends that workflow runs have made and
// deployed: "[GitHub run 90, 300 to staging]". AWS has no better place for it that
// needs no more permissions, or that starts no update: a tag would.
var byRun = regexp.MustCompile(` ?\[GitHub run (\d+(?: to [A-Za-z0-9-]+)?(?:, \d+ to [A-Za-z0-9-]+)*)\]$`)

// ByRun notes in a version's description which run has made it; 0 notes
// nothing.
func ByRun(description string, run uint64) string {
	return runs{made: run}.note(description)
}

// runs are those of a version.
type runs struct {
	// made is the one that has made it, and brought it wherever no other has; 0 is
	// not known.
	made uint64
	// brought are later ones, the last first.
	brought []bringing
}

// bringing is a run's deployment of a version that was there.
type bringing struct {
	run uint64
	env string
}

// of is the run that has brought the version to the environment last.
func (r runs) of(env string) uint64 {
	for _, b := range r.brought {
		if b.env == env {
			return b.run
		}
	}
	return r.made
}

// with adds a deployment.
func (r runs) with(run uint64, env string) runs {
	others := slices.DeleteFunc(slices.Clone(r.brought), func(b bringing) bool { return b.env == env })
	return runs{r.made, append([]bringing{{run, env}}, others...)}
}

func (r runs) String() string {
	var all []string
	if r.made > 0 {
		all = append(all, strconv.FormatUint(r.made, 10))
	}
	for _, b := range r.brought {
		all = append(all, fmt.Sprintf("%d to %s", b.run, b.env))
	}
	return strings.Join(all, ", ")
}

// note ends a description with the runs. Where they don't fit, the text is cut,
// and after it the oldest deployments.
func (r runs) note(description string) string {
	if r.String() == "" {
		return Description(description)
	}
	note := fmt.Sprintf(" [GitHub run %s]", r)
	if room := maxDescription - utf8.RuneCountInString(note); room > 0 {
		return Description(short(description, room) + note)
	}
	return runs{r.made, r.brought[:len(r.brought)-1]}.note(description)
}

// runsOf reads a description. The text is the rest of it.
func runsOf(description string) (all runs, text string) {
	found := byRun.FindStringSubmatchIndex(description)
	if found == nil {
		return runs{}, description
	}
	for one := range strings.SplitSeq(description[found[2]:found[3]], ", ") {
		digits, env, brought := strings.Cut(one, " to ")
		run, err := strconv.ParseUint(digits, 10, 64)
		switch {
		case err != nil:
			return runs{}, description
		case brought:
			all.brought = append(all.brought, bringing{run, env})
		default:
			all.made = run
		}
	}
	return all, description[:found[0]]
}

// Claim notes at a version that is there that this run brings it to the
// environment, as long as no newer one has: a way back and a promotion are to be
// overwritten by no older run. With Force it is noted in any case.
func (c *Client) Claim(ctx context.Context, app string, turn Turn) error {
	if turn.Run == 0 {
		return nil
	}
	v, err := c.version(ctx, app, turn.Label)
	if err != nil || v == nil {
		return err
	}
	all, text := runsOf(aws.ToString(v.Description))
	if last := all.of(turn.Env); last == turn.Run || last > turn.Run && !turn.Force {
		return nil
	}
	description := all.with(turn.Run, turn.Env).note(text)
	_, err = c.eb.UpdateApplicationVersion(ctx, &elasticbeanstalk.UpdateApplicationVersionInput{
		ApplicationName: &app, VersionLabel: &turn.Label, Description: &description,
	})
	if err != nil {
		return failed(err, "note run %d at application version %q", turn.Run, turn.Label)
	}
	return nil
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
	all, _ := runsOf(aws.ToString(v.Description))
	if run := all.of(turn.Env); run > turn.Run {
		return &SupersededError{Env: turn.Env, Label: env.VersionLabel, Run: run}
	}
	return nil
}
