package beanstalk

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
)

// errSeparate tells that version and settings can't go in one update.
var errSeparate = errors.New("version and settings can't go in one update")

// request is the update: the version with the settings that differ.
func (r Rollout) request(app string) *elasticbeanstalk.UpdateEnvironmentInput {
	in := &elasticbeanstalk.UpdateEnvironmentInput{ApplicationName: &app, EnvironmentName: &r.Env}
	if !r.Runs {
		in.VersionLabel = &r.Label
	}
	in.OptionSettings, in.OptionsToRemove = r.Changes.sent()
	return in
}

// refused is an update that Elastic Beanstalk does not take. Its words may quote
// a setting's value.
func (r Rollout) refused(err error) error {
	if code(err) == "InvalidParameterCombination" && !r.Runs && len(r.Changes) > 0 {
		return errSeparate
	}
	what := fmt.Sprintf("to version %q", r.Label)
	if r.Runs {
		what = "to other settings"
	}
	return r.hide(failed(err, "update environment %q %s", r.Env, what))
}

// hide takes the settings' values out of an error.
func (r Rollout) hide(err error) error {
	if len(r.Changes) == 0 {
		return err
	}
	return hidden{text: NewSecrets(r.Changes.values()...).Hide(err.Error()), err: err}
}

// hidden is an error with another text.
type hidden struct {
	text string
	err  error
}

func (h hidden) Error() string { return h.text }
func (h hidden) Unwrap() error { return h.err }

// rollSeparately sends the settings first, since the new version may need them,
// and the version after them.
func (m *Monitor) rollSeparately(ctx context.Context, r Rollout) (Outcome, error) {
	env, err := m.client.Environment(ctx, m.app, r.Env)
	if err == nil {
		err = m.newer(ctx, r.Turn, env)
	}
	if err != nil {
		return Outcome{}, err
	}
	each := ""
	if r.Limit > 0 {
		each = fmt.Sprintf("; each update has %s", r.Limit)
	}
	say(r.Log, "version and settings can't go in one update of environment %q: the settings go first%s", r.Env, each)
	settings := r
	settings.Label, settings.Runs, settings.NoWait = env.VersionLabel, true, false
	first, err := m.Roll(ctx, settings)
	if err != nil {
		return first, fmt.Errorf("the settings, before the version: %w", err)
	}
	// An unhealthy environment may be waiting for the version.
	if !first.Result.Good() && first.Result != Unhealthy {
		first.Reason = "the settings, before the version: " + first.Reason
		return first, nil
	}
	r.Changes = nil
	second, err := m.Roll(ctx, r)
	second.Sent = true // the settings are, in any case
	second.Events = append(first.Events, second.Events...)
	second.Began = first.Began
	second.Took += first.Took
	return second, err
}
