package ebdeploy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

// state is what a deployment leaves in the account.
type state struct {
	Versions, Objects, Updates []string
	Label, Status              string
}

func (s *stage) state() state {
	now := state{Updates: s.env.Updates, Label: s.env.Label, Status: s.env.Status}
	for _, v := range s.wire.Versions["docker-fullstack"] {
		now.Versions = append(now.Versions, v.Label+" of "+v.Bucket+"/"+v.Key)
	}
	for bucket, objects := range s.wire.Buckets {
		for key := range objects {
			now.Objects = append(now.Objects, bucket+"/"+key)
		}
	}
	return now
}

// TestKilled kills the run after each of its requests in turn, with and without
// the answer to it, and runs it again at once, while the update may be under way,
// or later. It ends as if nothing had happened: one version, one object, one
// update.
func TestKilled(t *testing.T) {
	var want state
	requests := 0
	on(t, func(t *testing.T, s *stage) {
		if got := s.run(t); got.result() != "deployed" {
			t.Fatalf("%s", got)
		}
		want, requests = s.state(), s.wire.Requests()
	})
	if len(want.Versions) != 1 || len(want.Objects) != 1 || len(want.Updates) != 1 || requests < 10 {
		t.Fatalf("%+v after %d requests", want, requests)
	}
	for killed := 1; killed <= requests; killed++ {
		for _, loses := range []bool{false, true} {
			for _, later := range []time.Duration{0, 5 * time.Minute} {
				t.Run(fmt.Sprintf("after %d, loses the answer %t, again after %s", killed, loses, later), func(t *testing.T) {
					on(t, func(t *testing.T, s *stage) { killedAndAgain(t, s, killed, loses, later, want) })
				})
			}
		}
	}
}

func killedAndAgain(t *testing.T, s *stage, killed int, loses bool, later time.Duration, want state) {
	t.Helper()
	s.wire.Lives, s.wire.LosesLast = killed, loses
	s.wire.Died = func() { s.cancel() }
	first := s.run(t)
	time.Sleep(later)
	s.wire.Lives = 0
	got := s.run(t)
	if r := got.result(); got.code != 0 || r != "deployed" && r != "unchanged" {
		t.Fatalf("the first run:\n%s\nthe second:\n%s", first, got)
	}
	if diff := cmp.Diff(want, s.state()); diff != "" {
		t.Errorf("state (-undisturbed +killed):\n%s\nthe second run:\n%s", diff, got)
	}
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
