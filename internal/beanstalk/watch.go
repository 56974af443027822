package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// watch follows one update.
type watch struct {
	monitor  *Monitor
	rollout  Rollout
	follower *follower
	want     Expected
	started  time.Time
	ready    time.Time // since when the environment is Ready; zero when it is not
	seen     Observation
	out      Outcome
	asked    asked
	// begun are the events with which this update and others began.
	begun []Event
}

// maxBlind is how many looks in a row may fail. The SDK has tried each of them
// ten times already.
const maxBlind = 5

func (w *watch) follow(ctx context.Context) (Outcome, error) {
	blind := 0
	for {
		err := w.look(ctx)
		switch {
		case ctx.Err() != nil:
			return w.stopped(ctx)
		case err == nil:
			blind = 0
		case errors.Is(err, errGone) && w.rollout.Platform != "" && time.Since(w.started) < startGrace:
			// A new environment is not listed at once.
		case errors.Is(err, errGone):
			w.out.Environment.Status = string(types.EnvironmentStatusTerminated)
			w.out.Verdict = final(Failed, "environment %q is gone: it was terminated", w.rollout.Env)
		case lasting(err) || blind >= maxBlind:
			return w.out, fmt.Errorf("the update to %q was sent, but can't be followed: %w", w.rollout.Label, err)
		default:
			blind++
			say(w.rollout.Log, "warning: %v", err)
		}
		if w.out.Result != "" {
			w.out.Took = time.Since(w.started)
			return w.out, nil
		}
	}
}

// stopped is the end by the deadline, with what was going on, or by a signal.
func (w *watch) stopped(ctx context.Context) (Outcome, error) {
	w.out.Took = time.Since(w.started)
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return w.out, fmt.Errorf("follow the update to %q: %w", w.rollout.Label, ctx.Err())
	}
	if w.seen.Overtaken && len(w.seen.Errors) == 0 {
		w.out.Verdict = final(Superseded, "another update has taken environment %q before it was known how this one ended, and was still under way at the deadline", w.rollout.Env)
		return w.out, nil
	}
	doing := w.out.Reason
	if doing == "" {
		doing = "nothing could be seen of it"
	}
	w.out.Verdict = final(TimedOut, "the deadline passed %s after the update; %s", w.out.Took.Round(time.Second), doing)
	if n := len(w.out.Events); n > 0 {
		w.out.Reason += fmt.Sprintf("; the last event was: %s", w.out.Events[n-1].Message)
	}
	return w.out, nil
}

// look makes an observation and judges it. A verdict is only given with the
// events that came after the status, so that all that led to it is known.
func (w *watch) look(ctx context.Context) error {
	env, err := w.monitor.look(ctx, w.follower)
	if err != nil {
		return err
	}
	w.note(env)
	// Another version alone may be the moment before the update begins to show;
	// the events tell it from a rollback, and from an update that is over already.
	unclear := env.Status == "Ready" && (env.VersionLabel != w.want.Label || !w.seen.Shown || w.asked.mute && !w.seen.Ended)
	if err := w.hear(ctx, unclear); err != nil {
		return err
	}
	due := w.due()
	if due {
		if err := w.ask(ctx); err != nil {
			return err
		}
	}
	verdict := Judge(w.want, w.seen)
	news := func() bool { return env.Status == "Ready" && w.seen.Shown && verdict.Reason != w.out.Reason }
	if verdict.Result != "" || news() {
		var err error
		if verdict, err = w.confirm(ctx, !due && verdict.Result != ""); err != nil {
			return err
		}
	}
	if verdict.Result == "" && news() {
		say(w.rollout.Log, "Ready, but %s; waiting", verdict.Reason)
	}
	w.out.Verdict = verdict
	return nil
}

// confirm judges by what the events and the instances say now.
func (w *watch) confirm(ctx context.Context, ask bool) (Verdict, error) {
	if ask {
		if err := w.ask(ctx); err != nil {
			return Verdict{}, err
		}
	}
	if err := w.hear(ctx, true); err != nil {
		return Verdict{}, err
	}
	return Judge(w.want, w.seen), nil
}

// hear takes the events that are there, current ones where they are needed.
func (w *watch) hear(ctx context.Context, current bool) error {
	fresh, err := w.monitor.news(ctx, w.follower, current)
	if err != nil {
		return err
	}
	w.take(fresh)
	return nil
}

// early is how far an event may be dated before what set it off: the parts of
// Elastic Beanstalk have clocks of their own.
const early = 5 * time.Second

// past tells an event that is listed late and is of the time before the update.
func (w *watch) past(e Event) bool {
	if e.RequestID == "" {
		return e.At.Before(w.out.Began.Add(-early))
	}
	return !e.of(w.want.RequestID) && e.At.Before(w.out.Began.Truncate(time.Second))
}

func (w *watch) take(fresh []Event) {
	fresh = slices.DeleteFunc(fresh, w.past)
	for i := range fresh {
		e := &fresh[i]
		// Hiding may change the words that tell a failure. One without a request
		// that is from before the update is another's.
		fails := e.fails(w.want.RequestID) && (e.RequestID != "" || !e.At.Before(w.out.Began.Truncate(time.Second)))
		over := e.ends()
		e.Message = w.rollout.Secrets.Hide(e.Message)
		w.print(*e, fails)
		if fails {
			w.seen.Errors = append(w.seen.Errors, *e)
		}
		w.seen.Ended = w.seen.Ended || e.of(w.want.RequestID) && over
		w.seen.Shown = w.seen.Shown || w.seen.Ended
		if e.begins() && e.RequestID != "" {
			w.begun = append(w.begun, *e)
		}
	}
	w.out.Overtaken = w.out.Overtaken || w.overtaken()
	w.seen.Overtaken = w.out.Overtaken
	w.out.Events = append(w.out.Events, fresh...)
}

// overtaken tells that another update began after this one. That an event is
// listed after the beginning of this one proves nothing: it may have come late.
func (w *watch) overtaken() bool {
	began := w.out.Began.Add(early)
	for _, e := range w.begun {
		if e.of(w.want.RequestID) {
			began = e.At
		}
	}
	return slices.ContainsFunc(w.begun, func(e Event) bool { return !e.of(w.want.RequestID) && e.At.After(began) })
}

func (w *watch) print(e Event, ours bool) {
	if e.Severe() && w.rollout.Alert != nil {
		w.rollout.Alert(e, ours)
		return
	}
	say(w.rollout.Log, "%s", e)
}

func (w *watch) note(env Environment) {
	now := time.Now()
	switch {
	case env.Status != "Ready":
		w.seen.Shown = true
		w.ready = time.Time{}
	case w.ready.IsZero():
		w.ready = now
	}
	w.seen.SinceReady = 0
	if !w.ready.IsZero() {
		w.seen.SinceReady = now.Sub(w.ready)
	}
	w.seen.SinceUpdate = now.Sub(w.started)
	w.seen.Environment = env
	w.out.Environment = env
}
