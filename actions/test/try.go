package test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/engine"
)

// stage is one try of a suite: its network, its volumes and its containers.
type stage struct {
	*session
	suite  suite
	images map[string]made
	// name begins the names of what is made.
	name    string
	network string
	volumes map[string]string // by the name in the source
	units   map[string]*unit
	watch   *watch
	output  io.Writer
	// signs of life are what dependencies print before the suite runs.
	signs *signs
}

// try runs a suite once, from nothing to nothing.
func (s *session) try(ctx, bounded context.Context, one suite, images map[string]made, prefix string) (done try) {
	started := time.Now()
	output := s.log.Writer(prefix)
	watched, watch := newWatch(bounded, s.plan.idle)
	defer watch.stop()
	st := &stage{
		session: s, suite: one, images: images, watch: watch, output: io.MultiWriter(output, watch),
		signs:   &signs{watch: watch},
		name:    fmt.Sprintf(ownNames+"%s-%s-%s", s.plan.key, imageName(one.name), strings.ToLower(rand.Text()[:6])),
		volumes: map[string]string{},
	}
	exit, err := st.run(watched)
	done.running = time.Since(started)
	if err != nil && limitOf(watched) != nil {
		done.ended = limitOf(watched)
		err = watch.explain(done.ended)
	}
	done.exit, done.ran, done.err = exit, err == nil, errors.Join(err, output.Close())
	if ctx.Err() == nil {
		st.collect(ctx, &done)
	}
	done.empty = s.plan.failOnEmpty && len(one.reports) > 0 && done.totals().Tests == 0
	if done.verdict() != passed && ctx.Err() == nil {
		st.showDependencies()
	}
	done.err = errors.Join(done.err, st.remove(ctx))
	return done
}

// run gives the suite's exit code. Its error says why there is none.
func (st *stage) run(ctx context.Context) (engine.Exit, error) {
	st.plant()
	if err := st.prepare(ctx); err != nil {
		return engine.Exit{}, err
	}
	main := st.units[st.suite.name]
	if err := main.up(ctx); err != nil {
		return engine.Exit{}, err
	}
	exit, err := main.instance.Wait(ctx)
	if err != nil && ctx.Err() != nil {
		return exit, errors.Join(ctx.Err(), main.instance.Kill(context.WithoutCancel(ctx)))
	}
	return exit, err
}

// prepare makes the network and the volumes, which no other try sees.
func (st *stage) prepare(ctx context.Context) error {
	st.watch.now("making its network")
	labels := map[string]string{label: st.plan.key}
	network, err := st.eng.CreateNetwork(ctx, st.name, labels)
	if err != nil {
		return err
	}
	st.network = network
	for _, unit := range st.units {
		for _, volume := range unit.service.volumes {
			if _, made := st.volumes[volume.Name]; made || volume.Name == "" {
				continue
			}
			name := st.name + "-" + volume.Name
			if err := st.eng.CreateVolume(ctx, name, labels); err != nil {
				return err
			}
			st.volumes[volume.Name] = name
		}
	}
	return nil
}

// showDependencies prints what the dependencies said to a suite that did not
// pass.
func (st *stage) showDependencies() {
	for _, name := range st.suite.needs {
		unit := st.units[name]
		text := unit.said.Lines()
		if exit := unit.ended.Load(); exit != nil && exit.Code != 0 {
			st.log.Printf("%s had ended with %s", name, explain(*exit, unit.service.container.Memory))
		}
		if len(text) == 0 {
			continue
		}
		writer := st.log.Writer(name + " | ")
		_, _ = fmt.Fprintf(writer, "what %s printed for suite %q:\n", name, st.suite.name)
		_, _ = writer.Write(text)
		_ = writer.Close()
	}
}

// remove takes the containers away, then what they hung on.
func (st *stage) remove(ctx context.Context) error {
	var containers errgroup.Group
	for _, unit := range st.units {
		if unit.instance != nil {
			containers.Go(func() error { return unit.instance.Remove(ctx) })
		}
	}
	err := containers.Wait()
	var rest errgroup.Group
	if st.network != "" {
		rest.Go(func() error { return st.eng.RemoveNetwork(ctx, st.network) })
	}
	for _, name := range st.volumes {
		rest.Go(func() error { return st.eng.RemoveVolume(ctx, name) })
	}
	return errors.Join(err, rest.Wait())
}

// pad makes prefixes of one width.
func pad(name string, width int) string { return name + strings.Repeat(" ", width-len(name)) + " | " }
