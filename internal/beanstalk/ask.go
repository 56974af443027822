package beanstalk

import (
	"context"
	"errors"
	"slices"
)

// passing is what the service refused, although another look may go well.
type passing struct{ error }

func (p passing) Unwrap() error { return p.error }

// lasting tells a refusal that looking again does not help against.
func lasting(err error) bool {
	var may passing
	return Refused(err) && !errors.As(err, &may)
}

// asked is when the instances were asked last.
type asked struct {
	// mute tells that they can't be.
	mute bool
	// round is that of the look, 0 for never; health is what the environment showed.
	round  int
	health string
}

// due tells whether to ask the instances at this look. Each environment's cost a
// call of their own, so of several they are asked at once where nothing but they
// is waited for, and then in turns; where the health is waited for, which alone
// rules a good end out, they are asked as far as the average has room.
func (w *watch) due() bool {
	env, names := w.seen.Environment, len(w.monitor.names)
	switch {
	case env.Status != "Ready" || w.asked.mute:
		return false
	case names == 1:
		return true
	case w.awaitsHealth():
		return w.monitor.client.pace.room() > 2*names
	}
	return w.asked.round == 0 || w.asked.health != env.Health || w.follower.round-w.asked.round >= names ||
		w.monitor.client.pace.room() > 2*names
}

func (w *watch) awaitsHealth() bool {
	env := w.seen.Environment
	return w.seen.Shown && env.VersionLabel == w.want.Label && len(w.seen.Errors) == 0 && !slices.Contains(w.want.AcceptHealth, env.Health)
}

// ask has the instances speak, once the environment is Ready.
func (w *watch) ask(ctx context.Context) error {
	if w.seen.Environment.Status != "Ready" || w.asked.mute {
		return nil
	}
	instances, err := w.monitor.client.instances(ctx, w.rollout.Env)
	if err != nil && !mute(err) {
		return passing{err}
	}
	w.asked = asked{mute: err != nil, round: w.follower.round, health: w.seen.Environment.Health}
	w.seen.Unasked = w.asked.mute
	if refusesPermission(err) {
		say(w.rollout.Log, "warning: %v; so the verdict goes by the environment alone", err)
	}
	w.seen.Instances, w.out.Instances = instances, instances
	return nil
}
