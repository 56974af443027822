package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
)

// run is the action: inputs, plan, build and push, outputs and summary.
func run(ctx context.Context, r *action.Runner) error {
	p, credentials, err := prepare(ctx, r)
	if err != nil && !p.dryRun {
		err = errors.Join(err, engine.Check(ctx, r.Getenv))
	}
	if err != nil {
		return finish(r, result{verdict: rejected}, err)
	}
	if p.dryRun {
		r.Log.Printf("%s", p.plan)
		return finish(r, p.plan.unbuilt(), nil)
	}
	eng, err := preflight(ctx, r, p.plan, credentials)
	if err != nil {
		return finish(r, result{verdict: rejected}, err)
	}
	defer func() { _ = eng.Close() }()
	done, err := execute(ctx, r, eng, p.plan, credentials.Lookup)
	return finish(r, done, err)
}

// prepared is a plan and whether it is to be carried out.
type prepared struct {
	plan   plan
	dryRun bool
}

// prepare reads the inputs and plans, without touching engine or registry.
// Whatever is wrong in any of the sources is reported at once.
func prepare(ctx context.Context, r *action.Runner) (prepared, registry.Credentials, error) {
	c, trigger, credentials, inputsErr := read(r)
	workspace, err := r.Workspace()
	if err != nil {
		return prepared{dryRun: c.DryRun}, nil, err
	}
	project, projectErr := compose.Load(ctx, c.Source(workspace, []string{"image", "build"}))
	if projectErr != nil {
		_, tagsErr := c.tags(trigger)
		return prepared{dryRun: c.DryRun}, nil, errors.Join(inputsErr, tagsErr, projectErr)
	}
	p, planErr := makePlan(c, trigger, project)
	return prepared{p, c.DryRun}, credentials, errors.Join(inputsErr, planErr)
}

// preflight finds out before the first build whether the engine answers and
// every repository takes a push.
func preflight(ctx context.Context, r *action.Runner, p plan, credentials registry.Credentials) (*engine.Engine, error) {
	eng, engineErr := engine.Connect(ctx, r.Getenv)
	var registryErr error
	if p.push {
		var names []image.Reference
		for _, one := range p.images {
			names = append(names, one.name)
		}
		registryErr = credentials.CheckPush(ctx, names)
	}
	return eng, errors.Join(engineErr, registryErr)
}

// execute builds everything, then pushes everything.
func execute(ctx context.Context, r *action.Runner, eng *engine.Engine, p plan, logins engine.LoginFunc) (result, error) {
	done := p.unbuilt()
	r.Log.Group(fmt.Sprintf("Build %d images", len(p.images)))
	built, err := build(ctx, r.Log, eng, p, logins)
	r.Log.EndGroup()
	for i := range built {
		done.images[i].built = built[i]
	}
	if err != nil {
		done.verdict = failed
		return done, err
	}
	done.verdict = builtOnly
	if !p.push {
		return done, nil
	}
	r.Log.Group(fmt.Sprintf("Push %d images", len(p.images)))
	err = push(ctx, r.Log, eng, p, logins, done.images)
	r.Log.EndGroup()
	done.verdict = pushed
	if err != nil {
		done.verdict = failed
	}
	return done, err
}

func build(ctx context.Context, log *action.Log, eng *engine.Engine, p plan, logins engine.LoginFunc) ([]engine.Built, error) {
	var images []engine.Image
	var outputs []io.Closer
	for _, one := range p.images {
		output := log.Writer(one.build.Service + " | ")
		outputs = append(outputs, output)
		var names []string
		for _, reference := range p.references(one) {
			names = append(names, reference.String())
		}
		images = append(images, engine.Image{Build: one.build, Names: names, Secrets: one.secrets, Output: output})
	}
	built, err := eng.Build(ctx, images, logins)
	for _, output := range outputs {
		err = errors.Join(err, output.Close())
	}
	return built, err
}

// push pushes the first tag of every image side by side, and the tags that
// move only when all images are up, so that nobody finds half a release under
// them.
func push(ctx context.Context, log *action.Log, eng *engine.Engine, p plan, logins engine.LoginFunc, images []imageResult) error {
	for i, round := range [][]string{p.tags[:1], p.tags[1:]} {
		var group errgroup.Group
		problems := make([]error, len(images))
		for j := range images {
			group.Go(func() error {
				problems[j] = pushTags(ctx, log, eng, p.images[j].name, round, logins, &images[j], i == 0)
				return nil
			})
		}
		if err := errors.Join(group.Wait(), errors.Join(problems...)); err != nil {
			return err
		}
	}
	return nil
}

func pushTags(ctx context.Context, log *action.Log, eng *engine.Engine, name image.Reference, tags []string, logins engine.LoginFunc, one *imageResult, first bool) error {
	started := time.Now()
	for _, tag := range tags {
		reference := name.WithTag(tag)
		digest, err := eng.Push(ctx, reference.String(), logins, reference.Registry)
		if err != nil {
			return err
		}
		if first {
			one.digest = digest
		}
		if digest != one.digest {
			return fmt.Errorf("push %s: the registry has it as %s, and the first tag as %s", reference, digest, one.digest)
		}
		one.tags = append(one.tags, tag)
		log.Printf("pushed %s@%s", reference, digest)
	}
	one.pushing += time.Since(started)
	return nil
}
