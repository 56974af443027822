package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// Rollout is one update of one environment to a version that exists.
type Rollout struct {
	Turn
	// Platform is that of an environment which is to be made; it is empty for one
	// that is there.
	Platform string
	// Changes are settings to send with the version.
	Changes Changes
	// Runs tells that the version runs already, so that only settings are sent.
	Runs bool
	// AcceptHealth are the healths that are good enough.
	AcceptHealth []string
	// Policy is the environment's deployment policy, empty when it is not known.
	Policy string
	// Limit is how long an update may take, and before it the wait for its turn; 0
	// is as long as the context.
	Limit time.Duration
	// NoWait ends after the update was accepted.
	NoWait bool
	// Secrets are hidden wherever an event tells them.
	Secrets Secrets
	// Log gets a line for each event.
	Log io.Writer
	// Alert gets the severe events instead, where it is set; ours are those that
	// the verdict counts.
	Alert func(e Event, ours bool)
}

// Outcome is how a rollout ended.
type Outcome struct {
	Verdict
	// Environment is as it was seen last.
	Environment Environment
	// Sent tells, also beside an error, that Elastic Beanstalk may have accepted
	// the update; RequestID is empty where that is not known.
	Sent bool
	// Overtaken tells that another update has begun after this one.
	Overtaken bool
	RequestID string
	// Events are all since the update was asked for, oldest first.
	Events []Event
	// Instances are as they were seen last; empty with basic health reporting.
	Instances []Instance
	// Began is the server's time at which the update was about to be sent; zero
	// when it was not.
	Began time.Time
	// Took is the time from the update to the verdict.
	Took time.Duration
}

// limited is the context of a part of it.
func (r Rollout) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.Limit == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, r.Limit)
}

// Roll updates the environment and follows it until the verdict is clear or
// the limit or the context's deadline passes (result timed-out). An update that is not
// accepted is an error, and so is a context that is cancelled.
func (m *Monitor) Roll(ctx context.Context, r Rollout) (Outcome, error) {
	f := &follower{env: r.Env}
	defer m.leave(f)
	turn, cancel := r.limited(ctx)
	update, err := m.update(turn, r, f)
	cancel()
	if errors.Is(err, errSeparate) {
		return m.rollSeparately(ctx, r)
	}
	if err != nil {
		return Outcome{Sent: update.sent}, err
	}
	w := &watch{
		monitor: m, rollout: r, follower: f, started: update.at,
		want: Expected{Label: r.Label, RequestID: update.requestID, AcceptHealth: r.AcceptHealth, Policy: r.Policy,
			Again: r.Platform == "" && update.before.label == r.Label, After: update.before.deployment},
		out:  Outcome{Sent: true, RequestID: update.requestID, Began: f.since},
		seen: Observation{Unasked: true},
	}
	if r.NoWait {
		w.out.Verdict = final(Created, "the update to %q has begun and is not waited for", r.Label)
		return w.out, nil
	}
	following, cancel := r.limited(ctx)
	defer cancel()
	return w.follow(following)
}

// former is what ran before an update.
type former struct {
	label string
	// ready tells that the environment took an update then.
	ready bool
	// deployment is the last one of the instances where the same version is
	// deployed again; 0 where it is not needed or not known.
	deployment int64
}

// before looks at what an update is about to replace, and whether it still may:
// a newer run may have come while this one uploaded, or sent its settings.
func (m *Monitor) before(ctx context.Context, r Rollout) (former, error) {
	env, err := m.client.Environment(ctx, m.app, r.Env)
	found := former{label: env.VersionLabel, ready: env.Status == string(types.EnvironmentStatusReady)}
	if err != nil || !found.ready {
		return found, err
	}
	if env.VersionLabel != r.Label {
		return found, m.mayReplace(ctx, r, env)
	}
	if r.Runs {
		return found, nil
	}
	instances, err := m.client.instances(ctx, r.Env)
	if err != nil && !mute(err) {
		return former{}, err
	}
	for _, i := range instances {
		found.deployment = max(found.deployment, i.DeploymentID)
	}
	return found, nil
}

// mayReplace refuses where a newer run's version runs. Settings alone are for
// the version that they were compared with.
func (m *Monitor) mayReplace(ctx context.Context, r Rollout, env Environment) error {
	if err := m.newer(ctx, r.Turn, env); err != nil {
		return err
	}
	if r.Runs {
		return fmt.Errorf("environment %q runs %s by now, and the settings are for version %q; run the deployment again", r.Env, named(env.VersionLabel), r.Label)
	}
	return nil
}
