package test

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/engine"
)

// Compose's conditions of depends_on; the third is service_started.
const (
	healthy   = "service_healthy"
	completed = "service_completed_successfully"
)

// tailSize is how much of a dependency's output is kept to be shown, in bytes.
const tailSize = 64 << 10

// unit is the container of a service in a try.
type unit struct {
	stage   *stage
	service service
	// up starts it, once, after what it needs.
	up       func(context.Context) error
	instance *engine.Instance
	// said is what a dependency printed.
	said action.Tail
	// ended is how a dependency ended, nil while it runs.
	ended atomic.Pointer[engine.Exit]
}

// plant makes a unit of every service of the suite.
func (st *stage) plant() {
	st.units = map[string]*unit{}
	for _, name := range st.suite.members() {
		one := &unit{stage: st, service: st.plan.services[name], said: action.Tail{Size: tailSize}}
		var once sync.Once
		var err error
		one.up = func(ctx context.Context) error {
			once.Do(func() { err = one.start(ctx) })
			return err
		}
		st.units[name] = one
	}
}

// start starts a container when all that it needs is as it wants it.
func (u *unit) start(ctx context.Context) error {
	group, waiting := errgroup.WithContext(ctx)
	for _, need := range u.service.needs {
		group.Go(func() error { return u.await(ctx, waiting, need) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	u.stage.watch.now(u.doing("starting"))
	if err := u.create(ctx); err != nil {
		return u.named(err)
	}
	if u.isSuite() {
		u.stage.signs.end()
	}
	u.stage.watch.now(u.doing("running"))
	if err := u.instance.Start(ctx, u.output()); err != nil {
		return u.named(err)
	}
	u.stage.watch.touch() // to start a container may take a while
	if !u.isSuite() {
		go u.follow(ctx)
	}
	return nil
}

// follow remembers how a dependency ended.
func (u *unit) follow(ctx context.Context) {
	if exit, err := u.instance.Wait(ctx); err == nil {
		u.ended.Store(&exit)
	}
}

func (u *unit) isSuite() bool { return u.service.name == u.stage.suite.name }

func (u *unit) doing(what string) string {
	if u.isSuite() {
		return what
	}
	return what + " " + u.service.name
}

// named says which dependency an error is about.
func (u *unit) named(err error) error {
	if u.isSuite() {
		return err
	}
	return fmt.Errorf("dependency %s: %w", u.service.name, err)
}

// output is the log for a suite; what a dependency prints is kept, and counts
// as a sign of life until the suite runs.
func (u *unit) output() io.Writer {
	if u.isSuite() {
		return u.stage.output
	}
	return io.MultiWriter(&u.said, u.stage.signs)
}

// await waits until a dependency is as this service wants it, or another one
// has failed. A container outlives the wait for it.
func (u *unit) await(ctx, waiting context.Context, need need) error {
	other := u.stage.units[need.service]
	if other == nil {
		return nil
	}
	err := other.up(ctx)
	if err == nil {
		err = other.become(waiting, need.condition)
	}
	if err != nil && need.optional && ctx.Err() == nil {
		u.stage.log.Printf("suite %q: goes on without %s: %v", u.stage.suite.name, need.service, err)
		return nil
	}
	return err
}

func (u *unit) become(ctx context.Context, condition string) error {
	switch condition {
	case healthy:
		u.stage.watch.now("waiting for " + u.service.name + " to be healthy")
		if err := u.instance.AwaitHealthy(ctx); err != nil {
			return u.named(err)
		}
	case completed:
		u.stage.watch.now("waiting for " + u.service.name + " to end")
		exit, err := u.instance.Wait(ctx)
		if err != nil {
			return u.named(err)
		}
		if exit.Code != 0 {
			return u.named(fmt.Errorf("ended with %s and should have succeeded", explain(exit, u.service.container.Memory)))
		}
	}
	return nil
}

func (u *unit) create(ctx context.Context) error {
	spec := u.service.container
	spec.Image = u.stage.images[u.service.name].ID
	spec.Networks = []engine.Attachment{{Network: u.stage.network, Aliases: u.service.aliases}}
	if u.stage.plan.network != "" {
		spec.Networks = append(spec.Networks, engine.Attachment{Network: u.stage.plan.network})
	}
	for _, volume := range u.service.volumes {
		volume.Name = u.stage.volumes[volume.Name]
		spec.Volumes = append(spec.Volumes, volume)
	}
	instance, err := u.stage.eng.Create(ctx, spec)
	if err != nil {
		return err
	}
	u.instance = instance
	for _, one := range u.service.copies {
		if err := u.copyIn(ctx, one); err != nil {
			return fmt.Errorf("copy to %s: %w", one.to, err)
		}
	}
	for _, one := range u.service.files {
		if err := u.putFile(ctx, one); err != nil {
			return fmt.Errorf("write %s: %w", one.Path, err)
		}
	}
	return nil
}
