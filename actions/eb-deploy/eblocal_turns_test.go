package ebdeploy

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

// beside is another run on the same account at the same time, with its own
// workspace and the same inputs.
func (l *local) beside(t *testing.T, run string) *local {
	t.Helper()
	other := newLocal(t, t.TempDir(), l.aws, eblocal.Docker)
	maps.Copy(other.inputs, l.inputs)
	other.runID = run
	return other
}

// begin has somebody else begin a deployment of a version that is there.
func (l *local) begin(t *testing.T, label string) {
	t.Helper()
	l.aws.Ask(t, "UpdateEnvironment", "EnvironmentName", eblocaltest.Env, "VersionLabel", label)
}

var v1, v2 = []string{"v1 Deployed"}, []string{"v2 Deployed"}

// TestLocalTurns has an environment that another update holds when ours comes.
func TestLocalTurns(t *testing.T) {
	const waits = `environment "Dockerfullstack-env" is Updating; waiting until it is Ready`
	onV2 := end{"v2", "Green", v2, both, 2}
	race := func(t *testing.T, l *local) {
		l.aws.OnCall = func(operation string) {
			if operation == "CreateApplicationVersion" {
				l.begin(t, "v1")
			}
		}
	}
	for name, c := range map[string]struct {
		faults eblocal.Faults
		inputs map[string]string
		before func(t *testing.T, l *local)
		want   expected
	}{
		"one runs": {before: func(t *testing.T, l *local) { l.begin(t, "v1") }, want: expected{result: "deployed", log: []string{waits}, end: onV2}},
		"one runs, shown late": {faults: eblocal.Faults{LateUpdating: 20 * time.Second}, before: func(t *testing.T, l *local) { l.begin(t, "v1") },
			want: expected{result: "deployed", log: []string{waits}, end: onV2}},
		"one slips in":             {before: race, want: expected{result: "deployed", log: []string{waits}, end: onV2}},
		"one slips in, shown late": {faults: eblocal.Faults{LateUpdating: 20 * time.Second, LateEvents: 5 * time.Second}, before: race, want: expected{result: "deployed", log: []string{waits}, end: onV2}},
		"one does not end": {inputs: map[string]string{"timeout": "5m"}, before: func(t *testing.T, l *local) {
			l.aws.Engine.Break(eblocaltest.Breakage{Match: ":v1", Hang: true})
			l.begin(t, "v1")
		}, want: expected{result: "timed-out", code: 1, log: []string{waits, "the deadline of 5m0s passed: wait for environment", "which is Updating, to be Ready", "next: another update held the environment"},
			outputs: map[string]string{"version-label": "v2", "previous-version-label": "v1"}, end: end{"v1", "Updating", v1, []string{"v1"}, 1}}},
		"one ends in failure": {before: func(t *testing.T, l *local) {
			l.aws.Engine.Break(eblocaltest.Breakage{Match: ":v1", Exit: 3})
			l.begin(t, "v1")
		}, want: expected{result: "deployed", log: []string{waits}, not: []string{"::error::"}, end: onV2}},
	} {
		t.Run(name, func(t *testing.T) {
			locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
				l.deployed(t, "v1")
				l.aws.SetFaults(c.faults)
				maps.Copy(l.inputs, c.inputs)
				c.before(t, l)
				l.must(t, l.version(t, "v2"), c.want)
			})
		})
	}
}

// TestLocalRuns has two runs of one workflow that come to an environment at the
// same time, the older one first or last.
func TestLocalRuns(t *testing.T) {
	for name, c := range map[string]struct {
		first, second string // the run ids of v3 and v2, of which v3 begins first
		force         string
		want          expected // of v2
	}{
		"the older one comes last":  {"101", "100", "false", expected{result: "superseded", code: 1, log: []string{`runs version "v3" of the newer run 101; it is left alone`, "set force: true"}, end: end{"v3", "Green", []string{"v3 Deployed"}, []string{"v1", "v3"}, 2}}},
		"the newer one comes last":  {"100", "101", "false", expected{result: "deployed", end: end{"v2", "Green", v2, []string{"v1", "v3", "v2"}, 3}}},
		"the older one by force":    {"101", "100", "true", expected{result: "deployed", end: end{"v2", "Green", v2, []string{"v1", "v3", "v2"}, 3}}},
		"runs that are not counted": {"", "", "false", expected{result: "deployed", end: end{"v2", "Green", v2, []string{"v1", "v3", "v2"}, 3}}},
	} {
		t.Run(name, func(t *testing.T) {
			locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
				l.deployed(t, "v1")
				l.runID, l.inputs["force"] = c.second, c.force
				first := make(chan ended)
				go func() { first <- l.beside(t, c.first).version(t, "v3") }()
				time.Sleep(10 * time.Second)
				l.must(t, l.version(t, "v2"), c.want)
				switch got := <-first; got.result() {
				case "deployed":
				case "superseded": // v2 came before v3 could be judged
					if !strings.Contains(got.summary, "| version | `v1` → `v3` → `v2` |") {
						t.Errorf("the first run: %s", got)
					}
				default:
					t.Errorf("the first run: %s", got)
				}
			})
		})
	}
	t.Run("overtaken before the verdict", func(t *testing.T) {
		locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
			l.deployed(t, "v1")
			l.version(t, "v3")
			l.deployed(t, "v1")
			l.aws.SetFaults(eblocal.Faults{Dip: 2 * time.Minute})
			l.inputs["on-failure"] = "rollback"
			go func() {
				time.Sleep(2 * time.Minute) // v2 is there by then, but not healthy
				l.aws.SetFaults(eblocal.Faults{})
				l.begin(t, "v3")
			}()
			got := l.version(t, "v2")
			l.must(t, got, expected{result: "superseded", code: 1, log: []string{"another update has brought environment"}, not: []string{"on-failure: going back"},
				end: end{"v3", "Green", []string{"v3 Deployed"}, []string{"v1", "v3", "v2"}, 3}})
		})
	})
	t.Run("two that do the same", func(t *testing.T) {
		locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
			l.deployed(t, "v1")
			first := make(chan ended)
			go func() { first <- l.beside(t, "100").version(t, "v2") }()
			second := l.version(t, "v2")
			for _, got := range []ended{<-first, second} {
				if got.code != 0 || !strings.Contains("deployed unchanged", got.result()) {
					t.Errorf("%s", got)
				}
			}
			l.must(t, second, expected{result: second.result(), end: end{"v2", "Green", v2, both, 2}})
		})
	})
}
