package ebdeploy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/guk0/travois/internal/beanstalk"
)

// aftermath is what is done after a deployment that went wrong.
type aftermath string

const (
	leave    aftermath = "none"
	abort    aftermath = "abort"
	rollback aftermath = "rollback"
)

// UnmarshalText fails on other words.
func (a *aftermath) UnmarshalText(text []byte) error {
	switch *a = aftermath(text); *a {
	case leave, abort, rollback:
		return nil
	}
	return fmt.Errorf("%q is none of %s, %s, %s", text, leave, abort, rollback)
}

const (
	// cancelTime is for the abort after a signal: a cancelled job has 10 s from
	// the first one to its end.
	cancelTime = 6 * time.Second
	// settleTime is for an update that was aborted to be taken back.
	settleTime = 20 * time.Minute
)

// interrupted tells where a run that was cancelled leaves the environment, and
// aborts its update, if that was asked for. What comes of it is not waited for:
// there is no time.
func (r *rollout) interrupted(ctx context.Context) {
	r.done.cancelled = true
	if !r.done.outcome.Sent {
		r.done.Verdict = verdict(beanstalk.Rejected, "the run was cancelled before the update was asked for")
		return
	}
	r.done.Verdict = verdict(beanstalk.Failed, "the run was cancelled before it was known how the update ended: %s", r.letGo(ctx))
}

// letGo says what becomes of an update that is not watched any more.
func (r *rollout) letGo(ctx context.Context) string {
	switch {
	case r.done.outcome.Overtaken:
		return "another one has begun after it"
	case r.plan.config.OnFailure == leave:
		return "it goes on"
	}
	short, cancel := context.WithTimeout(context.WithoutCancel(ctx), cancelTime)
	defer cancel()
	aborted, status, err := r.monitor.Abort(short, r.done.name)
	switch {
	case err != nil:
		return fmt.Sprintf("it goes on, since it can't be aborted: %v", err)
	case aborted:
		return fmt.Sprintf("it is aborted, and Elastic Beanstalk takes it back to %s", named(r.done.previous))
	case status == "Ready":
		return "it is over by now"
	}
	return "it can't be aborted and goes on"
}

// recover does what on-failure asks for. An environment that another run took is
// left alone, and so is one that Elastic Beanstalk has rolled back itself, but for
// settings: those that went before the version stay.
func (r *rollout) recover(ctx context.Context) error {
	v := r.done.Verdict
	if ctx.Err() != nil && r.plan.config.OnFailure != leave {
		what := "nothing was done"
		if v.Result == beanstalk.TimedOut && r.done.outcome.Sent {
			what = "as for the update, " + r.letGo(ctx)
		}
		r.add("on-failure: the run was cancelled: %s", what)
		return ctx.Err()
	}
	if r.plan.config.OnFailure == leave || !r.done.outcome.Sent || r.done.outcome.Overtaken {
		return nil
	}
	switch v.Result {
	case beanstalk.TimedOut:
		if done, err := r.abort(ctx); err != nil || done && r.done.Result != beanstalk.RolledBack {
			return err
		}
	case beanstalk.Failed, beanstalk.Unhealthy, beanstalk.RolledBack:
	default:
		return nil
	}
	undone := r.done.Result == beanstalk.RolledBack && len(r.target.Changes) == 0
	if r.plan.config.OnFailure != rollback || undone {
		return nil
	}
	return r.rollBack(ctx)
}

// abort ends an update that takes too long, and waits until it is taken back.
// It is done where the version before runs everywhere again.
func (r *rollout) abort(ctx context.Context) (done bool, err error) {
	aborted, status, err := r.monitor.Abort(ctx, r.done.name)
	switch {
	case ctx.Err() != nil:
		r.add("on-failure: the run was cancelled before it was known whether the update is aborted")
		return false, ctx.Err()
	case err != nil:
		r.add("on-failure: the update goes on: %v", err)
		return false, nil
	case !aborted && status == "Ready":
		if r.plan.config.OnFailure == abort {
			r.add("on-failure: the update is over by now, so there is none to abort")
		}
		return false, nil
	case !aborted:
		r.add("on-failure: the update goes on: it can't be aborted at this time")
		return false, nil
	}
	say(r.log, "on-failure: the update is aborted; waiting until it is taken back")
	settling, cancel := context.WithTimeout(ctx, settleTime)
	defer cancel()
	env, err := r.monitor.AwaitReady(settling, r.done.name, r.log)
	switch {
	case ctx.Err() != nil:
		r.add("on-failure: the update was aborted, and the run was cancelled before it was taken back")
		return true, ctx.Err()
	case err != nil:
		r.add("on-failure: the update was aborted, but not taken back within %s: %s", settleTime, plainly(err))
		return true, nil
	}
	r.done.outcome.Environment = env
	why := fmt.Sprintf("the environment holds %s", named(env.VersionLabel))
	if env.VersionLabel == r.done.previous {
		if why, err = r.client.Incomplete(ctx, env, r.log); err != nil {
			r.add("on-failure: the update was aborted, but what its instances run is not known: %v", err)
			return false, ctx.Err()
		}
	}
	if why == "" {
		r.done.Result = beanstalk.RolledBack
		r.add("on-failure: the update was aborted, and %s runs", named(env.VersionLabel))
		return true, nil
	}
	r.done.Result = beanstalk.Failed
	r.add("on-failure: the update was aborted, but %s", why)
	return false, nil
}

// rollBack deploys the version before again, with the settings before. It has a
// deadline of its own, since that of the deployment may have passed.
func (r *rollout) rollBack(ctx context.Context) error {
	switch {
	case r.done.previous == "":
		r.add("on-failure: no version ran before, so there is none to go back to")
		return nil
	case r.done.previous == r.plan.label && len(r.target.Changes) == 0:
		if !r.reachesBack(ctx) {
			return nil
		}
	}
	if r.done.Result != beanstalk.RolledBack {
		say(r.log, "on-failure: going back to version %s", r.done.previous)
	}
	outcome, how, err := r.goBack(ctx)
	var newer *beanstalk.SupersededError
	switch {
	case errors.As(err, &newer):
		r.done.noWayBack = true
		r.add("on-failure: nothing was rolled back, since %v", newer)
		return nil
	case ctx.Err() != nil:
		begun := "had not begun"
		if outcome.Sent {
			begun, r.done.noWayBack = "goes on", true
		}
		r.add("on-failure: the run was cancelled before it was known how the update back to version %q ended, which %s", r.done.previous, begun)
		return ctx.Err()
	case err != nil:
		r.add("on-failure: going back to version %q failed: %s", r.done.previous, plainly(err))
		return nil
	}
	r.rolledBack(outcome, how)
	if r.done.noWayBack && !outcome.Environment.Terminated() && !outcome.Overtaken {
		r.explain(ctx, outcome.Began)
	}
	return nil
}

// reachesBack finds the version to go back to where this one was there already:
// a run that was killed has left it, before it could go back.
func (r *rollout) reachesBack(ctx context.Context) bool {
	before, err := r.client.RanBefore(ctx, r.done.outcome.Environment)
	switch {
	case err != nil:
		r.add("on-failure: version %q ran before too, and what ran before that is not known: %v", r.plan.label, err)
	case before == "":
		r.add("on-failure: version %q ran before too, and no event tells of another one, so there is none to go back to", r.plan.label)
	default:
		r.done.previous = before
		return true
	}
	return false
}

// goBack awaits the turn and sends what differs from before. The verdict is
// empty where nothing does.
func (r *rollout) goBack(ctx context.Context) (done beanstalk.Outcome, how string, err error) {
	turn := r.turn(r.done.previous)
	turn.Own = r.plan.label
	limited, cancel := context.WithTimeout(ctx, r.updateTime())
	defer cancel()
	env, err := r.monitor.AwaitTurn(limited, turn, r.log)
	if err != nil {
		return done, "", err
	}
	back := r.rollout(r.done.previous)
	back.Turn, back.Changes, back.Limit = turn, r.backwards(limited), r.updateTime()
	back.Runs = r.done.previous == r.plan.label
	if !back.Runs && env.VersionLabel == r.done.previous {
		if back.Runs, err = r.runsAgain(limited, env); err != nil {
			return done, "", err
		}
	}
	if back.Runs && len(back.Changes) == 0 {
		return beanstalk.Outcome{Environment: env}, "", nil
	}
	how = "was deployed again"
	if back.Runs {
		how = "has the settings of before again"
	}
	done, err = r.monitor.Roll(ctx, back)
	return done, how, err
}

// runsAgain tells that the version before runs everywhere: Elastic Beanstalk has
// put it back, or ours has not been taken, but settings that went before it.
func (r *rollout) runsAgain(ctx context.Context, env beanstalk.Environment) (bool, error) {
	if r.done.Result == beanstalk.RolledBack {
		return true, nil // the verdict knows
	}
	why, err := r.client.Incomplete(ctx, env, r.log)
	return err == nil && why == "", err
}

// backwards are the changes that undo those of this deployment, as far as they
// were made.
func (r *rollout) backwards(ctx context.Context) beanstalk.Changes {
	if len(r.target.Changes) == 0 {
		return nil
	}
	made := r.before.With(r.plan.config.options())
	now := r.target
	if r.client.Reload(ctx, r.plan.config.App, &now) == nil {
		made = now.Settings
	}
	return made.Changes(r.target.Changes.Undo(r.before))
}

// rolledBack makes the end of the rollback that of the deployment.
func (r *rollout) rolledBack(back beanstalk.Outcome, how string) {
	switch back.Result {
	case "":
		if r.done.Result != beanstalk.RolledBack {
			r.add("on-failure: %s runs as before; nothing of this deployment is left to undo", named(r.done.previous))
		}
		r.done.Result = beanstalk.RolledBack
		r.done.outcome.Environment = back.Environment
		return
	case beanstalk.Deployed:
		r.done.Result = beanstalk.RolledBack
		r.add("on-failure: version %q %s and runs, health %s", r.done.previous, how, back.Environment.Health)
	default:
		r.done.Result, r.done.noWayBack = beanstalk.Failed, true
		r.add("on-failure: going back to version %q ended %s: %s", r.done.previous, back.Result, back.Reason)
	}
	r.done.outcome.Events = append(r.done.outcome.Events, back.Events...)
	r.done.outcome.Environment, r.done.outcome.Instances = back.Environment, back.Instances
	r.done.outcome.Took += back.Took
}

// plainly is an error without the word of Go for a deadline that has passed.
func plainly(err error) string {
	return strings.TrimSuffix(err.Error(), ": "+context.DeadlineExceeded.Error())
}

// add goes on with the reason.
func (r *rollout) add(format string, args ...any) {
	text := sentence(fmt.Sprintf(format, args...))
	say(r.log, "%s", text)
	r.done.Reason = strings.TrimSpace(sentence(r.done.Reason) + " " + text)
}
