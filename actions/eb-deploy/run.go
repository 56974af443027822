package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
)

// run is the action: inputs, plan, preflight, deployment, outputs and summary.
func run(ctx context.Context, r *action.Runner) error {
	return deployment{runner: r, loadAWS: loadAWS}.run(ctx)
}

// loadAWS reads the environment (AWS_*) and the files that every AWS tool
// reads. What the SDK would log goes past the guard of the step's log, so it
// logs nothing; its errors are reported.
func loadAWS(ctx context.Context, region string) (aws.Config, error) {
	return awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(region), awsconfig.WithLogger(logging.Nop{}))
}

// deployment is one run of the action.
type deployment struct {
	runner  *action.Runner
	loadAWS func(ctx context.Context, region string) (aws.Config, error)
}

func (d deployment) run(ctx context.Context) error {
	p, client, err := d.prepare(ctx)
	if err != nil {
		return d.rejected(p, err)
	}
	if p.config.DryRun {
		d.runner.Log.Printf("%s", p)
		return finish(d.runner, result{plan: p, Verdict: beanstalk.Verdict{Result: planned}}, nil)
	}
	target, err := d.preflight(ctx, client, p.request())
	if err != nil {
		return d.rejected(p, err)
	}
	log := d.runner.Log.Writer("")
	run := &execution{client: client, plan: p, target: target, log: log, done: result{plan: p}}
	err = errors.Join(run.execute(ctx), log.Close())
	return finish(d.runner, run.done, err)
}

func (d deployment) rejected(p plan, err error) error {
	return finish(d.runner, result{plan: p, Verdict: beanstalk.Verdict{Result: beanstalk.Rejected}}, err)
}

// execution carries out a plan.
type execution struct {
	client *beanstalk.Client
	plan   plan
	target beanstalk.Target
	log    io.Writer
	done   result
}

func (e *execution) execute(ctx context.Context) error {
	limit := e.limit()
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	for _, change := range e.plan.changes {
		e.printf("%s: %s", e.plan.file.path, change)
	}
	work := e.deploy
	if e.plan.config.Env == "" {
		work = e.createOnly
	} else {
		e.begin(limit)
	}
	err := work(limited)
	if err != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		e.end(beanstalk.TimedOut, "the deadline of %s passed: %v", limit, err)
		err = nil
	}
	if err == nil && !e.done.Result.Good() {
		e.explain(ctx)
	}
	return err
}

func (e *execution) begin(limit time.Duration) {
	env := e.target.Environment
	e.done.outcome.Environment, e.done.previous = env, env.VersionLabel
	e.printf("environment %s (%s) runs %s, health %s; the deadline is %s",
		env.Name, env.Platform, cmp.Or(env.VersionLabel, "no version"), env.Health, limit)
}

// limit is the one deadline, from here to the verdict.
func (e *execution) limit() time.Duration {
	if e.plan.config.Timeout > 0 {
		return e.plan.config.Timeout
	}
	return e.target.Settings.Deadline()
}

func (e *execution) end(verdict beanstalk.Result, format string, args ...any) {
	e.done.Verdict = beanstalk.Verdict{Result: verdict, Reason: fmt.Sprintf(format, args...)}
}

func (e *execution) printf(format string, args ...any) {
	// The log takes what it can; see action.Log.
	_, _ = fmt.Fprintf(e.log, format+"\n", args...)
}

// createOnly makes the version for someone else to deploy.
func (e *execution) createOnly(ctx context.Context) error {
	if err := e.store(ctx); err != nil {
		e.done.Result = beanstalk.Rejected
		return err
	}
	e.end(beanstalk.Created, "version %q exists; no environment was named to run it", e.plan.label)
	return nil
}

// store makes sure of the version.
func (e *execution) store(ctx context.Context) error {
	if e.plan.existing {
		e.done.stored = *e.target.Version
		return nil
	}
	bucket := e.plan.config.BucketName
	if bucket == "" {
		var err error
		if bucket, err = e.client.StorageLocation(ctx); err != nil {
			return err
		}
	}
	stored, err := e.client.EnsureVersion(ctx, e.plan.bundleIn(bucket))
	if err != nil {
		return err
	}
	e.done.stored = stored
	e.printf("%s", storedLine(e.plan.label, stored))
	return nil
}

func storedLine(label string, s beanstalk.Stored) string {
	switch {
	case s.Uploaded:
		return fmt.Sprintf("created version %s from %s", label, s.URI())
	case s.Created:
		return fmt.Sprintf("created version %s from %s, which was there", label, s.URI())
	}
	return fmt.Sprintf("version %s is there with the same content, %s", label, s.URI())
}

// deploy brings the environment to the version.
func (e *execution) deploy(ctx context.Context) error {
	env, err := e.client.AwaitReady(ctx, e.plan.config.App, e.plan.config.Env, e.log)
	if err != nil {
		e.done.Result = beanstalk.Rejected
		return err
	}
	e.done.outcome.Environment, e.done.previous = env, env.VersionLabel
	e.learn(ctx)
	unchanged, err := e.runsAlready(ctx, env)
	if err == nil && !unchanged {
		err = e.store(ctx)
	}
	if err != nil {
		e.done.Result = beanstalk.Rejected
		return err
	}
	if unchanged {
		return nil
	}
	return e.roll(ctx)
}

// learn reads settings and secrets again: an update that was waited for may
// have changed them, and while it ran they may not have been readable.
func (e *execution) learn(ctx context.Context) {
	err := e.client.Reload(ctx, e.plan.config.App, &e.target)
	if err != nil && !slices.Contains(e.target.Warnings, err.Error()) {
		e.printf("warning: %v", err)
	}
}

// runsAlready tells that there is nothing to do.
func (e *execution) runsAlready(ctx context.Context, env beanstalk.Environment) (bool, error) {
	if env.VersionLabel != e.plan.label || !slices.Contains(e.plan.config.AcceptHealth, env.Health) {
		return false, nil
	}
	if e.plan.existing {
		e.done.stored = *e.target.Version
	} else {
		stored, err := e.client.Holds(ctx, e.plan.config.App, e.plan.label, e.plan.hash)
		if err != nil || stored == nil {
			return false, err
		}
		e.done.stored = *stored
	}
	why, err := e.client.Incomplete(ctx, env, e.log)
	if err != nil {
		return false, err
	}
	if why != "" {
		e.printf("the environment holds version %s already, but %s; it is deployed again", e.plan.label, why)
		return false, nil
	}
	e.end(beanstalk.Unchanged, "version %q runs already, health %s", e.plan.label, env.Health)
	return true, nil
}

func (e *execution) roll(ctx context.Context) error {
	outcome, err := e.client.Roll(ctx, beanstalk.Rollout{
		App: e.plan.config.App, Env: e.plan.config.Env, Label: e.plan.label,
		AcceptHealth: e.plan.config.AcceptHealth, NoWait: !e.plan.config.Wait,
		Policy: e.target.Settings.Policy, Secrets: e.target.Secrets, Log: e.log,
	})
	e.done.outcome, e.done.Verdict = outcome, outcome.Verdict
	if outcome.Environment.ID == "" {
		e.done.outcome.Environment = e.target.Environment
	}
	if err == nil {
		return nil
	}
	e.done.Result = beanstalk.Failed
	if outcome.RequestID == "" && beanstalk.Refused(err) {
		e.done.Result = beanstalk.Rejected
	}
	return err
}

// explain collects why it went wrong. The deadline of the deployment does not
// hold for it, since a deployment that ran out of time needs it most.
func (e *execution) explain(ctx context.Context) {
	if e.plan.config.Env == "" {
		return
	}
	// The bundle's .ebextensions may have brought properties of their own.
	if now := e.target; e.client.Reload(ctx, e.plan.config.App, &now) == nil {
		e.target = now
	}
	e.done.reasons = e.client.Diagnose(ctx, e.plan.config.Env, e.done.outcome.Began, e.target.Secrets)
	for _, cause := range e.done.reasons.Causes {
		e.printf("cause: %s", oneLine(cause))
	}
	for _, tail := range e.done.reasons.Tails {
		e.printf("--- end of the logs of %s ---\n%s", tail.Instance, tail.Text)
	}
	for _, missing := range e.done.reasons.Missing {
		e.printf("%s", missing)
	}
}
