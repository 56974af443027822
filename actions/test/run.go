package test

import (
	"context"
	"errors"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/cache"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/registry"
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
	s := session{plan: p, log: r.Log, eng: eng, logins: credentials, cache: c.Inputs, host: cache.HostOf(eng.ContainerdStore, r.Getenv)}
	defer s.close(ctx)
	client, err := credentials.Client(ctx)
	if err := errors.Join(err, s.preflight(ctx)); err != nil {
		return finish(r, p.unrun(), err)
	}
	s.registry = client
	done, err := s.execute(ctx)
	if !p.keep {
		err = errors.Join(err, eng.RemoveImages(ctx, p.built()))
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
	p, err := makePlan(c, r.StepKey(), project)
	for _, one := range p.services {
		one.mask(r.Log)
	}
	trigger, triggerErr := r.Trigger(action.CommitInputs{})
	p.tags, p.repository = cache.Earlier(trigger), trigger.Repository
	return p, errors.Join(err, triggerErr)
}

// session is a plan being carried out.
type session struct {
	plan plan
	log  *action.Log
	eng  *engine.Engine
	// builder is the engine's, nil where nothing is built.
	builder *engine.Builder
	logins  registry.Credentials
	// registry has the images that were pushed before.
	registry *registry.Client
	cache    cache.Inputs
	host     cache.Host
}

// execute makes all images, then runs the suites side by side, each to its
// end.
func (s *session) execute(ctx context.Context) (result, error) {
	for _, note := range s.plan.notes {
		s.log.Printf("%s", note)
	}
	done := s.plan.unrun()
	bounded, cancel := withTimeout(ctx, s.plan.timeout)
	defer cancel()
	images := s.makeImages(bounded)
	done.images = s.kept(images)
	prefixes := s.plan.prefixes()
	var group errgroup.Group
	for i, one := range s.plan.suites {
		done.suites[i].take(s.plan, one, images)
		if done.suites[i].err = s.ready(one, images); done.suites[i].err != nil {
			continue
		}
		group.Go(func() error {
			s.runSuite(ctx, bounded, one, images, prefixes[i], &done.suites[i])
			return nil
		})
	}
	return done, errors.Join(group.Wait(), ctx.Err(), done.errors())
}

// pause is between two tries, as travis_retry made it.
const pause = time.Second

// runSuite runs a suite until it passes or all tries are used up. The whole
// context outlives the bounded one, which ends with the step's time.
func (s *session) runSuite(ctx, bounded context.Context, one suite, images map[string]made, prefix string, into *suiteResult) {
	for number := 1; number <= s.plan.tries; number++ {
		last := s.try(ctx, bounded, one, images, prefix)
		into.tries = append(into.tries, last)
		if last.verdict() == passed || last.ended != nil || bounded.Err() != nil || number == s.plan.tries {
			return
		}
		s.log.Printf("try %d of %d: %v; once more", number, s.plan.tries, into.reason(last))
		select {
		case <-time.After(pause):
		case <-bounded.Done():
		}
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
			prefixes[i] = pad(one.name, width)
		}
	}
	return prefixes
}
