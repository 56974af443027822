package ebdeploy

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

// TestSuperseded has an older run come after a newer one.
func TestSuperseded(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.runID = "200"
		if got := s.run(t); got.result() != "deployed" {
			t.Fatalf("%s", got)
		}
		if v := s.wire.Versions["docker-fullstack"][0]; v.Description != "Fix the page [GitHub run 200]" {
			t.Errorf("description %q", v.Description)
		}
		wrote := len(s.wire.Wrote())
		s.runID = "100"
		s.inputs["tags"] = `{"frontend":"sha-older","backend":"sha-older"}`
		got := s.run(t)
		golden(t, "superseded", got)
		if got.code != 1 || got.result() != "superseded" {
			t.Errorf("exit code %d, result %s", got.code, got.result())
		}
		if more := s.wire.Wrote()[wrote:]; len(more) > 0 {
			t.Errorf("it wrote %v", more)
		}
		s.inputs["force"] = "true"
		if got := s.run(t); got.result() != "deployed" {
			t.Errorf("%s", got)
		}
		s.inputs["force"] = "false"
		s.runID, s.inputs["tags"] = "", `{"frontend":"sha-other","backend":"sha-other"}`
		if got := s.run(t); got.result() != "deployed" {
			t.Errorf("a run without an id: %s", got)
		}
	})
}

// TestSupersededWhileItWaits has the newer run's update slip in between the look
// and the update.
func TestSupersededWhileItWaits(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.runID = "100"
		s.wire.Versions["docker-fullstack"] = []*wiretest.Version{{Label: "newer", Description: "x [GitHub run 101]"}}
		s.wire.Before = func(operation string) {
			if operation == "UpdateEnvironment" && len(s.env.Updates) == 0 {
				s.env.Begin("newer", "not-ours", time.Now())
			}
		}
		got := s.run(t)
		if got.code != 1 || got.result() != "superseded" || !strings.Contains(got.log, `version "newer" of the newer run 101`) {
			t.Errorf("%s", got)
		}
		if diff := cmp.Diff([]string{"newer"}, s.env.Updates); diff != "" {
			t.Error(diff)
		}
	})
}

// TestSupersededWhileItUploads has the newer run's update begin and end within
// the upload: nothing is sent.
func TestSupersededWhileItUploads(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.runID = "100"
		s.wire.Before = func(operation string) {
			if operation == "PutObject" {
				s.newer()
			}
		}
		got := s.run(t)
		if got.code != 1 || got.result() != "superseded" || len(s.env.Updates) != 0 || !strings.Contains(got.log, `version "newer" of the newer run 101; it is left alone`) {
			t.Errorf("updates %v\n%s", s.env.Updates, got)
		}
	})
}

// newer has run 101 bring its version to the environment at once.
func (s *stage) newer() {
	s.wire.Versions["docker-fullstack"] = append(s.wire.Versions["docker-fullstack"], &wiretest.Version{Label: "newer", Description: "x [GitHub run 101]"})
	s.env.Label = "newer"
}

// TestSupersededBetweenSettingsAndVersion has it come between the two updates,
// or before the first of them.
func TestSupersededBetweenSettingsAndVersion(t *testing.T) {
	for name, c := range map[string]struct {
		asked  int // at which update the newer run comes
		reason string
		sent   int
	}{
		"before the settings": {1, "it is left alone", 0},
		"after the settings":  {2, "it is left alone, but the settings of this run were sent before", 1},
	} {
		on(t, func(t *testing.T, s *stage) {
			s.runID, s.env.Separate, s.inputs["env-vars"] = "100", true, "PORT=81"
			asked := 0
			s.wire.Before = func(operation string) {
				if operation == "UpdateEnvironment" {
					if asked++; asked == c.asked && c.sent == 0 {
						s.newer()
					}
				}
			}
			if c.sent > 0 {
				s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) { e.Finish("old-1") }}}
				s.wire.BetweenPages = func() {
					if asked == c.asked && s.env.Status == "Ready" && s.env.Label == "old-1" {
						s.newer()
					}
				}
			}
			got := s.run(t)
			if got.code != 1 || got.result() != "superseded" || len(s.env.Sent) != c.sent || s.env.Label != "newer" || !strings.Contains(got.log, c.reason) {
				t.Errorf("%s: sent %v\n%s", name, s.env.Sent, got)
			}
		})
	}
}

// TestSupersededByTheWayBack has a newer run go back to a version of an old run,
// or find it running already: a run in between leaves it alone, but not
// elsewhere.
func TestSupersededByTheWayBack(t *testing.T) {
	for _, runs := range []bool{false, true} {
		on(t, func(t *testing.T, s *stage) {
			s.runID = "90"
			first := output(s.run(t), "version-label")
			images, digests := s.inputs["tags"], s.inputs["digests"]
			if !runs {
				s.env.Label = "old-1"
			}
			want := map[bool]string{true: "unchanged", false: "deployed"}[runs]
			s.runID, s.inputs["tags"], s.inputs["digests"], s.inputs["version-label"] = "300", "", "", first
			if got := s.run(t); got.result() != want {
				t.Fatalf("%s", got)
			}
			if v := s.wire.Versions["docker-fullstack"][0]; v.Description != "Fix the page [GitHub run 90, 300 to Dockerfullstack-env]" {
				t.Errorf("description %q", v.Description)
			}
			again := len(s.wire.Wrote())
			if s.run(t); len(s.wire.Wrote()) != again {
				t.Errorf("the same run writes again: %v", s.wire.Wrote()[again:])
			}
			other := &wiretest.Environment{ID: "e-other", Name: "other-env", Label: first, Status: "Ready", Health: "Green", Stack: s.env.Stack, Tier: "WebServer", Options: s.env.Options}
			s.wire.Apps["docker-fullstack"] = append(s.wire.Apps["docker-fullstack"], other)
			s.runID, s.inputs["tags"], s.inputs["digests"], s.inputs["version-label"] = "250", strings.ReplaceAll(images, "sha-", "sha-older-"), digests, ""
			if got := s.run(t); got.result() != "superseded" || !strings.Contains(got.log, "of the newer run 300") {
				t.Errorf("%s", got)
			}
			s.inputs["env"] = other.Name
			if got := s.run(t); got.result() != "deployed" {
				t.Errorf("another environment: %s", got)
			}
		})
	}
}

// TestWayBackUnnoted has no permission to note the run: it is warned of.
func TestWayBackUnnoted(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.runID = "90"
		s.run(t)
		s.runID, s.env.Label = "100", "old-1"
		s.wire.Fail(wiretest.Fault{Operation: "UpdateApplicationVersion", Status: 403, Code: "AccessDenied", Message: "no", Times: 1})
		if got := s.run(t); got.result() != "deployed" || !strings.Contains(got.log, "::warning::note run 100 at application version") {
			t.Errorf("%s", got)
		}
	})
}

// TestOvertaken has another update begin before ours could be judged.
func TestOvertaken(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) {
			e.Finish(asked(e))
			e.Script = nil
			e.Begin("newer", "not-ours", time.Now())
		}}}
		if got := s.run(t); got.code != 1 || got.result() != "superseded" || !strings.Contains(got.log, `to version "newer" before it was known`) {
			t.Errorf("%s", got)
		}
	})
}

// TestOvertakenToTheEnd has the other update still under way when the time is up,
// or when the run is cancelled: it is never aborted.
func TestOvertakenToTheEnd(t *testing.T) {
	for name, cancels := range map[string]bool{"superseded": false, "failed": true} {
		on(t, func(t *testing.T, s *stage) {
			s.inputs["on-failure"], s.env.Abortable = "rollback", true
			s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) {
				e.Finish(asked(e))
				e.Script = []wiretest.Step{{After: time.Minute, Do: func(*wiretest.Environment) {
					if cancels {
						s.cancel()
					}
				}}}
				e.Begin("newer", "not-ours", time.Now())
			}}}
			got := s.run(t)
			if got.code != 1 || got.result() != name || s.env.Aborted != 0 || len(s.env.Updates) != 2 {
				t.Errorf("%d aborts, updates %v\n%s", s.env.Aborted, s.env.Updates, got)
			}
		})
	}
}

// failsOnce is a script that fails once; the update after it goes well.
func failsOnce(s *stage, runs func(*wiretest.Environment) string) {
	script := fails(runs)
	last := &script[len(script)-1]
	do := last.Do
	last.Do = func(e *wiretest.Environment) {
		do(e)
		e.Script = nil
	}
	s.env.Script = script
}

func TestRollback(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(s *stage)
		want    string
		reason  string
		updates []string
	}{
		"failed": {func(s *stage) { failsOnce(s, asked) }, "rolled-back", `version "old-1" was deployed again and runs, health Green`, []string{"new", "old-1"}},
		"undone already": {func(s *stage) { failsOnce(s, before) }, "rolled-back", `Failed to deploy application. Version "old-1" runs.`,
			[]string{"new"}},
		"unhealthy": {func(s *stage) {
			s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) { e.Finish(asked(e)); e.Health = "Red"; e.Script = nil }}}
		}, "rolled-back", "its health is Red", []string{"new", "old-1"}},
		"fails too": {func(s *stage) { s.env.Script = fails(asked) }, "failed", `going back to version "old-1" ended failed: Failed to deploy application.`,
			[]string{"new", "old-1"}},
		"nothing before": {func(s *stage) { s.env.Label = ""; failsOnce(s, asked) }, "failed", "no version ran before", []string{"new"}},
		"aborted": {func(s *stage) { s.env.Script, s.env.Abortable = fails(before)[:1], true }, "rolled-back",
			`the update was aborted, and version "old-1" runs`, []string{"new"}},
		"abort leaves a mix": {func(s *stage) {
			s.env.Script, s.env.Abortable = fails(before)[:1], true
			s.env.OnAbort = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) {
				e.Status, e.Script = "Ready", nil
				e.Instances = []wiretest.Instance{{ID: "i-1", Deployment: "Deployed", Label: "old-1"}, {ID: "i-2", Deployment: "Failed", Label: "new"}}
			}}, {After: 75 * time.Second, Do: func(e *wiretest.Environment) {}}}
			s.env.Script = append(s.env.Script, wiretest.Step{After: 10 * time.Hour, Do: func(*wiretest.Environment) {}})
		}, "failed", "it is not deployed on i-2", []string{"new", "old-1"}},
		"not abortable": {func(s *stage) { s.env.Script = fails(before)[:1] }, "timed-out", "the update goes on: it can't be aborted", []string{"new"}},
		"superseded meanwhile": {func(s *stage) {
			s.runID = "100"
			s.wire.Versions["docker-fullstack"] = []*wiretest.Version{{Label: "newer", Description: "x [GitHub run 101]"}}
			s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) { e.Finish(asked(e)); e.Health = "Red"; e.Script = nil }},
				{After: 4*time.Minute + 30*time.Second, Do: func(e *wiretest.Environment) { e.Label = "newer" }}}
		}, "unhealthy", "nothing was rolled back, since", []string{"new"}},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				s.wire.Versions["docker-fullstack"] = append(s.wire.Versions["docker-fullstack"], &wiretest.Version{Label: "old-1"})
				s.inputs["on-failure"] = "rollback"
				c.prepare(s)
				if s.wire.Versions["docker-fullstack"][0].Label == "newer" {
					s.wire.Versions["docker-fullstack"] = append(s.wire.Versions["docker-fullstack"], &wiretest.Version{Label: "old-1"})
				}
				got := s.run(t)
				if got.code != 1 || got.result() != c.want || !strings.Contains(got.log, c.reason) {
					t.Errorf("want %s, %q\n%s", c.want, c.reason, got)
				}
				updates := slices.Clone(s.env.Updates)
				updates[0] = "new"
				if diff := cmp.Diff(c.updates, updates); diff != "" {
					t.Errorf("updates (-want +got):\n%s", diff)
				}
				if name == "failed" {
					// When the rollback begins depends on the time of a look.
					late := regexp.MustCompile(`00:0[12]:\d\d INFO`)
					got.log, got.summary = late.ReplaceAllString(got.log, "00:0N:NN INFO"), late.ReplaceAllString(got.summary, "00:0N:NN INFO")
					got.summary = regexp.MustCompile(`\b(9|1[01])\d{4}\b`).ReplaceAllString(got.summary, "N")
					golden(t, "rollback", got)
				}
			})
		})
	}
}

// TestAbortOnly ends an update that takes too long, and deploys nothing.
func TestAbortOnly(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["on-failure"], s.inputs["timeout"] = "abort", "2m"
		s.env.Script, s.env.Abortable = fails(before)[:1], true
		got := s.run(t)
		if got.result() != "rolled-back" || s.env.Aborted != 1 || len(s.env.Updates) != 1 {
			t.Errorf("%d aborts, updates %v\n%s", s.env.Aborted, s.env.Updates, got)
		}
		s.inputs["on-failure"] = "abourt"
		if got := s.run(t); got.result() != "rejected" || !strings.Contains(got.log, `"abourt" is none of none, abort, rollback`) {
			t.Errorf("%s", got)
		}
	})
}

// TestRollbackOfSettings takes back what was sent with the version.
func TestRollbackOfSettings(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.wire.Versions["docker-fullstack"] = []*wiretest.Version{{Label: "old-1"}}
		s.env.Options = append(s.env.Options, [3]string{"aws:elasticbeanstalk:application:environment", "PORT", "80"})
		before := slices.Clone(s.env.Options)
		s.inputs["on-failure"], s.inputs["env-vars"] = "rollback", "PORT=81\nMORE=1"
		failsOnce(s, asked)
		if got := s.run(t); got.result() != "rolled-back" {
			t.Errorf("%s", got)
		}
		sorted := func(all [][3]string) []string {
			var lines []string
			for _, o := range all {
				lines = append(lines, strings.Join(o[:], " "))
			}
			slices.Sort(lines)
			return lines
		}
		if diff := cmp.Diff(sorted(before), sorted(s.env.Options)); diff != "" {
			t.Errorf("settings (-before +after):\n%s", diff)
		}
	})
}

// TestRollbackOfSettingsApart has the version refused after the settings were
// taken by themselves: only they are taken back.
func TestRollbackOfSettingsApart(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.Separate = true
		s.env.Options = append(s.env.Options, [3]string{"aws:elasticbeanstalk:application:environment", "PORT", "80"})
		s.inputs["on-failure"], s.inputs["env-vars"] = "rollback", "PORT=81"
		s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) {
			e.Finish("old-1")
			delete(s.wire.Versions, "docker-fullstack")
			e.Script = nil
		}}}
		got := s.run(t)
		if got.code != 1 || got.result() != "rolled-back" || !strings.Contains(got.log, "No Application Version named") || !strings.Contains(got.log, `version "old-1" has the settings of before again and runs, health Green`) {
			t.Errorf("%s", got)
		}
		if diff := cmp.Diff([][]string{{"PORT=81"}, {"PORT=80"}}, s.env.Sent); diff != "" {
			t.Errorf("settings (-want +got):\n%s", diff)
		}
	})
}

// TestRollbackOfSettingsBesideImmutable has Elastic Beanstalk roll the version
// back by itself, but not the settings that went before it.
func TestRollbackOfSettingsBesideImmutable(t *testing.T) {
	for onFailure, want := range map[string][][]string{"rollback": {{"PORT=81"}, nil, {"PORT=80"}}, "none": {{"PORT=81"}, nil}} {
		on(t, func(t *testing.T, s *stage) {
			s.env.Separate = true
			s.env.Options = append(s.env.Options, [3]string{"aws:elasticbeanstalk:application:environment", "PORT", "80"})
			s.inputs["on-failure"], s.inputs["env-vars"] = onFailure, "PORT=81"
			s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) { e.Finish("old-1"); failsOnce(s, before) }}}
			got := s.run(t)
			undone := strings.Contains(got.log, `version "old-1" has the settings of before again and runs, health Green`)
			if got.code != 1 || got.result() != "rolled-back" || undone != (onFailure == "rollback") {
				t.Errorf("%s", got)
			}
			if diff := cmp.Diff(want, s.env.Sent); diff != "" {
				t.Errorf("%s: settings (-want +got):\n%s", onFailure, diff)
			}
		})
	}
}

// TestSignal cancels the run at several moments of an update.
func TestSignal(t *testing.T) {
	for name, c := range map[string]struct {
		onFailure string
		abortable bool
		aborted   int
		log       string
	}{
		"left alone":    {"none", true, 0, "::error::cancelled"},
		"aborted":       {"abort", true, 1, `it is aborted, and Elastic Beanstalk takes it back to version "old-1"`},
		"rollback":      {"rollback", true, 1, "it is aborted"},
		"not abortable": {"abort", false, 0, "it can't be aborted and goes on"},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				s.inputs["on-failure"] = c.onFailure
				s.env.Abortable = c.abortable
				s.env.Script = []wiretest.Step{{After: 30 * time.Second, Do: func(*wiretest.Environment) { s.cancel() }}}
				got := s.run(t)
				if got.code != 1 || got.result() != "failed" || s.env.Aborted != c.aborted || !strings.Contains(got.log, c.log) {
					t.Errorf("%d aborts; want %d, %q\n%s", s.env.Aborted, c.aborted, c.log, got)
				}
			})
		})
	}
}

// TestSignalWhileItIsSent cancels the run while the update is asked for: it
// must be known that it was accepted, or it could not be aborted.
func TestSignalWhileItIsSent(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["on-failure"], s.env.Abortable = "abort", true
		s.wire.Before = func(operation string) {
			if operation == "UpdateEnvironment" {
				s.cancel()
			}
		}
		if got := s.run(t); got.code != 1 || s.env.Aborted != 1 || len(s.env.Updates) != 1 {
			t.Errorf("%d aborts, updates %v\n%s", s.env.Aborted, s.env.Updates, got)
		}
	})
}

// TestSignalBeforeItIsSent sends no update at all.
func TestSignalBeforeItIsSent(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["on-failure"], s.env.Abortable = "abort", true
		s.wire.Before = func(operation string) {
			if operation == "CreateApplicationVersion" {
				s.cancel()
			}
		}
		if got := s.run(t); got.code != 1 || got.result() != "rejected" || len(s.env.Updates) != 0 {
			t.Errorf("updates %v\n%s", s.env.Updates, got)
		}
	})
}

// losesAnswers has an update begin whose answer never comes, however often it
// is asked for.
func losesAnswers(s *stage) {
	s.wire.Fail(wiretest.Fault{Operation: "UpdateEnvironment", Late: true, Times: 1})
	s.wire.Fail(wiretest.Fault{Operation: "UpdateEnvironment", Times: 9})
}

// TestSignalWhileTheAnswerIsLost aborts an update of which only its asking is
// known.
func TestSignalWhileTheAnswerIsLost(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["on-failure"], s.env.Abortable = "abort", true
		s.env.Script = []wiretest.Step{{After: 30 * time.Minute, Do: func(*wiretest.Environment) {}}}
		losesAnswers(s)
		asked := 0
		s.wire.Before = func(operation string) {
			if operation != "UpdateEnvironment" {
				return
			}
			if asked++; asked == 2 {
				s.cancel()
			}
		}
		if got := s.run(t); got.code != 1 || s.env.Aborted != 1 || len(s.env.Updates) != 1 {
			t.Errorf("%d aborts, updates %v\n%s", s.env.Aborted, s.env.Updates, got)
		}
	})
}

// TestSignalWhileAnUpdateIsAwaited aborts what the environment is not ready for
// where it may be an attempt of this run, and leaves another run's update alone.
func TestSignalWhileAnUpdateIsAwaited(t *testing.T) {
	for name, aborts := range map[string]int{"ours": 1, "another's": 0} {
		on(t, func(t *testing.T, s *stage) {
			s.inputs["on-failure"], s.env.Abortable = "abort", true
			s.env.Script = []wiretest.Step{{After: 2 * time.Minute, Do: func(*wiretest.Environment) { s.cancel() }}}
			if name == "ours" {
				s.wire.Fail(wiretest.Fault{Operation: "UpdateEnvironment", Late: true, Times: 1})
			} else {
				s.wire.Before = func(operation string) {
					if operation == "UpdateEnvironment" && len(s.env.Updates) == 0 {
						s.env.Begin("old-1", "not-ours", time.Now())
					}
				}
			}
			if got := s.run(t); got.code != 1 || s.env.Aborted != aborts || len(s.env.Updates) != 1 {
				t.Errorf("%s: %d aborts, updates %v\n%s", name, s.env.Aborted, s.env.Updates, got)
			}
		})
	}
}

// TestRollbackAfterLostAnswers takes an update back whose answer was lost, and
// where none has begun, leaves the environment.
func TestRollbackAfterLostAnswers(t *testing.T) {
	for name, c := range map[string]struct {
		lose    func(*stage)
		updates int
		reason  string
	}{
		"begun":     {losesAnswers, 2, `version "old-1" was deployed again and runs`},
		"not begun": {func(s *stage) { s.wire.Fail(wiretest.Fault{Operation: "UpdateEnvironment", Times: 10}) }, 0, `version "old-1" runs as before; nothing`},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				s.wire.Versions["docker-fullstack"] = []*wiretest.Version{{Label: "old-1"}}
				s.inputs["on-failure"] = "rollback"
				c.lose(s)
				got := s.run(t)
				if got.code != 1 || got.result() != "rolled-back" || len(s.env.Updates) != c.updates || s.env.Label != "old-1" || !strings.Contains(got.log, c.reason) {
					t.Errorf("updates %v\n%s", s.env.Updates, got)
				}
			})
		})
	}
}
