package ebdeploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
)

// execution carries out a plan: the version once, then every environment.
type execution struct {
	client *beanstalk.Client
	plan   plan
	log    *action.Log
	stock  *stock
	// rollouts are those of the environments, in the order of the input.
	rollouts []*rollout
}

func newExecution(log *action.Log, client *beanstalk.Client, p plan, target beanstalk.Target) *execution {
	e := &execution{client: client, plan: p, log: log, stock: newStock(log, client, p, target)}
	monitor := client.Monitor(p.config.App, p.config.Envs)
	for _, d := range target.Destinations {
		name := d.Environment.Name
		prefix := ""
		if len(target.Destinations) > 1 {
			prefix = name + " | "
		}
		e.rollouts = append(e.rollouts, &rollout{
			client: client, monitor: monitor, plan: p, stock: e.stock, target: d,
			log: log.Writer(prefix), annotate: log, prefix: prefix, done: envResult{name: name},
		})
	}
	return e
}

func (e *execution) execute(ctx context.Context) (result, error) {
	for _, change := range e.plan.changes {
		e.log.Printf("%s: %s", e.plan.file.path, change)
	}
	if len(e.rollouts) == 0 {
		done, err := e.createOnly(ctx)
		e.cleanUp(ctx, done)
		return done, err
	}
	err := e.rollAll(ctx)
	done := newResult(e.plan, "")
	done.console = e.client.Console()
	done.stored = e.stock.found()
	for i, r := range e.rollouts {
		done.envs[i] = r.done
	}
	e.cleanUp(ctx, done)
	return done, err
}

// createOnly makes the version for someone else to deploy.
func (e *execution) createOnly(ctx context.Context) (result, error) {
	done := newResult(e.plan, beanstalk.Rejected)
	limit := cmp.Or(e.plan.config.Timeout, beanstalk.Settings{}.Deadline())
	limited, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	var stored beanstalk.Stored
	err := e.stock.storeLogin(limited)
	if err == nil {
		stored, err = e.stock.ensure(limited)
	}
	switch {
	case err == nil:
		done.stored = stored
		done.Verdict = verdict(beanstalk.Created, "version %q exists; no environment was named to run it", e.plan.label)
	case ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		done.Verdict = verdict(beanstalk.TimedOut, "the deadline of %s passed: %s", limit, plainly(err))
		err = nil
	}
	return done, err
}

// rollAll takes the environments in their order, so many at a time. After one
// that failed no other one is begun, unless that was asked for; those that are
// under way go on to their end, since an update that is left alone half way is
// worse.
func (e *execution) rollAll(ctx context.Context) error {
	if e.plan.config.Timeout > 0 {
		for _, r := range e.rollouts {
			r.expires = newDeadline(e.plan.config.Timeout)
		}
	}
	slots := make(chan struct{}, cmp.Or(e.plan.config.MaxParallel, len(e.rollouts)))
	var all sync.WaitGroup
	for _, r := range e.rollouts {
		slots <- struct{}{}
		if why := e.stops(ctx); why != "" {
			r.skip(why)
			r.done.cancelled = ctx.Err() != nil
			<-slots
			continue
		}
		all.Go(func() {
			defer func() { <-slots }()
			r.run(ctx)
		})
	}
	all.Wait()
	return e.errors()
}

// stops tells why no further environment is begun.
func (e *execution) stops(ctx context.Context) string {
	if ctx.Err() != nil {
		return "the run was cancelled"
	}
	if !e.plan.config.FailFast {
		return ""
	}
	for _, r := range e.rollouts {
		if bad := r.failed.Load(); bad != nil {
			return fmt.Sprintf("environment %q ended %s (fail-fast: false goes on all the same)", r.done.name, *bad)
		}
	}
	return ""
}

// errors closes the logs of the rollouts and gathers what went wrong.
func (e *execution) errors() error {
	var all []error
	for _, r := range e.rollouts {
		if err := r.err; err != nil && len(e.rollouts) > 1 {
			all = append(all, fmt.Errorf("%s: %w", r.done.name, err))
		} else {
			all = append(all, err)
		}
		all = append(all, r.log.Close())
	}
	return errors.Join(all...)
}

func verdict(result beanstalk.Result, format string, args ...any) beanstalk.Verdict {
	return beanstalk.Verdict{Result: result, Reason: fmt.Sprintf(format, args...)}
}

func say(log io.Writer, format string, args ...any) {
	// The log takes what it can; see action.Log.
	_, _ = fmt.Fprintf(log, format+"\n", args...)
}
