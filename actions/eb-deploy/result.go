package ebdeploy

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
)

// planned is the result of a dry run.
const planned beanstalk.Result = "planned"

// result is how the action ended.
type result struct {
	// Verdict is the run's own where no environment is named.
	beanstalk.Verdict
	plan   plan
	stored beanstalk.Stored
	// console makes the links to the AWS console.
	console beanstalk.Console
	// envs are in the order of the input.
	envs []envResult
	// preview is what a dry run shows.
	preview []section
}

// envResult is how the deployment to one environment ended.
type envResult struct {
	beanstalk.Verdict
	name     string
	previous string
	outcome  beanstalk.Outcome
	reasons  beanstalk.Diagnosis
	// cancelled tells that the run was, before the verdict was clear.
	cancelled bool
	// noWayBack tells that going back to the version before went wrong too or goes
	// on, or that a newer run's is there by now.
	noWayBack bool
}

// newResult is a result that is the same for all environments.
func newResult(p plan, r beanstalk.Result) result {
	d := result{plan: p, Verdict: beanstalk.Verdict{Result: r}}
	for _, name := range p.config.Envs {
		d.envs = append(d.envs, envResult{name: name, Verdict: d.Verdict})
	}
	return d
}

// severity orders the results, the best first: what is known to serve comes
// before what is not, and an environment that was left alone before one that
// was changed for the worse.
var severity = []beanstalk.Result{
	planned, beanstalk.Unchanged, beanstalk.Deployed, beanstalk.Created, beanstalk.Superseded, beanstalk.Rejected,
	beanstalk.RolledBack, beanstalk.Unhealthy, beanstalk.TimedOut, beanstalk.Failed,
}

// worst is the result of the run.
func (d result) worst() beanstalk.Result {
	if len(d.envs) == 0 {
		return d.Result
	}
	return slices.MaxFunc(d.envs, func(a, b envResult) int {
		return slices.Index(severity, a.Result) - slices.Index(severity, b.Result)
	}).Result
}

func good(r beanstalk.Result) bool { return r.Good() || r == planned }

// bad are the verdicts that fail the step.
func (d result) bad() []error {
	var all []error
	report := func(prefix string, v beanstalk.Verdict) {
		if !good(v.Result) && v.Reason != "" {
			all = append(all, fmt.Errorf("%s%s: %s", prefix, v.Result, v.Reason))
		}
	}
	if len(d.envs) == 0 {
		report("", d.Verdict)
	}
	for _, env := range d.envs {
		prefix := ""
		if len(d.envs) > 1 {
			prefix = env.name + ": "
		}
		report(prefix, env.Verdict)
	}
	return all
}

// advice is what to do next. Where an error says what is wrong, it says that too.
func (d result) advice() []string {
	var all []string
	add := func(prefix, reason, next string) {
		if next != "" && reason != "" {
			all = append(all, prefix+next)
		}
	}
	if len(d.envs) == 0 {
		add("", d.Reason, d.next())
	}
	for _, env := range d.envs {
		prefix := ""
		if len(d.envs) > 1 {
			prefix = env.name + ": "
		}
		add(prefix, env.Reason, env.next(d.plan))
	}
	return all
}

// finish hands a result on, also when there is an error to return, and turns a
// bad verdict into a failed step.
func finish(r *action.Runner, done result, err error) error {
	for _, bad := range done.bad() {
		r.Log.Error(bad)
	}
	for _, next := range done.advice() {
		r.Log.Printf("next: %s.", next)
	}
	if err == nil && !good(done.worst()) {
		return errors.Join(action.ErrVerdict, r.Finish(done.outputs(), done.summary(), nil))
	}
	return r.Finish(done.outputs(), done.summary(), err)
}

// outputs are always all set; what is not known is empty.
func (d result) outputs() action.Outputs {
	out := action.Outputs{
		"result":        string(d.worst()),
		"version-label": oneLine(d.plan.label),
		"s3-uri":        oneLine(d.stored.URI()),
		"bundle-sha256": d.plan.hash,
	}
	results := map[string]string{}
	for _, env := range d.envs {
		results[env.name] = string(env.Result)
	}
	out.JSON("results", results)
	d.each(out, "previous-version-label", func(e envResult) string { return oneLine(e.previous) })
	d.each(out, "environment-url", func(e envResult) string { return e.outcome.Environment.URL() })
	d.each(out, "environment-id", func(e envResult) string { return e.outcome.Environment.ID })
	d.each(out, "health", func(e envResult) string { return e.outcome.Environment.Health })
	return out
}

// each sets what differs by environment: plain for one, JSON for several.
func (d result) each(out action.Outputs, name string, value func(envResult) string) {
	switch len(d.envs) {
	case 0:
		out[name] = ""
	case 1:
		out[name] = value(d.envs[0])
	default:
		all := make(map[string]string, len(d.envs))
		for _, env := range d.envs {
			all[env.name] = value(env)
		}
		out.JSON(name, all)
	}
}

// sentence ends a text with a full stop.
func sentence(text string) string {
	if text == "" || strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}

// named is a version in a sentence.
func named(label string) string {
	if label == "" {
		return "no version"
	}
	return fmt.Sprintf("version %q", label)
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
