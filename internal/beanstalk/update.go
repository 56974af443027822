package beanstalk

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// pause is how long to wait before the next look: short at first, since a
// small deployment ends in seconds, then longer, and never in step with other
// pipelines of the account, whose requests count against the same limit.
type pause struct{ next time.Duration }

const (
	shortestPause = time.Second
	longestPause  = 10 * time.Second
)

// wait ends early with the context's error.
func (p *pause) wait(ctx context.Context) error {
	p.next = min(max(p.next*3/2, shortestPause), longestPause)
	timer := time.NewTimer(p.next + rand.N(p.next/4))
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}

// AwaitReady waits until the environment takes an update, which it does only
// when it is Ready. An environment that is going away is an error.
func (c *Client) AwaitReady(ctx context.Context, app, name string, log io.Writer) (Environment, error) {
	var p pause
	last := ""
	for {
		env, err := c.Environment(ctx, app, name)
		if err != nil {
			return env, err
		}
		switch types.EnvironmentStatus(env.Status) {
		case types.EnvironmentStatusReady:
			return env, nil
		case types.EnvironmentStatusTerminating, types.EnvironmentStatusTerminated:
			return env, fmt.Errorf("environment %q is %s and takes no version any more", name, env.Status)
		}
		if env.Status != last {
			say(log, "environment %q is %s; waiting until it is Ready", name, env.Status)
			last = env.Status
		}
		if err := p.wait(ctx); err != nil {
			return env, fmt.Errorf("wait for environment %q, which is %s, to be Ready: %w", name, env.Status, err)
		}
	}
}

// accepted is an update that Elastic Beanstalk has begun.
type accepted struct {
	requestID string
	// begun tells that the answer shows the environment Updating already.
	begun bool
	at    time.Time
}

// update starts the deployment. Another update may slip in between our look
// and our request; then it is waited for, and asked again.
func (c *Client) update(ctx context.Context, r Rollout) (accepted, error) {
	for {
		out, err := c.eb.UpdateEnvironment(ctx, r.request())
		if err == nil {
			id, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
			return accepted{requestID: id, begun: out.Status != types.EnvironmentStatusReady, at: time.Now()}, nil
		}
		if !invalid(err, "must be ready") {
			return accepted{}, r.refused(err)
		}
		var p pause
		if err := p.wait(ctx); err != nil {
			return accepted{}, fmt.Errorf("wait for environment %q to be Ready: %w", r.Env, err)
		}
		if _, err := c.AwaitReady(ctx, r.App, r.Env, r.Log); err != nil {
			return accepted{}, err
		}
	}
}

// say prints a line. A log that can't be written to is no reason to stop a
// deployment on its way.
func say(log io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(log, format+"\n", args...)
}

// instances asks the instances what they run. It gives none where the
// environment has basic health reporting, which does not know.
func (c *Client) instances(ctx context.Context, env string) ([]Instance, error) {
	in := &elasticbeanstalk.DescribeInstancesHealthInput{
		EnvironmentName: &env,
		AttributeNames:  []types.InstancesHealthAttribute{types.InstancesHealthAttributeAll},
	}
	var all []Instance
	for {
		out, err := c.eb.DescribeInstancesHealth(ctx, in)
		if err != nil {
			return nil, failed(err, "read the health of the instances of %q", env)
		}
		for _, i := range out.InstanceHealthList {
			all = append(all, instance(i))
		}
		if aws.ToString(out.NextToken) == "" {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
}

func instance(i types.SingleInstanceHealth) Instance {
	one := Instance{ID: aws.ToString(i.InstanceId), Health: aws.ToString(i.HealthStatus), Causes: i.Causes}
	if i.Deployment != nil {
		one.Deployment = aws.ToString(i.Deployment.Status)
		one.Label = aws.ToString(i.Deployment.VersionLabel)
	}
	return one
}
