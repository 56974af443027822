package ebdeploy

import (
	"testing"
	"time"

	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

const commandOptions = "aws:elasticbeanstalk:command"

// scenario is a deployment of v2 to an environment of two instances that run v1.
type scenario struct {
	policy string
	// fresh is an environment that runs nothing yet.
	fresh  bool
	faults eblocal.Faults
	broken []eblocaltest.Breakage
	inputs map[string]string
	// beside is what else happens, from the beginning on.
	beside func(l *local)
	want   expected
}

func (s scenario) run(t *testing.T) {
	locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
		l.set(t, [3]string{"aws:autoscaling:asg", "MinSize", "2"}, [3]string{commandOptions, "DeploymentPolicy", "AllAtOnce"})
		if !s.fresh {
			l.deployed(t, "v1")
		}
		l.set(t, [3]string{commandOptions, "DeploymentPolicy", s.policy},
			[3]string{commandOptions, "BatchSizeType", "Fixed"}, [3]string{commandOptions, "BatchSize", "1"})
		for _, b := range s.broken {
			l.aws.Engine.Break(b)
		}
		l.aws.SetFaults(s.faults)
		for name, value := range s.inputs {
			l.inputs[name] = value
		}
		if s.beside != nil {
			go s.beside(l)
		}
		l.must(t, l.version(t, "v2"), s.want)
	})
}

// dies has the backend of v2 end on one instance, after so many that go well.
func dies(after int) []eblocaltest.Breakage {
	return []eblocaltest.Breakage{{Match: ":v2", Service: "backend", Skip: after, Times: 1, Exit: 3, Log: "no route to the database, the word is " + password}}
}

// hangs has v2 never start on the second instance.
var hangs = []eblocaltest.Breakage{{Match: ":v2", Skip: 1, Times: 1, Hang: true}}

var (
	runsV1 = []string{"v1 Deployed", "v1 Deployed"}
	runsV2 = []string{"v2 Deployed", "v2 Deployed"}
	both   = []string{"v1", "v2"}
	// why is what a death of the backend is told by: an event and the log.
	why = []string{`Output: Container "backend" exited with code 3.`, "no route to the database, the word is ***"}
)

func TestLocalVerdicts(t *testing.T) {
	onV1 := end{"v1", "Green", runsV1, both, 2}
	onV2 := end{"v2", "Green", runsV2, both, 2}
	for name, s := range map[string]scenario{
		"deployed": {policy: "Rolling", want: expected{result: "deployed",
			outputs: map[string]string{"version-label": "v2", "previous-version-label": "v1", "health": "Green"}, end: onV2}},
		"deployed, Red at first": {policy: "AllAtOnce", faults: eblocal.Faults{Dip: 2 * time.Minute}, want: expected{
			result: "deployed", log: []string{"Ready, but health is Red, accepted: Green, Yellow; waiting"}, end: onV2}},
		"rejected": {policy: "AllAtOnce", faults: eblocal.Faults{Refuse: []eblocal.Refusal{{
			Operation: "UpdateEnvironment", Status: 403, Code: "AccessDenied", Message: "not authorized to perform: elasticbeanstalk:UpdateEnvironment"}}},
			want: expected{result: "rejected", code: 1, log: []string{"not authorized to perform: elasticbeanstalk:UpdateEnvironment"}, end: onV1,
				outputs: map[string]string{"version-label": "v2", "previous-version-label": "v1"}}},
		"failed, nothing before": {policy: "Immutable", fresh: true, broken: dies(0), want: expected{
			result: "failed", code: 1, log: append(why[:2:2], "No version runs."), end: end{"", "Red", nil, []string{"v2"}, 1}}},
		"failed, AllAtOnce": {policy: "AllAtOnce", broken: dies(1), want: expected{
			result: "failed", code: 1, log: append(why, "instances do not run it", "To go back, run with version-label: v1"),
			outputs: map[string]string{"previous-version-label": "v1", "health": "Red"},
			end:     end{"v1", "Red", []string{"v2 Deployed", "v2 Failed"}, both, 2}}},
		"failed, Rolling": {policy: "Rolling", faults: eblocal.Faults{LateLogs: 20 * time.Second}, broken: dies(1), want: expected{
			result: "failed", code: 1, log: append(why, "instances do not run it"), end: end{"v1", "Red", []string{"v2 Deployed", "v2 Failed"}, both, 2}}},
		"failed, not told by an event": {policy: "Rolling", faults: eblocal.Faults{HideFailure: true}, broken: dies(1), want: expected{
			result: "failed", code: 1, log: []string{"the deployment failed on i-0"}, end: end{"v2", "Red", []string{"v2 Deployed", "v2 Failed"}, both, 2}}},
		"rolled-back, Immutable": {policy: "Immutable", broken: dies(0), want: expected{
			result: "rolled-back", code: 1, log: append(why, `Version "v1" runs.`), end: onV1,
			outputs: map[string]string{"version-label": "v2", "previous-version-label": "v1", "health": "Green"}}},
		"rolled-back, late": {policy: "Immutable", faults: eblocal.Faults{LateUpdating: 20 * time.Second, LateLabel: true, LateEvents: 10 * time.Second, LateLogs: 40 * time.Second}, broken: dies(1), want: expected{
			result: "rolled-back", code: 1, log: append(why, `Version "v1" runs.`), end: onV1}},
		"rolled-back, TrafficSplitting": {policy: "TrafficSplitting", broken: dies(1), want: expected{
			result: "rolled-back", code: 1, log: append(why, `Version "v1" runs.`), end: onV1}},
		"rolled-back by on-failure": {policy: "AllAtOnce", broken: dies(1), inputs: map[string]string{"on-failure": "rollback"}, want: expected{
			result: "rolled-back", code: 1, log: append(why, `on-failure: version "v1" was deployed again and runs, health Green`), end: onV1}},
		"on-failure: rollback, not needed": {policy: "Immutable", broken: dies(0), inputs: map[string]string{"on-failure": "rollback"}, want: expected{
			result: "rolled-back", code: 1, log: []string{`Version "v1" runs.`}, not: []string{"on-failure: going back"}, end: onV1}},
		"on-failure: rollback fails too": {policy: "AllAtOnce", broken: append(dies(1), eblocaltest.Breakage{Match: ":v1", Exit: 4}),
			inputs: map[string]string{"on-failure": "rollback"}, want: expected{
				result: "failed", code: 1, log: []string{`on-failure: going back to version "v1" ended failed`}, end: end{"v1", "Red", []string{"v1 Failed", "v1 Failed"}, both, 2}}},
		"on-failure: rollback of an unhealthy one": {policy: "Rolling", faults: eblocal.Faults{Dip: time.Hour}, inputs: map[string]string{"on-failure": "rollback"},
			beside: func(l *local) { time.Sleep(4 * time.Minute); l.aws.SetFaults(eblocal.Faults{}) }, want: expected{
				result: "rolled-back", code: 1, log: []string{"its health is Red", `version "v1" was deployed again and runs`}, end: onV1}},
		"aborted, Immutable": {policy: "Immutable", broken: hangs, inputs: map[string]string{"on-failure": "abort", "timeout": "6m"}, want: expected{
			result: "rolled-back", code: 1, log: []string{"the deadline passed", `on-failure: the update was aborted, and version "v1" runs.`}, end: onV1}},
		"aborted, Rolling": {policy: "Rolling", broken: hangs, inputs: map[string]string{"on-failure": "abort", "timeout": "6m"}, want: expected{
			result: "rolled-back", code: 1, log: []string{`on-failure: the update was aborted, and version "v1" runs.`}, end: onV1}},
		"unhealthy": {policy: "AllAtOnce", faults: eblocal.Faults{Dip: time.Hour}, want: expected{
			result: "unhealthy", code: 1, log: []string{`version "v2" runs, but its health is Red (accepted: Green, Yellow)`, "cause: 100.0 % of the requests"},
			outputs: map[string]string{"health": "Red"}, end: end{"v2", "Red", runsV2, both, 2}}},
		"unhealthy, accepted": {policy: "AllAtOnce", faults: eblocal.Faults{Dip: time.Hour}, inputs: map[string]string{"accept-health": "Green,Red"}, want: expected{
			result: "deployed", outputs: map[string]string{"health": "Red"}, end: end{"v2", "Red", runsV2, both, 2}}},
		"timed-out": {policy: "Immutable", broken: hangs, inputs: map[string]string{"timeout": "6m"}, want: expected{
			result: "timed-out", code: 1, log: []string{"is Updating; the last event was: Test instance passed health checks."},
			end: end{"v2", "Updating", runsV1, both, 2}}},
		"failed, longer than its Timeout": {policy: "Rolling", broken: hangs, want: expected{
			result: "failed", code: 1, log: []string{"The deployment took longer than the option Timeout"}, end: end{"v1", "Red", []string{"v2 Deployed", "v2 Failed"}, both, 2}}},
		"created, not waited for": {policy: "Immutable", inputs: map[string]string{"wait": "false"}, want: expected{
			result: "created", end: end{"v2", "Updating", runsV1, both, 2}}},
	} {
		t.Run(name, s.run)
	}
}
