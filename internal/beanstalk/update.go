package beanstalk

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// AwaitReady waits until the environment takes an update, which it does only
// when it is Ready. An environment that is going away is an error.
func (m *Monitor) AwaitReady(ctx context.Context, env string, log io.Writer) (Environment, error) {
	last, blind := "", 0
	f, err := m.newFollower(ctx, env)
	if err != nil {
		return Environment{}, fmt.Errorf("wait for environment %q: %w", env, err)
	}
	for {
		seen, err := m.look(ctx, f)
		switch {
		case ctx.Err() != nil:
			return seen, fmt.Errorf("wait for environment %q, which is %s, to be Ready: %w", env, cmp.Or(last, "not known"), context.Cause(ctx))
		case err != nil && (Refused(err) || errors.Is(err, errGone) || blind >= maxBlind):
			return seen, err
		case err != nil:
			blind++
			say(log, "warning: %v", err)
			continue
		}
		switch blind = 0; types.EnvironmentStatus(seen.Status) {
		case types.EnvironmentStatusReady:
			return seen, nil
		case types.EnvironmentStatusTerminating, types.EnvironmentStatusTerminated:
			return seen, fmt.Errorf("environment %q is %s and takes no version any more", env, seen.Status)
		}
		if seen.Status != last {
			say(log, "environment %q is %s; waiting until it is Ready", env, seen.Status)
			last = seen.Status
		}
	}
}

// accepted is an update that Elastic Beanstalk has begun.
type accepted struct {
	requestID string
	at        time.Time
	// before is what it replaces.
	before former
	// sent tells, beside an error, that it may have been accepted all the same.
	sent bool
}

// update starts the deployment. Another update may slip in between our look
// and our request; then it is waited for, and asked again.
// Where that one has brought our version, it is followed in place of ours: it is
// ours, whose answer was lost, or that of a run which does the same.
func (m *Monitor) update(ctx context.Context, r Rollout, f *follower) (accepted, error) {
	if r.Platform != "" {
		return m.create(ctx, r, f)
	}
	lost := false
	for {
		if err := m.follow(ctx, f); err != nil {
			return accepted{sent: lost}, err
		}
		// The last look before the request, so that little can come in between.
		before, err := m.before(ctx, r)
		if err != nil {
			return accepted{sent: lost}, err
		}
		if before.ready {
			found, err := m.try(ctx, r, before, &lost)
			if !invalid(err, "must be ready") {
				return found, err
			}
		}
		// What it is not ready for may be an attempt of ours whose answer was lost.
		if err := m.outdate(ctx); err != nil {
			return accepted{sent: lost}, err
		}
		env, err := m.AwaitTurn(ctx, r.Turn, r.Log)
		if err != nil {
			return accepted{sent: lost}, err
		}
		if env.VersionLabel == r.Label && before.label != r.Label {
			say(r.Log, "environment %q holds version %s by now; following the update that brought it", r.Env, r.Label)
			return m.begun(ctx, f, before)
		}
	}
}

// try asks for the update once.
func (m *Monitor) try(ctx context.Context, r Rollout, before former, lost *bool) (accepted, error) {
	out, err := m.send(ctx, r, lost)
	if err != nil {
		return accepted{sent: !Refused(err) && !errors.Is(err, errNotSent)}, r.refused(err)
	}
	id, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	return accepted{requestID: id, at: time.Now(), before: before}, nil
}

// begun is the update that has begun since the follower follows, which still
// gets its events.
func (m *Monitor) begun(ctx context.Context, f *follower, before former) (accepted, error) {
	found := accepted{at: time.Now(), sent: true, before: before}
	if err := m.take(ctx); err != nil {
		return found, err
	}
	defer m.release()
	if err := m.readEvents(ctx); err != nil {
		return found, err
	}
	for _, e := range f.fresh {
		if e.begins() && e.RequestID != "" {
			found.requestID = e.RequestID
		}
	}
	return found, nil
}

var errNotSent = errors.New("the update was not sent")

// send asks for the update. Where the run is cancelled meanwhile the answer is
// waited for a little: an update that has begun must be known to be aborted. It
// notes where an attempt had no answer.
func (m *Monitor) send(ctx context.Context, r Rollout, lost *bool) (*elasticbeanstalk.UpdateEnvironmentOutput, error) {
	if ctx.Err() != nil {
		return nil, errors.Join(errNotSent, context.Cause(ctx))
	}
	sending, cancel := outliving(ctx, inFlight)
	defer cancel()
	return m.client.eb.UpdateEnvironment(sending, r.request(m.app), func(o *elasticbeanstalk.Options) {
		o.Retryer = witness{o.Retryer, lost}
	})
}

// witness notes that an attempt at a call may have been carried out, although no
// answer says so.
type witness struct {
	aws.Retryer
	lost *bool
}

// IsErrorRetryable is asked after each attempt that failed.
func (w witness) IsErrorRetryable(err error) bool {
	*w.lost = *w.lost || !Refused(err) && !throttled(err)
	return w.Retryer.IsErrorRetryable(err)
}

// say prints a line. A log that can't be written to is no reason to stop a
// deployment on its way.
func say(log io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(log, format+"\n", args...)
}

// mute tells that the instances can't be asked: the environment has basic health
// reporting, for which the API has this code, or there is no permission.
func mute(err error) bool {
	return code(err) == "InvalidRequestException" || refusesPermission(err)
}

// instances asks the instances what they run. The error is mute where they can't
// be asked at all.
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
			all = append(all, instance(i, aws.ToTime(out.RefreshedAt)))
		}
		if aws.ToString(out.NextToken) == "" {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
}

func instance(i types.SingleInstanceHealth, now time.Time) Instance {
	one := Instance{ID: aws.ToString(i.InstanceId), Health: aws.ToString(i.HealthStatus), Causes: i.Causes}
	if i.LaunchedAt != nil && now.After(*i.LaunchedAt) {
		one.Age = now.Sub(*i.LaunchedAt)
	}
	if i.Deployment != nil {
		one.Deployment = aws.ToString(i.Deployment.Status)
		one.Label = aws.ToString(i.Deployment.VersionLabel)
		one.DeploymentID = aws.ToInt64(i.Deployment.DeploymentId)
	}
	return one
}
