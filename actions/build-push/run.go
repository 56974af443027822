package buildpush

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/cache"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/registry"
)

// run is the action: inputs, plan, build and push, outputs and summary.
func run(ctx context.Context, r *action.Runner) error {
	p, err := prepare(ctx, r)
	if err != nil && !p.dryRun && p.opening.inputs.needsEngine() {
		err = errors.Join(err, engine.Check(ctx, r.Getenv))
	}
	if err != nil {
		return finish(r, result{verdict: rejected}, err)
	}
	if p.dryRun {
		r.Log.Printf("%s", p.plan)
		return finish(r, p.plan.unbuilt(), nil)
	}
	for _, warning := range p.plan.exposed(r.Log.Masked) {
		r.Log.Warning(warning)
	}
	s, err := preflight(ctx, p)
	if err != nil {
		return finish(r, result{verdict: rejected}, err)
	}
	done, err := s.execute(ctx)
	if closeErr := s.builder.close(ctx); closeErr != nil {
		r.Log.Warning(fmt.Errorf("close the builder: %w", closeErr))
	}
	return finish(r, done, err)
}

// session is a plan being carried out.
type session struct {
	plan    plan
	log     *action.Log
	builder builder
	logins  registry.Credentials
	// registry is where the images go.
	registry *registry.Client
	// builds are the plan's with their caches, in its order.
	builds []compose.Build
}

// prepared is a plan and whether it is to be carried out.
type prepared struct {
	plan    plan
	opening opening
	dryRun  bool
}

// prepare reads the inputs and plans, without touching engine or registry.
// Whatever is wrong in any of the sources is reported at once.
func prepare(ctx context.Context, r *action.Runner) (prepared, error) {
	c, trigger, credentials, inputsErr := read(r)
	p := prepared{opening: opening{inputs: c.BuilderInputs, getenv: r.Getenv, logins: credentials, log: r.Log, key: r.StepKey()}, dryRun: c.DryRun}
	workspace, err := r.Workspace()
	if err != nil {
		return p, errors.Join(inputsErr, err)
	}
	project, err := compose.Load(ctx, c.Source(workspace, []string{"image", "build", "platform"}))
	if err != nil {
		_, tagsErr := c.tags(trigger)
		return p, errors.Join(inputsErr, tagsErr, err)
	}
	p.plan, err = makePlan(c, trigger, project)
	for _, one := range p.plan.images {
		one.mask(r.Log)
	}
	return p, errors.Join(inputsErr, err)
}

// preflight finds out before the first build whether every repository takes a
// push, and the builder answers and can do what is asked. A builder that has to
// be started is only when nothing else stands in the way.
func preflight(ctx context.Context, p prepared) (*session, error) {
	client, err := p.opening.logins.Client(ctx)
	if err == nil && p.plan.push {
		err = p.opening.logins.CheckPush(ctx, p.plan.written())
	}
	if p.opening.inputs.starts() {
		if err := errors.Join(err, p.plan.refusals(engine.Unstarted())); err != nil {
			return nil, errors.Join(err, engine.Check(ctx, p.opening.getenv))
		}
	}
	s := &session{plan: p.plan, log: p.opening.log, logins: p.opening.logins, registry: client}
	opened, openErr := p.opening.open(ctx, p.plan)
	if openErr != nil {
		return nil, errors.Join(err, openErr)
	}
	s.builder = opened
	cacheErr := s.chooseCaches(ctx, cache.HostOf(s.builder.Exports(), p.opening.getenv))
	if err := errors.Join(err, cacheErr, s.refusals()); err != nil {
		return nil, errors.Join(err, s.builder.close(ctx))
	}
	return s, nil
}

// refusals tell what the builder can't do, of the builds with their caches if
// those could be chosen.
func (s *session) refusals() error {
	if len(s.builds) < len(s.plan.images) {
		return s.plan.refusals(s.builder.Builder)
	}
	var problems []error
	for _, one := range s.builds {
		problems = append(problems, s.builder.Refusals(one))
	}
	return errors.Join(problems...)
}

// refusals tell what a builder can't do of the plan.
func (p plan) refusals(by *engine.Builder) error {
	var problems []error
	for _, one := range p.images {
		problems = append(problems, by.Refusals(one.build))
	}
	return errors.Join(problems...)
}

// execute builds everything, then pushes everything.
func (s *session) execute(ctx context.Context) (result, error) {
	done := s.plan.unbuilt()
	built, err := s.build(ctx)
	for i := range built {
		done.images[i].built = built[i]
	}
	if err != nil {
		done.verdict = failed
		return done, lostOnce(err)
	}
	s.log.Printf("sent %d bytes of files to %s", s.builder.Sent(), s.builder.Name)
	done.verdict = builtOnly
	if !s.plan.push {
		return done, nil
	}
	s.log.Group("Push " + s.plan.count())
	err = s.push(ctx, done.images)
	s.log.EndGroup()
	done.verdict = pushed
	if err != nil {
		done.verdict = failed
	}
	return done, lostOnce(err)
}

// lostOnce tells of an engine or a builder that went away once, not for every
// image.
func lostOnce(err error) error {
	told := false
	return errors.Join(slices.DeleteFunc(action.Problems(err), func(one error) bool {
		again := told && engine.Lost(one)
		told = told || engine.Lost(one)
		return again
	})...)
}
