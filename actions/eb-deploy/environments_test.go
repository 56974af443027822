package ebdeploy

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

// several gives the account further environments and names them all.
func (s *stage) several(names ...string) []*wiretest.Environment {
	envs := []*wiretest.Environment{s.env}
	all := []string{s.env.Name}
	for _, name := range names {
		more := *s.env
		more.ID, more.Name, more.CNAME = "e-"+name, name, name+".test"
		more.Options = slices.Clone(s.env.Options)
		envs = append(envs, &more)
		all = append(all, name)
	}
	s.wire.Apps["docker-fullstack"] = envs
	s.inputs["env"] = strings.Join(all, ", ")
	return envs
}

// grouped sorts the log by environment, since two of them write to it in no
// order.
func grouped(e ended) ended {
	lines := slices.Collect(strings.Lines(e.log))
	slices.SortStableFunc(lines, func(a, b string) int { return strings.Compare(prefix(a), prefix(b)) })
	e.log = strings.Join(lines, "")
	return e
}

func prefix(line string) string {
	name, _, _ := strings.Cut(line, " | ")
	if name == line {
		return ""
	}
	return name
}

func TestSideBySide(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		envs := s.several("production")
		envs[1].Script = fails(before)
		got := s.run(t)
		golden(t, "several", grouped(got))
		if got.code != 1 || got.result() != "rolled-back" {
			t.Errorf("exit code %d, result %s", got.code, got.result())
		}
		if diff := cmp.Diff([]string{"CreateStorageLocation", "PutObject", "CreateApplicationVersion", "UpdateEnvironment", "UpdateEnvironment"}, s.wire.Wrote()); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
		if got := s.run(t); output(got, "results") != `{"Dockerfullstack-env":"unchanged","production":"rolled-back"}` {
			t.Errorf("%s", got)
		}
	})
}

// TestMaxParallel takes five environments two at a time.
func TestMaxParallel(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		envs := s.several("two-env", "three-env", "four-env", "five-env")
		s.inputs["max-parallel"] = "2"
		var updating, most int
		for _, env := range envs {
			env.Script = []wiretest.Step{
				{After: 0, Do: func(*wiretest.Environment) { updating++; most = max(most, updating) }},
				{After: time.Minute, Do: func(e *wiretest.Environment) { updating--; e.Finish(asked(e)) }},
			}
		}
		started := time.Now()
		if got := s.run(t); got.code != 0 || got.result() != "deployed" {
			t.Errorf("%s", got)
		}
		if took := time.Since(started); most != 2 || took < 3*time.Minute || took > 4*time.Minute {
			t.Errorf("%d at a time, in %s", most, took)
		}
	})
}

func TestFailFast(t *testing.T) {
	for failFast, want := range map[string]string{
		"true":  `{"Dockerfullstack-env":"rolled-back","production":"rejected"}`,
		"false": `{"Dockerfullstack-env":"rolled-back","production":"deployed"}`,
	} {
		on(t, func(t *testing.T, s *stage) {
			envs := s.several("production")
			envs[0].Script = fails(before)
			s.inputs["max-parallel"], s.inputs["fail-fast"] = "1", failFast
			got := s.run(t)
			if got.code != 1 || got.result() != "rolled-back" || output(got, "results") != want {
				t.Errorf("fail-fast %s: %s", failFast, got)
			}
			const reason = `production: rejected: not begun: environment "Dockerfullstack-env" ended rolled-back`
			if skipped := strings.Contains(got.log, reason); skipped != (failFast == "true") || skipped == (len(envs[1].Updates) > 0) {
				t.Errorf("fail-fast %s: updates of production %v\n%s", failFast, envs[1].Updates, got)
			}
		})
	}
}

// TestUploadFailsForOne has the next environment try again.
func TestUploadFailsForOne(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.several("production")
		s.inputs["fail-fast"] = "false"
		s.wire.Fail(wiretest.Fault{Operation: "PutObject", Status: 403, Code: "AccessDenied", Message: "no", Times: 1})
		got := s.run(t)
		if got.code != 1 || got.result() != "rejected" || strings.Count(output(got, "results"), "deployed") != 1 {
			t.Errorf("%s", got)
		}
	})
}

func TestSeveralRejected(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.several("production")
		s.inputs["env"] = "Dockerfullstack-env\nproductive production,x"
		s.inputs["max-parallel"] = "-1"
		got := s.run(t)
		for _, want := range []string{`input env: "x" has 1 characters`, "input max-parallel: -1 is negative"} {
			if !strings.Contains(got.log, want) {
				t.Errorf("the log lacks %q:\n%s", want, got)
			}
		}
		s.inputs["env"] = "Dockerfullstack-env productive staging production production"
		s.inputs["max-parallel"] = "1"
		if got := s.run(t); !strings.Contains(got.log, `input env: "production" stands there twice`) {
			t.Errorf("%s", got)
		}
		s.inputs["env"] = "Dockerfullstack-env productive staging"
		got = s.run(t)
		for _, want := range []string{`no environment "productive"`, `did you mean "production"?`, `no environment "staging"`} {
			if !strings.Contains(got.log, want) {
				t.Errorf("the log lacks %q:\n%s", want, got)
			}
		}
		if wrote := s.wire.Wrote(); len(wrote) > 0 {
			t.Errorf("it wrote: %v", wrote)
		}
	})
}

func TestWorst(t *testing.T) {
	for _, one := range severity {
		if good(one) != (slices.Index(severity, one) < slices.Index(severity, beanstalk.Superseded)) {
			t.Errorf("%s is out of order", one)
		}
	}
	d := result{envs: []envResult{{Verdict: verdict(beanstalk.RolledBack, "")}, {Verdict: verdict(beanstalk.Failed, "")}, {}}}
	if got := d.worst(); got != beanstalk.Failed {
		t.Errorf("the worst is %s", got)
	}
}
