package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
)

// run is the action: inputs, plan, build and run, outputs and summary.
func run(ctx context.Context, r *action.Runner) error {
	c, credentials, inputsErr := read(r)
	p, planErr := prepare(ctx, r, c)
	if err := errors.Join(inputsErr, planErr); err != nil {
		return finish(r, result{}, errors.Join(err, engine.Check(ctx, r.Getenv)))
	}
	eng, err := engine.Connect(ctx, r.Getenv)
	if err != nil {
		return finish(r, p.unrun(), err)
	}
	defer func() { _ = eng.Close() }()
	done, err := execute(ctx, r.Log, eng, p, credentials.Lookup)
	done.keep = c.Keep
	if !c.Keep {
		err = errors.Join(err, removeImages(ctx, eng, p))
	}
	return finish(r, done, err)
}

func prepare(ctx context.Context, r *action.Runner, c config) (plan, error) {
	workspace, err := r.Workspace()
	if err != nil {
		return plan{}, err
	}
	source := c.Source(workspace, nil)
	source.Select = c.Suites
	project, err := compose.Load(ctx, source)
	if err != nil {
		return plan{}, err
	}
	return makePlan(c, r.StepKey(), project)
}

// sweep removes what a step that was killed left behind.
func sweep(ctx context.Context, r *action.Runner) error {
	eng, err := engine.Connect(ctx, r.Getenv)
	if err != nil {
		return err
	}
	defer func() { _ = eng.Close() }()
	count, err := eng.Sweep(ctx, label+"="+r.StepKey())
	if count > 0 {
		r.Log.Printf("removed %d containers that the step had left behind", count)
	}
	if c, _, _ := read(r); c.Keep {
		return err
	}
	return errors.Join(err, eng.SweepImages(ctx, suiteImages+"*:"+r.StepKey()))
}

// execute builds all suites, then runs side by side those whose image is
// there, each to its end.
func execute(ctx context.Context, log *action.Log, eng *engine.Engine, p plan, logins engine.LoginFunc) (result, error) {
	done := p.unrun()
	log.Group("Build and pull the suites' images")
	buildErr := images(ctx, log, eng, p, logins, done.suites)
	log.EndGroup()
	prefixes := p.prefixes()
	var group errgroup.Group
	for i, one := range p.suites {
		if done.suites[i].err != nil {
			continue
		}
		group.Go(func() error {
			runSuite(ctx, log.Writer(prefixes[i]), eng, one, &done.suites[i])
			return nil
		})
	}
	return done, errors.Join(buildErr, group.Wait(), done.errors())
}

// images makes every suite's image present. What fails is the suite's own
// error.
func images(ctx context.Context, log *action.Log, eng *engine.Engine, p plan, logins engine.LoginFunc, suites []suiteResult) error {
	var group errgroup.Group
	for i, one := range p.suites {
		output := log.Writer(one.name + " | ")
		group.Go(func() error {
			started := time.Now()
			suites[i].image, suites[i].err = makeImage(ctx, eng, one, output, logins)
			suites[i].preparing = time.Since(started)
			return output.Close()
		})
	}
	return group.Wait()
}

// makeImage gives what the container is made of: for an image that was built its
// ID, which no other run can move as it can a name.
func makeImage(ctx context.Context, eng *engine.Engine, one suite, output io.Writer, logins engine.LoginFunc) (string, error) {
	if one.build == nil {
		return one.image.String(), eng.Pull(ctx, one.image.String(), one.image.Registry, logins)
	}
	built, err := eng.Build(ctx, []engine.Image{{
		Build: *one.build, Names: []string{one.image.String()}, Secrets: one.secrets, Output: output,
	}}, logins)
	return built[0].ID, err
}

func runSuite(ctx context.Context, output io.WriteCloser, eng *engine.Engine, one suite, into *suiteResult) {
	started := time.Now()
	one.container.Image = into.image
	code, err := eng.Run(ctx, one.container, output)
	into.running = time.Since(started)
	into.ran, into.exitCode = err == nil, code
	if err = errors.Join(err, output.Close()); err != nil {
		into.err = fmt.Errorf("run %q: %w", one.name, err)
	}
}

// prefixes stand before the lines of each suite's output, if there are
// several, in one width.
func (p plan) prefixes() []string {
	width := 0
	for _, one := range p.suites {
		width = max(width, len(one.name))
	}
	prefixes := make([]string, len(p.suites))
	for i, one := range p.suites {
		if len(p.suites) > 1 {
			prefixes[i] = one.name + strings.Repeat(" ", width-len(one.name)) + " | "
		}
	}
	return prefixes
}

func removeImages(ctx context.Context, eng *engine.Engine, p plan) error {
	var names []string
	for _, one := range p.suites {
		if one.build != nil {
			names = append(names, one.image.String())
		}
	}
	return eng.RemoveImages(ctx, names)
}
