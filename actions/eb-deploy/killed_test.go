package ebdeploy

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

// state is what a deployment leaves in the account.
type state struct {
	Versions, Objects []string
	// Uploads counts those that were begun and neither ended nor taken back.
	Uploads int
	Envs    []environmentState
}

type environmentState struct {
	Name, Label, Status string
	Updates             []string
	Options             []string
}

func (s *stage) state() state {
	now := state{Uploads: s.wire.Uploads()}
	for _, v := range s.wire.Versions["docker-fullstack"] {
		now.Versions = append(now.Versions, v.Label+" of "+v.Bucket+"/"+v.Key)
	}
	for bucket, objects := range s.wire.Buckets {
		for key := range objects {
			now.Objects = append(now.Objects, bucket+"/"+key)
		}
	}
	for _, env := range s.wire.Apps["docker-fullstack"] {
		one := environmentState{Name: env.Name, Label: env.Label, Status: env.Status, Updates: env.Updates}
		for _, option := range env.Options {
			one.Options = append(one.Options, strings.Join(option[:], " "))
		}
		slices.Sort(one.Options)
		now.Envs = append(now.Envs, one)
	}
	slices.Sort(now.Objects)
	return now
}

// killings are inputs whose every request is one after which a run may be
// killed.
var killings = []struct {
	name string
	set  func(t *testing.T, s *stage)
	// verdict is the undisturbed run's; after is what the run after a killed one
	// may say as well, as the account is as that one wants it.
	verdict string
	after   []string
}{
	{"a deployment", func(*testing.T, *stage) {}, "deployed", []string{"unchanged"}},
	{"with settings", func(_ *testing.T, s *stage) { s.inputs["env-vars"] = "API_KEY=" + value + "\nMYSQL_HOST=other" }, "deployed", []string{"unchanged"}},
	{"with settings that go first", func(_ *testing.T, s *stage) {
		s.env.Separate, s.inputs["env-vars"] = true, "API_KEY="+value
	}, "deployed", []string{"unchanged"}},
	{"with logins", func(_ *testing.T, s *stage) {
		s.inputs["registry-auth"], s.inputs["username"], s.inputs["password"] = "true", "guk0", value
	}, "deployed", []string{"unchanged"}},
	{"in parts", func(t *testing.T, s *stage) {
		noise := make([]byte, 6<<20)
		_, _ = rand.NewChaCha8([32]byte{1}).Read(noise) // It never fails.
		s.file(t, "data.bin", string(noise))
		s.inputs["bundle"] = "source"
	}, "deployed", []string{"unchanged"}},
	{"of a version alone", func(_ *testing.T, s *stage) { delete(s.inputs, "env") }, "created", []string{"unchanged"}},
	{"of several environments", func(_ *testing.T, s *stage) { s.several("production") }, "deployed", []string{"unchanged"}},
	{"that deletes old versions", func(_ *testing.T, s *stage) {
		s.stored(5)
		s.inputs["keep-versions"], s.inputs["delete-bundles"] = "2", "true"
	}, "deployed", []string{"unchanged"}},
	{"that creates all", func(_ *testing.T, s *stage) {
		s.wire.Apps, s.wire.Stacks = map[string][]*wiretest.Environment{}, stacks
		s.inputs["create"], s.inputs["bucket-name"] = "true", "new-bundles"
		s.inputs["env-vars"], s.inputs["option-settings"] = "MYSQL_HOST=db", profile
	}, "deployed", []string{"unchanged"}},
}

// TestKilled kills the run after each of its requests in turn, with and without
// the answer to it, and runs it again at once, while the update may be under way,
// or later. It ends as if nothing had happened: one version, one object, one
// update.
func TestKilled(t *testing.T) {
	for _, kind := range killings {
		t.Run(kind.name, func(t *testing.T) {
			var want state
			requests := 0
			on(t, func(t *testing.T, s *stage) {
				kind.set(t, s)
				if got := s.run(t); got.result() != kind.verdict {
					t.Fatalf("%s", got)
				}
				want, requests = s.state(), s.wire.Requests()
			})
			if len(want.Versions) == 0 || len(want.Objects) == 0 || requests < 5 {
				t.Fatalf("%+v after %d requests", want, requests)
			}
			for killed := 1; killed <= requests; killed++ {
				for _, loses := range []bool{false, true} {
					for _, later := range []time.Duration{0, 5 * time.Minute} {
						t.Run(fmt.Sprintf("after %d, loses the answer %t, again after %s", killed, loses, later), func(t *testing.T) {
							on(t, func(t *testing.T, s *stage) {
								kind.set(t, s)
								first, got := s.killedAndAgain(t, killed, loses, later)
								if r := got.result(); r != kind.verdict && !slices.Contains(kind.after, r) {
									t.Fatalf("the first run:\n%s\nthe second:\n%s", first, got)
								}
								if diff := cmp.Diff(want, s.state()); diff != "" {
									t.Errorf("state (-undisturbed +killed):\n%s\nthe first run:\n%s\nthe second run:\n%s", diff, first, got)
								}
							})
						})
					}
				}
			}
		})
	}
}

func (s *stage) killedAndAgain(t *testing.T, killed int, loses bool, later time.Duration) (first, again ended) {
	t.Helper()
	s.wire.Lives, s.wire.LosesLast = killed, loses
	s.wire.Died = func() { s.cancel() }
	first = s.run(t)
	time.Sleep(later)
	s.wire.Lives = 0
	return first, s.run(t)
}

// TestCallsOfADeployment counts the calls of a whole run whose update takes five
// minutes, the preflight and the end included, and every attempt that was
// throttled: at most 160, and where half of the answers are throttled, which
// also takes longer, half a call a second. Those to S3 and STS count against
// other limits.
func TestCallsOfADeployment(t *testing.T) {
	for _, throttled := range []int{0, 2} {
		on(t, func(t *testing.T, s *stage) {
			s.wire.PageSize = 1000
			answers := 0
			s.wire.Throttled = func() bool { answers++; return throttled > 0 && answers%throttled == 0 }
			s.env.Script = []wiretest.Step{{After: 5 * time.Minute, Do: func(e *wiretest.Environment) { e.Finish(asked(e)) }}}
			started := time.Now()
			got := s.run(t)
			calls, took := 0, time.Since(started)
			for _, call := range s.wire.Calls() {
				if !strings.HasSuffix(call, "Object") && !strings.HasSuffix(call, "Bucket") && call != "GetCallerIdentity" {
					calls++
				}
			}
			rate := float64(calls) / took.Seconds()
			if throttled > 0 {
				t.Logf("figure: throttled rate: %.3f", rate)
			} else {
				t.Logf("figure: calls: %d", calls)
			}
			if got.code != 0 || throttled == 0 && calls > 160 || rate > 0.5 {
				t.Errorf("%d calls in %s\n%s", calls, took, got)
			}
			if throttled > 0 && (containsAny(got.String(), "Throttling", "Rate exceeded", "warning", "::warning")) {
				t.Errorf("the run tells of the throttling:\n%s", got)
			}
		})
	}
}

func containsAny(text string, words ...string) bool {
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

// TestKilledAndRolledBack kills a run whose version fails, wherever it is, and
// runs it again: it ends with the version before, as it was asked to, also where
// the killed run has left the failed one.
func TestKilledAndRolledBack(t *testing.T) {
	const old = "old-1"
	set := func(s *stage) {
		s.wire.Versions["docker-fullstack"] = []*wiretest.Version{{Label: old}}
		s.inputs["on-failure"] = string(rollback)
		s.env.Label, s.env.Events = old, []wiretest.Event{{At: time.Now().Add(-time.Hour), Severity: "INFO", Message: "Environment update completed successfully.", RequestID: "earlier", Label: old}}
		s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) {
			if asked(e) == old {
				e.Finish(old)
				return
			}
			e.Report("ERROR", "Failed to deploy application.")
			e.Status, e.Label = "Ready", asked(e)
		}}}
	}
	requests := 0
	on(t, func(t *testing.T, s *stage) {
		set(s)
		if got := s.run(t); got.result() != "rolled-back" || s.env.Label != old {
			t.Fatalf("%s", got)
		}
		requests = s.wire.Requests()
	})
	for killed := 1; killed <= requests; killed++ {
		for _, later := range []time.Duration{0, 5 * time.Minute} {
			t.Run(fmt.Sprintf("after %d, again after %s", killed, later), func(t *testing.T) {
				on(t, func(t *testing.T, s *stage) {
					set(s)
					first, got := s.killedAndAgain(t, killed, false, later)
					if got.result() != "rolled-back" || s.env.Label != old || s.env.Status != "Ready" {
						t.Errorf("version %q, %s, after updates %q\nthe first run:\n%s\nthe second run:\n%s", s.env.Label, s.env.Status, s.env.Updates, first, got)
					}
				})
			})
		}
	}
}
