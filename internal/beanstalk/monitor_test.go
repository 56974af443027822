package beanstalk_test

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

// fleet gives the account so many environments in all.
func fleet(wire *wiretest.AWS, env *wiretest.Environment, n int) (envs []*wiretest.Environment, names []string) {
	envs = []*wiretest.Environment{env}
	for i := 1; i < n; i++ {
		more := *env
		more.ID, more.Name = fmt.Sprintf("e-%d", i), fmt.Sprintf("more-%d", i)
		envs = append(envs, &more)
	}
	wire.Apps[app] = envs
	for _, e := range envs {
		names = append(names, e.Name)
	}
	return envs, names
}

// rollAll updates them side by side.
func rollAll(ctx context.Context, c *beanstalk.Client, names []string) ([]beanstalk.Outcome, []error) {
	outcomes, errs := make([]beanstalk.Outcome, len(names)), make([]error, len(names))
	monitor := c.Monitor(app, names)
	var all sync.WaitGroup
	for i, name := range names {
		all.Go(func() {
			outcomes[i], errs[i] = monitor.Roll(ctx, beanstalk.Rollout{
				Turn: beanstalk.Turn{Env: name, Label: "new-2"}, AcceptHealth: []string{"Green"}, Policy: "Immutable", Log: io.Discard,
			})
		})
	}
	all.Wait()
	return outcomes, errs
}

// TestPace counts the calls of deployments of five minutes. They stay below
// half a call a second, also for several environments, and also where half of
// the answers are throttled.
func TestPace(t *testing.T) {
	for _, c := range []struct {
		envs      int
		throttled float64
	}{{1, 0}, {3, 0}, {8, 0}, {1, 0.5}, {3, 0.5}} {
		t.Run(fmt.Sprintf("%d environments, %g throttled", c.envs, c.throttled), func(t *testing.T) {
			wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, client *beanstalk.Client) {
				prepared(wire)
				env.Instances = []wiretest.Instance{{ID: "i-1", Deployment: "Deployed", Label: "new-2"}}
				env.Script = steady(5 * time.Minute)
				_, names := fleet(wire, env, c.envs)
				wire.PageSize, wire.Latency = 1000, 100*time.Millisecond
				dice := rand.New(rand.NewPCG(1, 2))
				wire.Throttled = func() bool { return dice.Float64() < c.throttled }
				started := time.Now()
				for i, got := range first(rollAll(t.Context(), client, names)) {
					if got.Result != beanstalk.Deployed || len(got.Events) != 63 {
						t.Errorf("%s: %s, %d events", names[i], got.Result, len(got.Events))
					}
				}
				calls, took := len(wire.Calls()), time.Since(started)
				if most := int(took.Seconds() / 2); calls > most {
					t.Errorf("%d calls in %s; want at most %d", calls, took, most)
				}
			})
		})
	}
}

func first[A, B any](a A, _ B) A { return a }

// steady is an update with an event every 5 s that ends well.
func steady(takes time.Duration) []wiretest.Step {
	var script []wiretest.Step
	for after := time.Duration(0); after < takes; after += 5 * time.Second {
		script = append(script, wiretest.Step{After: after, Do: func(e *wiretest.Environment) { e.Report("INFO", "Still at it.") }})
	}
	return append(script, wiretest.Step{After: takes, Do: func(e *wiretest.Environment) { e.Finish("new-2") }})
}

// TestEndIsNoticed ends updates at many times and in several ways, and measures
// how long after it could be seen the verdict comes.
func TestEndIsNoticed(t *testing.T) {
	instance := func(status string) []wiretest.Instance {
		return []wiretest.Instance{{ID: "i-1", Deployment: status, Label: "new-2"}}
	}
	for name, c := range map[string]struct {
		end    func(*wiretest.Environment)
		before func(*wiretest.Environment)
		want   beanstalk.Result
	}{
		"ready": {want: beanstalk.Deployed, end: func(e *wiretest.Environment) { e.Finish("new-2") }},
		"rolled back": {want: beanstalk.RolledBack, end: func(e *wiretest.Environment) {
			e.Report("ERROR", "Failed to deploy application.")
			e.Status = "Ready"
		}},
		"health": {want: beanstalk.Deployed, before: func(e *wiretest.Environment) { e.Finish("new-2"); e.Health = "Red" },
			end: func(e *wiretest.Environment) { e.Health = "Green" }},
		"instances": {want: beanstalk.Deployed, before: func(e *wiretest.Environment) { e.Finish("new-2"); e.Instances = instance("In Progress") },
			end: func(e *wiretest.Environment) { e.Instances = instance("Deployed") }},
		"an instance that failed": {want: beanstalk.Failed, before: func(e *wiretest.Environment) {
			e.Finish("new-2")
			e.Health = "Red"
			e.Instances = instance("In Progress")
		},
			end: func(e *wiretest.Environment) { e.Instances = instance("Failed") }},
	} {
		t.Run(name, func(t *testing.T) {
			var delays []time.Duration
			dice := rand.New(rand.NewPCG(3, 4))
			for range 120 {
				at := time.Minute + time.Duration(dice.Int64N(int64(4*time.Minute)))
				synctest.Test(t, func(t *testing.T) {
					wire, env := wiretest.New()
					prepared(wire)
					wire.PageSize, wire.Latency = 1000, 100*time.Millisecond
					if c.before != nil {
						env.Script = append(env.Script, wiretest.Step{After: at - 55*time.Second, Do: c.before})
					}
					var visible time.Time
					env.Script = append(env.Script, wiretest.Step{After: at, Do: c.end})
					go func() {
						time.Sleep(at)
						visible = time.Now()
					}()
					got := first(rollAll(t.Context(), beanstalk.New(wire.Config()), []string{envName}))[0]
					if got.Result != c.want {
						t.Fatalf("%s: %s; want %s", got.Result, got.Reason, c.want)
					}
					delays = append(delays, time.Since(visible))
				})
			}
			slices.Sort(delays)
			median, most := delays[len(delays)/2], delays[len(delays)-1]
			t.Logf("figure: median: %.2f; figure: most: %.2f", median.Seconds(), most.Seconds())
			if median > 3*time.Second || most > 5*time.Second {
				t.Errorf("noticed after %s in the median and %s at most; want 3s and 5s", median, most)
			}
		})
	}
}

// TestEndIsNoticedBesideOthers has seven environments that are Ready, but not
// healthy, and instances that could be asked of it for minutes: it does not hold
// up the verdict on the eighth.
func TestEndIsNoticedBesideOthers(t *testing.T) {
	var delays []time.Duration
	dice := rand.New(rand.NewPCG(5, 6))
	for range 60 {
		at := 2*time.Minute + time.Duration(dice.Int64N(int64(2*time.Minute)))
		synctest.Test(t, func(t *testing.T) {
			wire, env := wiretest.New()
			prepared(wire)
			wire.PageSize, wire.Latency = 1000, 100*time.Millisecond
			env.Instances = []wiretest.Instance{{ID: "i-1", Deployment: "Deployed", Label: "new-2"}}
			envs, names := fleet(wire, env, 8)
			var visible time.Time
			for _, e := range envs[1:] {
				e.Script = []wiretest.Step{
					{After: time.Minute, Do: func(e *wiretest.Environment) { e.Finish("new-2"); e.Health = "Red" }},
					{After: 7 * time.Minute, Do: func(e *wiretest.Environment) { e.Health = "Green" }},
				}
			}
			env.Script = []wiretest.Step{{After: at, Do: func(e *wiretest.Environment) { e.Finish("new-2") }}}
			go func() {
				time.Sleep(at)
				visible = time.Now()
			}()
			monitor := beanstalk.New(wire.Config()).Monitor(app, names)
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			started := time.Now()
			var all sync.WaitGroup
			for _, name := range names {
				all.Go(func() {
					got, err := monitor.Roll(ctx, beanstalk.Rollout{Turn: beanstalk.Turn{Env: name, Label: "new-2"}, AcceptHealth: []string{"Green"}, Log: io.Discard})
					if want := map[bool]beanstalk.Result{true: beanstalk.Deployed, false: beanstalk.Unhealthy}[name == envName]; err != nil || got.Result != want {
						t.Errorf("%s: %s, %s, %v; want %s", name, got.Result, got.Reason, err, want)
					}
					if name == envName {
						delays = append(delays, time.Since(visible))
					}
				})
			}
			all.Wait()
			if calls, most := len(wire.Calls()), int(time.Since(started).Seconds()/2)+24; calls > most {
				t.Errorf("%d calls in %s; want at most %d", calls, time.Since(started), most)
			}
		})
	}
	slices.Sort(delays)
	median, most := delays[len(delays)/2], delays[len(delays)-1]
	t.Logf("figure: median: %.2f; figure: most: %.2f", median.Seconds(), most.Seconds())
	if median > 3*time.Second || most > 5*time.Second {
		t.Errorf("noticed after %s in the median and %s at most; want 3s and 5s", median, most)
	}
}

// TestEventsOnceEach has bursts within one instant, pages that events come in
// between, events that show themselves late, clocks that differ and answers
// that are throttled. Every event comes once, in the order of its time.
func TestEventsOnceEach(t *testing.T) {
	for seed := range uint64(40) {
		wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
			prepared(wire)
			dice := rand.New(rand.NewPCG(seed, 0))
			wire.Skew = time.Duration(dice.IntN(7200)-3600) * time.Second
			wire.PageSize = 2 + dice.IntN(5)
			wire.Throttled = func() bool { return dice.IntN(4) == 0 }
			envs, names := fleet(wire, env, 1+int(seed%3))
			for _, e := range envs {
				e.Script = noisy(dice)
			}
			wire.BetweenPages = func() {
				e := envs[dice.IntN(len(envs))]
				if e.Status == "Updating" && dice.IntN(8) == 0 {
					e.Events = append(e.Events, wiretest.Event{At: time.Now().Add(wire.Skew), Severity: "INFO", Message: "between pages"})
				}
			}
			outcomes, errs := rollAll(t.Context(), c, names)
			for i, got := range outcomes {
				if errs[i] != nil || got.Result != beanstalk.Deployed {
					t.Fatalf("seed %d: %+v, %v", seed, got.Verdict, errs[i])
				}
				if diff := cmp.Diff(told(envs[i].Events), heard(got.Events)); diff != "" {
					t.Fatalf("seed %d, %s (-told +heard):\n%s", seed, names[i], diff)
				}
			}
		})
	}
}

// noisy is an update of about three minutes with bursts of equal events.
func noisy(dice *rand.Rand) []wiretest.Step {
	var script []wiretest.Step
	at := time.Duration(0)
	for range 25 {
		at += time.Duration(dice.IntN(12000)) * time.Millisecond
		burst, message := 1+dice.IntN(9), fmt.Sprintf("message %d", dice.IntN(3))
		late := time.Duration(dice.IntN(3)) * 10 * time.Second
		script = append(script, wiretest.Step{After: at, Do: func(e *wiretest.Environment) {
			for range burst {
				e.Report("INFO", message)
			}
			e.Events[len(e.Events)-1].Delay = late
		}})
	}
	return append(script, wiretest.Step{After: at + 30*time.Second, Do: func(e *wiretest.Environment) { e.Finish("new-2") }})
}

func told(all []wiretest.Event) []string {
	var lines []string
	for _, e := range all {
		lines = append(lines, e.At.UTC().Truncate(time.Millisecond).Format(time.StampMilli)+" "+e.Message)
	}
	slices.Sort(lines)
	return lines
}

func heard(all []beanstalk.Event) []string {
	var lines []string
	for _, e := range all {
		lines = append(lines, e.At.Format(time.StampMilli)+" "+e.Message)
	}
	slices.Sort(lines)
	return lines
}

// TestWindowSlides has an update of an hour whose events fill many pages; the
// later looks do not read them all again.
func TestWindowSlides(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, env *wiretest.Environment, c *beanstalk.Client) {
		prepared(wire)
		env.Script, wire.PageSize = steady(time.Hour), 200
		got := first(rollAll(t.Context(), c, []string{envName}))[0]
		if diff := cmp.Diff(told(env.Events), heard(got.Events)); got.Result != beanstalk.Deployed || diff != "" {
			t.Errorf("%s (-told +heard):\n%s", got.Result, diff)
		}
		if n := strings.Count(strings.Join(wire.Calls(), " "), "DescribeEvents"); n > 500 {
			t.Errorf("%d calls for events; the window does not slide", n)
		}
	})
}
