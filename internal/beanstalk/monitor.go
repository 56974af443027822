package beanstalk

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
)

// Monitor watches the environments of a run together. One call describes all
// of them and one reads the events of all, so that several cost no more than
// one does.
type Monitor struct {
	client *Client
	app    string
	names  []string

	// turn is held by whoever reads or changes what is below. It is no mutex, so
	// that a deadline also ends the wait for it.
	turn chan struct{}
	// round counts the looks; looked is when the last one ended, next when it is
	// time for another. The interval between them grows after an update began.
	round        int
	looked, next time.Time
	interval     time.Duration
	// err is what the last look failed with, envs what it saw.
	err  error
	envs map[string]Environment
	// events is the log of all environments, nil until one is followed; the
	// round is the one whose look it is newer than.
	events      *eventLog
	eventsRound int
	followers   map[*follower]bool
}

// follower is one who watches an environment.
type follower struct {
	env string
	// round is the last one that was handed over.
	round int
	// since is the server's time from which on events are of interest; fresh are
	// those not handed over yet.
	since time.Time
	fresh []Event
}

// Monitor watches these environments of an application.
func (c *Client) Monitor(app string, envs []string) *Monitor {
	return &Monitor{client: c, app: app, names: envs, turn: make(chan struct{}, 1), followers: map[*follower]bool{}}
}

func (m *Monitor) take(ctx context.Context) error {
	select {
	case m.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (m *Monitor) release() { <-m.turn }

// look is the first look at the environment that the follower has not had.
// Whoever comes first when it is time for one looks for all.
func (m *Monitor) look(ctx context.Context, f *follower) (Environment, error) {
	for {
		if err := m.take(ctx); err != nil {
			return Environment{}, err
		}
		wait, err := m.step(ctx, f)
		if err == nil && wait == 0 {
			defer m.release()
			return m.seen(f)
		}
		m.release()
		if err == nil {
			err = sleep(ctx, wait)
		}
		if err != nil {
			return Environment{}, err
		}
	}
}

// step tells how long to wait for the follower's next look, or looks.
func (m *Monitor) step(ctx context.Context, f *follower) (time.Duration, error) {
	if f.round < m.round {
		return 0, nil
	}
	if wait := time.Until(latest(m.next, m.client.pace.allowed())); wait > 0 {
		return wait, nil
	}
	return 0, m.refresh(ctx)
}

func (m *Monitor) seen(f *follower) (Environment, error) {
	f.round = m.round
	if m.err != nil {
		return Environment{}, m.err
	}
	env, ok := m.envs[f.env]
	if !ok {
		return Environment{}, gone(m.app, f.env)
	}
	return env, nil
}

// newFollower takes no look from before its time, unless it has just been.
func (m *Monitor) newFollower(ctx context.Context, env string) (*follower, error) {
	if err := m.take(ctx); err != nil {
		return nil, err
	}
	defer m.release()
	f := &follower{env: env, round: m.round}
	if time.Since(m.looked) < time.Second {
		f.round--
	}
	return f, nil
}

// eventsEvery is in which rounds events are read.
const eventsEvery = 3

// outdate makes the last look too old for a new follower.
func (m *Monitor) outdate(ctx context.Context) error {
	if err := m.take(ctx); err != nil {
		return err
	}
	defer m.release()
	m.looked = time.Time{}
	return nil
}

// refresh looks at all environments, and in some rounds at the events, which
// tell nothing that the end of an update waits for. Its own error is only that
// of the context; that of the service is handed to all.
func (m *Monitor) refresh(ctx context.Context) error {
	began := time.Now()
	envs, at, err := m.client.environments(ctx, &elasticbeanstalk.DescribeEnvironmentsInput{
		ApplicationName: &m.app, EnvironmentNames: m.names,
	})
	if err != nil {
		err = failed(err, "look up the environments of application %q", m.app)
	}
	m.round++
	if err == nil && m.events != nil && m.round%eventsEvery == 0 {
		m.events.slide(at)
		err = m.readEvents(ctx)
	}
	if err != nil && ctx.Err() != nil {
		m.round-- // others have time left
		return context.Cause(ctx)
	}
	m.looked = time.Now()
	m.interval = min(max(m.interval*3/2, shortestInterval), lookInterval)
	m.next = began.Add(jittered(m.interval))
	m.err = err
	m.envs = make(map[string]Environment, len(envs))
	for _, e := range envs {
		m.envs[e.Name] = e
	}
	return nil
}

// readEvents hands the fresh events to those who follow.
func (m *Monitor) readEvents(ctx context.Context) error {
	fresh, err := m.events.fresh(ctx)
	if err != nil {
		return err
	}
	m.eventsRound = m.round
	for _, e := range fresh {
		for f := range m.followers {
			if e.Env == f.env {
				f.fresh = append(f.fresh, e)
			}
		}
	}
	return nil
}

// follow makes the follower get the environment's events from now on; what
// happened before counts as seen.
func (m *Monitor) follow(ctx context.Context, f *follower) error {
	if err := m.take(ctx); err != nil {
		return err
	}
	defer m.release()
	if m.events == nil {
		_, now, err := m.client.environment(ctx, m.app, f.env)
		if err != nil {
			return err
		}
		m.events = m.client.newEventLog(m.app, m.names, now)
	}
	if err := m.readEvents(ctx); err != nil {
		return err
	}
	f.since, f.fresh, f.round = m.events.now, nil, m.round
	m.interval, m.next = 0, time.Now().Add(jittered(shortestInterval))
	m.followers[f] = true
	return nil
}

// news gives the events that the follower has not had. Current ones are read
// after the last look at the environment.
func (m *Monitor) news(ctx context.Context, f *follower, current bool) ([]Event, error) {
	if err := m.take(ctx); err != nil {
		return nil, err
	}
	defer m.release()
	if current && m.eventsRound != m.round {
		if err := m.readEvents(ctx); err != nil {
			return nil, err
		}
	}
	fresh := f.fresh
	f.fresh = nil
	return fresh, nil
}

// leave ends following.
func (m *Monitor) leave(f *follower) {
	m.turn <- struct{}{}
	defer m.release()
	delete(m.followers, f)
}
