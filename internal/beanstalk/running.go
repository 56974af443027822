package beanstalk

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
)

// Incomplete tells why the version that a Ready environment holds is not known
// to run everywhere in it, such as after an update that failed; it is empty
// when it is known. Each instance must say so, or, where the instances can't be
// asked, the last update must have ended without a failure.
func (c *Client) Incomplete(ctx context.Context, env Environment, log io.Writer) (string, error) {
	instances, err := c.instances(ctx, env.Name)
	if err != nil && !mute(err) {
		return "", err
	}
	if refusesPermission(err) {
		say(log, "warning: %v; so the events tell how the last update ended", err)
	}
	if len(instances) == 0 {
		return c.lastFailure(ctx, env)
	}
	var others []string
	for _, i := range instances {
		if !i.runs(env.VersionLabel) {
			others = append(others, i.ID)
		}
	}
	if len(others) == 0 {
		return "", nil
	}
	return "it is not deployed on " + strings.Join(others, ", "), nil
}

// lastFailure reads the events back to the beginning of the last update.
func (c *Client) lastFailure(ctx context.Context, env Environment) (string, error) {
	in := &elasticbeanstalk.DescribeEventsInput{EnvironmentId: &env.ID, MaxRecords: aws.Int32(1000)}
	var severe []Event
	for {
		out, err := c.eb.DescribeEvents(ctx, in)
		if err != nil {
			return "", failed(err, "read the events of environment %q", env.Name)
		}
		for _, one := range out.Events {
			e := event(one)
			if e.begins() {
				return failureOf(e.RequestID, severe), nil
			}
			if e.Severe() {
				severe = append(severe, e)
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return failureOf("", severe), nil
		}
		in.NextToken = out.NextToken
	}
}

// failureOf finds the failure of a request among events, the newest first.
func failureOf(requestID string, severe []Event) string {
	for _, e := range slices.Backward(severe) {
		if e.fails(requestID) || requestID == "" && e.tellsFailure() {
			return fmt.Sprintf("the last update failed at %s", e.At.Format("2006-01-02 15:04:05 UTC"))
		}
	}
	return ""
}
