package ebdeploy

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"sync/atomic"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
)

// rollout brings one environment to the version.
type rollout struct {
	client  *beanstalk.Client
	monitor *beanstalk.Monitor
	plan    plan
	stock   *stock
	target  beanstalk.Destination
	// before are the settings before the update.
	before beanstalk.Settings
	log    io.WriteCloser
	// annotate is the whole log, prefix begins the environment's lines in it.
	annotate *action.Log
	prefix   string
	// expires is the run's deadline. Its time is zero where there is none: then the
	// turn and the version have the limit, and each update its own.
	expires deadline
	done    envResult
	// ours and foreign count the severe events of this update and of others.
	ours, foreign int
	err           error
	// failed is the result once it is known to be bad.
	failed atomic.Pointer[beanstalk.Result]
}

// deadline is a time limit and when it is reached.
type deadline struct {
	limit time.Duration
	at    time.Time
}

func newDeadline(limit time.Duration) deadline { return deadline{limit, time.Now().Add(limit)} }

// skip is for an environment that is not begun.
func (r *rollout) skip(why string) {
	r.done.Verdict = verdict(beanstalk.Rejected, "not begun: %s", why)
	r.done.outcome.Environment, r.done.previous = r.target.Environment, r.target.Environment.VersionLabel
}

func (r *rollout) run(ctx context.Context) {
	r.err = r.execute(ctx)
	if !r.done.Result.Good() {
		r.failed.Store(&r.done.Result)
	}
}

func (r *rollout) execute(ctx context.Context) error {
	limited, cancel := r.limited(ctx)
	defer cancel()
	r.begin()
	began := time.Now()
	err := r.deploy(limited)
	var newer *beanstalk.SupersededError
	if errors.As(err, &newer) {
		r.done.Verdict = verdict(beanstalk.Superseded, "%v; it is left alone", newer)
		if r.done.outcome.Sent {
			r.done.Reason += ", but the settings of this run were sent before"
		}
		return nil
	}
	if ctx.Err() != nil && !r.done.Result.Good() {
		r.interrupted(ctx)
		return ctx.Err()
	}
	if errors.Is(err, context.DeadlineExceeded) && r.expired(began) {
		r.done.Verdict = verdict(beanstalk.TimedOut, "the deadline of %s passed: %s", r.expires.limit, plainly(err))
		err = nil
	}
	left := r.done.Result == beanstalk.Superseded || r.done.outcome.Environment.Terminated()
	if r.done.Result.Good() || left || err != nil && !r.done.outcome.Sent {
		return err
	}
	r.explain(ctx, r.done.outcome.Began)
	err = errors.Join(err, r.recover(ctx))
	r.done.cancelled = ctx.Err() != nil && r.done.Result == beanstalk.TimedOut
	return err
}

func (r *rollout) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if r.expires.at.IsZero() {
		r.expires.limit = r.limit()
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, r.expires.at)
}

// expired tells that a deadline of ours may have passed. A network that times out
// has the same error.
func (r *rollout) expired(began time.Time) bool {
	if r.expires.at.IsZero() {
		return time.Since(began) >= r.updateTime()
	}
	return !time.Now().Before(r.expires.at)
}

// limit is as long as the update may take; an update that is under way may take
// as long before it.
func (r *rollout) limit() time.Duration {
	limit := r.updateTime()
	if status := r.target.Environment.Status; status != "Ready" && status != "" {
		limit += r.target.Settings.Deadline()
	}
	return limit
}

// updateTime is how long one update may take.
func (r *rollout) updateTime() time.Duration {
	return r.target.Settings.With(r.plan.config.options()).Deadline()
}

func (r *rollout) begin() {
	env := r.target.Environment
	r.done.outcome.Environment, r.done.previous = env, env.VersionLabel
	if r.target.New {
		say(r.log, "environment %s is not there; the deadline is %s", env.Name, r.expires.limit)
		return
	}
	say(r.log, "environment %s (%s) runs %s, health %s; the deadline is %s",
		env.Name, env.Platform, cmp.Or(env.VersionLabel, "no version"), env.Health, r.expires.limit)
}

func (r *rollout) deploy(ctx context.Context) error {
	runs, err := r.prepare(ctx)
	switch {
	case err != nil:
		r.done.Result = beanstalk.Rejected
		return err
	case runs && len(r.target.Changes) == 0:
		r.done.Verdict = verdict(beanstalk.Unchanged, "version %q runs already, health %s", r.plan.label, r.done.outcome.Environment.Health)
		return nil
	}
	return r.roll(ctx, runs)
}

// prepare awaits the turn and makes sure of what the environment needs. The time
// that it takes is not that of the update.
func (r *rollout) prepare(ctx context.Context) (runs bool, err error) {
	limited, cancel := ctx, func() {}
	if r.expires.at.IsZero() {
		limited, cancel = context.WithTimeout(ctx, r.expires.limit)
	}
	defer cancel()
	if r.target.New {
		return false, r.makeNew(limited)
	}
	env, err := r.monitor.AwaitTurn(limited, r.turn(r.plan.label), r.log)
	if env.ID != "" {
		r.done.outcome.Environment, r.done.previous = env, env.VersionLabel
	}
	if err != nil {
		return false, err
	}
	r.learn(limited)
	r.before = r.target.Settings
	runs, err = r.supply(limited, env)
	if err == nil {
		err = r.stock.claim(limited, r.turn(r.plan.label))
	}
	return runs, err
}

// supply makes sure of what the environment needs: the logins, and the version
// unless it runs already.
func (r *rollout) supply(ctx context.Context, env beanstalk.Environment) (runs bool, err error) {
	if err := r.stock.storeLogin(ctx); err != nil {
		return false, err
	}
	runs, err = r.runsAlready(ctx, env)
	if err == nil && !runs {
		_, err = r.stock.ensure(ctx)
	}
	return runs, err
}

// learn reads settings and secrets again: an update that was waited for may
// have changed them, and while it ran they may not have been readable.
func (r *rollout) learn(ctx context.Context) {
	known := r.target.Secrets.Known()
	err := r.client.Reload(ctx, r.plan.config.App, &r.target)
	if err == nil {
		r.target.Changes = r.target.Settings.Changes(r.plan.config.options())
	} else if known {
		say(r.log, "warning: %v", err)
	}
}

// runsAlready tells that the environment needs no other version.
func (r *rollout) runsAlready(ctx context.Context, env beanstalk.Environment) (bool, error) {
	if env.VersionLabel != r.plan.label || !slices.Contains(r.plan.config.AcceptHealth, env.Health) {
		return false, nil
	}
	if held, err := r.stock.holds(ctx); err != nil || !held {
		return false, err
	}
	why, err := r.client.Incomplete(ctx, env, r.log)
	if err != nil {
		return false, err
	}
	if why != "" {
		say(r.log, "the environment holds version %s already, but %s; it is deployed again", r.plan.label, why)
		return false, nil
	}
	return true, nil
}

// roll sends the version, or only settings where it runs already.
func (r *rollout) roll(ctx context.Context, runs bool) error {
	for _, change := range r.target.Changes {
		say(r.log, "%s", change)
	}
	forth := r.rollout(r.plan.label)
	forth.Changes, forth.Runs, forth.NoWait = r.target.Changes, runs, !r.plan.config.Wait
	forth.Platform = r.platform()
	if r.expires.at.IsZero() {
		forth.Limit = r.updateTime()
		r.expires.limit = forth.Limit
	}
	outcome, err := r.monitor.Roll(ctx, forth)
	if outcome.Environment.ID == "" {
		outcome.Environment = r.done.outcome.Environment
	}
	r.done.outcome, r.done.Verdict = outcome, outcome.Verdict
	if err == nil {
		return nil
	}
	r.done.Result = beanstalk.Failed
	if !outcome.Sent {
		r.done.Result = beanstalk.Rejected
	}
	return err
}

func (r *rollout) turn(label string) beanstalk.Turn {
	return beanstalk.Turn{Env: r.done.name, Label: label, Run: r.plan.run, Force: r.plan.config.Force}
}

func (r *rollout) rollout(label string) beanstalk.Rollout {
	return beanstalk.Rollout{
		Turn: r.turn(label), AcceptHealth: r.plan.config.AcceptHealth,
		Policy: r.target.Settings.Policy, Secrets: r.target.Secrets, Log: r.log, Alert: r.alert,
	}
}

// maxAnnotations is how many of a kind the runner shows of a step
// (actions/runner, ExecutionContext.cs).
const maxAnnotations = 10

// alert makes annotations of the events that tell of a failure: red ones of
// those that count, yellow ones of another operation's. The first tell why; the
// others are lines of the log, so that there is room for the verdicts, which come
// last.
func (r *rollout) alert(e beanstalk.Event, ours bool) {
	annotate, text := r.annotate.Warning, e.String()+" (of another operation; it does not count)"
	shown := &r.foreign
	if ours {
		annotate, text, shown = r.annotate.Error, e.String(), &r.ours
	}
	if *shown++; *shown > max(1, maxAnnotations/len(r.plan.config.Envs)-1) {
		say(r.log, "%s", text)
		return
	}
	annotate(errors.New(r.prefix + text))
}

// explain collects why it went wrong, beside what is known already. The deadline
// of the deployment does not hold for it, since a deployment that ran out of time
// needs it most. The logs tell nothing where the update was not sent: another
// one's are on the instances.
func (r *rollout) explain(ctx context.Context, since time.Time) {
	// The bundle's .ebextensions may have brought properties of their own.
	if now := r.target; r.client.Reload(ctx, r.plan.config.App, &now) == nil {
		r.target = now
	}
	var found beanstalk.Diagnosis
	if r.done.outcome.Sent {
		found = r.client.Diagnose(ctx, r.done.name, since, r.target.Secrets)
	} else {
		found = r.client.Causes(ctx, r.done.name, r.target.Secrets)
	}
	if ctx.Err() != nil {
		found.Missing = nil // it tells of the cancellation alone
	}
	all := &r.done.reasons
	found.Causes = slices.DeleteFunc(found.Causes, func(cause string) bool { return slices.Contains(all.Causes, cause) })
	found.Tails = slices.DeleteFunc(found.Tails, func(tail beanstalk.Tail) bool { return slices.Contains(all.Tails, tail) })
	for _, cause := range found.Causes {
		say(r.log, "cause: %s", oneLine(cause))
	}
	for _, tail := range found.Tails {
		say(r.log, "--- end of the logs of %s ---\n%s", tail.Instance, tail.Text)
	}
	for _, missing := range found.Missing {
		say(r.log, "%s", missing)
	}
	all.Causes, all.Tails, all.Missing = append(all.Causes, found.Causes...), append(all.Tails, found.Tails...), append(all.Missing, found.Missing...)
}
