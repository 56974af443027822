package beanstalk

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// wayBackPages bounds how far back the events are read, which go back six weeks.
const wayBackPages = 5

// wayBack are the versions that the environment's events name before the one
// that it runs, down to the first of which no failure is told: that one ran. Where
// an update is under way, those that are named after it belong to them, since it
// may still show the old one.
func (c *Client) wayBack(ctx context.Context, env Environment) ([]string, error) {
	found, err := c.history(ctx, env)
	return append(found.coming, found.before...), err
}

// RanBefore is the version that ran before the one that the environment shows,
// as far as its events tell, and "" where they don't. Versions whose deployment
// failed are passed over.
func (c *Client) RanBefore(ctx context.Context, env Environment) (string, error) {
	found, err := c.history(ctx, env)
	if last := len(found.before) - 1; err == nil && last >= 0 && !found.failed {
		return found.before[last], nil
	}
	return "", err
}

func (c *Client) history(ctx context.Context, env Environment) (history, error) {
	in := &elasticbeanstalk.DescribeEventsInput{EnvironmentId: &env.ID, MaxRecords: aws.Int32(1000)}
	found := history{running: env.VersionLabel, settled: env.Status == string(types.EnvironmentStatusReady)}
	for range wayBackPages {
		out, err := c.eb.DescribeEvents(ctx, in)
		if err != nil {
			return history{}, failed(err, "read the events of environment %q", env.Name)
		}
		if slices.ContainsFunc(out.Events, found.reaches) || aws.ToString(out.NextToken) == "" {
			break
		}
		in.NextToken = out.NextToken
	}
	return found, nil
}

// history is what the events of an environment tell, the newest first.
type history struct {
	running string
	// settled tells that no update is under way; coming are the versions that one
	// may be about.
	settled bool
	coming  []string
	// met tells that the running version has come.
	met bool
	// before are the versions before it, the last of which failed or is not read
	// to its beginning.
	before []string
	failed bool
}

// reaches takes an event. It tells that the last version before is one that ran.
func (h *history) reaches(one types.EventDescription) bool {
	label := aws.ToString(one.VersionLabel)
	last := len(h.before) - 1
	switch {
	case label == "":
		return false
	case label == h.running:
		h.met = true
		return last >= 0 && !h.failed
	case !h.met:
		if !h.settled {
			h.coming = append(h.coming, label)
		}
		return false // else an attempt that did not last
	case last < 0 || h.before[last] != label:
		if last >= 0 && !h.failed {
			return true
		}
		h.before, h.failed = append(h.before, label), false
	}
	e := event(one)
	h.failed = h.failed || e.Severe()
	return e.begins() && !h.failed
}
