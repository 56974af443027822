package ebdeploy

import (
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

const commandOptions = "aws:elasticbeanstalk:command"

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

// moment is one at which no look comes.
const moment = 2*time.Minute + 100*time.Millisecond

// cancelsAt cancels the run at the nth call of an operation.
func cancelsAt(operation string, n int) func(t *testing.T, l *local) {
	return func(_ *testing.T, l *local) {
		seen := 0
		l.aws.OnCall = func(called string) {
			if called == operation {
				if seen++; seen == n {
					l.cancel()
				}
			}
		}
	}
}

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
			beside: func(t *testing.T, l *local) { time.Sleep(4 * time.Minute); l.aws.SetFaults(eblocal.Faults{}) }, want: expected{
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
		"deployed, RollingWithAdditionalBatch": {policy: "RollingWithAdditionalBatch", want: expected{result: "deployed", end: onV2}},
		"deployed, Immutable":                  {policy: "Immutable", faults: eblocal.Faults{LateUpdating: 20 * time.Second}, want: expected{result: "deployed", end: onV2}},
		"deployed, TrafficSplitting":           {policy: "TrafficSplitting", faults: eblocal.Faults{LateLabel: true}, want: expected{result: "deployed", end: onV2}},
		"deployed, basic health":               {policy: "AllAtOnce", basic: true, faults: eblocal.Faults{LateUpdating: 20 * time.Second, LateEvents: 10 * time.Second}, want: expected{result: "deployed", end: onV2}},
		"deployed, beside another operation's error": {policy: "Rolling", faults: eblocal.Faults{WholeSeconds: true, Noise: []eblocal.Noise{
			{After: 5 * time.Second, Severity: "ERROR", Message: "Failed to deploy configuration.", Request: "another"}}}, want: expected{
			result: "deployed", log: []string{"::warning::", "(of another operation; it does not count)"}, not: []string{"::error::"}, end: onV2}},
		"deployed, all answers throttled by half": {policy: "AllAtOnce", faults: eblocal.Faults{Throttle: 50}, want: expected{result: "deployed", end: onV2}},
		"unchanged": {policy: "Rolling", prepare: func(t *testing.T, l *local) { l.deployed(t, "v2") }, want: expected{
			result: "unchanged", end: onV2}},
		"unchanged, basic health": {policy: "Rolling", basic: true, prepare: func(t *testing.T, l *local) { l.deployed(t, "v2") }, want: expected{
			result: "unchanged", end: onV2}},
		"created, no environment": {policy: "Rolling", inputs: map[string]string{"env": ""}, want: expected{result: "created", end: end{"v1", "Green", runsV1, both, 2}}},
		"planned":                 {policy: "Rolling", inputs: map[string]string{"dry-run": "true"}, want: expected{result: "planned", end: end{"v1", "Green", runsV1, both[:1], 1}}},
		"rejected, before anything is written": {policy: "Rolling", inputs: map[string]string{"env": "Dockerfullstack-en", "on-failure": "rollback"}, want: expected{
			result: "rejected", code: 1, log: []string{`did you mean "Dockerfullstack-env"?`}, end: end{"v1", "Green", runsV1, both[:1], 1}}},
		"failed, RollingWithAdditionalBatch": {policy: "RollingWithAdditionalBatch", broken: dies(1), want: expected{
			result: "failed", code: 1, log: append(why, "instances do not run it"), end: end{"v1", "Red", []string{"v1 Deployed", "v2 Failed"}, both, 2}}},
		"failed, basic health": {policy: "Rolling", basic: true, broken: dies(1), want: expected{
			result: "failed", code: 1, log: append(why, "what its instances run is not known"), end: end{"v1", "Red", []string{"v2 Deployed", "v2 Failed"}, both, 2}}},
		"failed, basic health, all late": {policy: "Rolling", basic: true, broken: dies(1), faults: eblocal.Faults{LateUpdating: 20 * time.Second, LateLabel: true, LateEvents: 10 * time.Second}, want: expected{
			result: "failed", code: 1, log: append(why, "what its instances run is not known"), end: end{"v1", "Red", []string{"v2 Deployed", "v2 Failed"}, both, 2}}},
		"rolled-back, basic health": {policy: "Immutable", basic: true, broken: dies(0), want: expected{
			result: "rolled-back", code: 1, log: append(why, `Version "v1" runs.`), end: onV1}},
		"rolled-back by on-failure, basic health": {policy: "Rolling", basic: true, broken: dies(1), inputs: map[string]string{"on-failure": "rollback"}, want: expected{
			result: "rolled-back", code: 1, log: append(why, `version "v1" was deployed again and runs, health Green`), end: onV1}},
		"unhealthy, basic health": {policy: "AllAtOnce", basic: true, faults: eblocal.Faults{Dip: time.Hour}, want: expected{
			result: "unhealthy", code: 1, log: []string{"its health is Red"}, end: end{"v2", "Red", runsV2, both, 2}}},
		"unhealthy, basic health, not told by an event": {policy: "Rolling", basic: true, faults: eblocal.Faults{HideFailure: true}, broken: dies(1), want: expected{
			result: "unhealthy", code: 1, log: []string{"its health is Red"}, end: end{"v2", "Red", []string{"v2 Deployed", "v2 Failed"}, both, 2}}},
		"failed, terminated while it is watched": {policy: "AllAtOnce", settles: true, faults: eblocal.Faults{Dip: time.Hour}, inputs: map[string]string{"on-failure": "rollback"},
			beside: func(t *testing.T, l *local) {
				time.Sleep(moment)
				release := l.aws.Engine.HoldRemovals()
				l.aws.Ask(t, "TerminateEnvironment", "EnvironmentName", eblocaltest.Env)
				time.Sleep(time.Minute)
				release()
			}, want: expected{
				result: "failed", code: 1, log: []string{"is being terminated", "next: name another environment"}, not: []string{"on-failure"}, end: end{"v2", "Terminated", nil, both, 2}}},
		"superseded, a newer run was there": {policy: "Rolling", prepare: func(t *testing.T, l *local) { l.runID = "101"; l.deployed(t, "v3"); l.runID = "100" }, want: expected{
			result: "superseded", code: 1, log: []string{`of the newer run 101`}, end: end{"v3", "Green", []string{"v3 Deployed", "v3 Deployed"}, []string{"v1", "v3"}, 2}}},
		"superseded, overtaken": {policy: "AllAtOnce", faults: eblocal.Faults{Dip: time.Hour}, inputs: map[string]string{"on-failure": "rollback"},
			prepare: func(t *testing.T, l *local) {
				l.aws.SetFaults(eblocal.Faults{})
				l.deployed(t, "v3")
				l.deployed(t, "v1")
				l.aws.SetFaults(eblocal.Faults{Dip: time.Hour})
			},
			beside: func(t *testing.T, l *local) {
				time.Sleep(moment)
				l.aws.SetFaults(eblocal.Faults{})
				l.begin(t, "v3")
			}, want: expected{
				result: "superseded", code: 1, end: end{"v3", "Green", []string{"v3 Deployed", "v3 Deployed"}, []string{"v1", "v3", "v2"}, 3}}},
		"timed-out, never its turn": {policy: "AllAtOnce", inputs: map[string]string{"timeout": "5m"}, prepare: func(t *testing.T, l *local) {
			l.aws.Engine.Break(eblocaltest.Breakage{Match: ":v1", Hang: true})
			l.begin(t, "v1")
		}, want: expected{result: "timed-out", code: 1, log: []string{"which is Updating, to be Ready", "cause: "}, not: []string{"end of the logs"}, end: end{"v1", "Updating", []string{"v1 In Progress", "v1 In Progress"}, both[:1], 1}}},
		"timed-out, not healthy yet": {policy: "AllAtOnce", faults: eblocal.Faults{Dip: time.Hour}, inputs: map[string]string{"timeout": "3m"}, want: expected{
			result: "timed-out", code: 1, log: []string{"health is Red, accepted: Green, Yellow"}, end: end{"v2", "Red", runsV2, both, 2}}},
		"timed-out, the abort is refused": {policy: "Immutable", broken: hangs, inputs: map[string]string{"on-failure": "abort", "timeout": "6m"},
			faults: eblocal.Faults{Refuse: []eblocal.Refusal{{Operation: "AbortEnvironmentUpdate", Code: "InvalidParameterValue", Message: "Environment named Dockerfullstack-env is in an invalid state for this operation. Must be pending deployment."}}}, want: expected{
				result: "timed-out", code: 1, log: []string{"the update goes on"}, end: end{"v2", "Updating", runsV1, both, 2}}},
		"timed-out, the way back too": {policy: "Immutable", broken: hangs, inputs: map[string]string{"on-failure": "rollback", "timeout": "6m"},
			faults: eblocal.Faults{Refuse: []eblocal.Refusal{{Operation: "AbortEnvironmentUpdate", Code: "AccessDenied", Status: 403, Message: "not authorized to perform: elasticbeanstalk:AbortEnvironmentUpdate"}}}, want: expected{
				result: "rolled-back", code: 1, log: []string{"the update goes on"}, end: onV1}},
		"cancelled while it updates": {policy: "Immutable", beside: func(t *testing.T, l *local) { time.Sleep(moment / 4); l.cancel() }, want: expected{
			result: "failed", code: 1, log: []string{"::error::cancelled", "how the update ended: it goes on", "next: look in the console"}, end: end{"v2", "Updating", runsV1, both, 2}}},
		"cancelled while it updates, abort": {policy: "Immutable", settles: true, inputs: map[string]string{"on-failure": "abort"}, beside: func(t *testing.T, l *local) { time.Sleep(moment / 4); l.cancel() }, want: expected{
			result: "failed", code: 1, log: []string{"::error::cancelled", `it is aborted, and Elastic Beanstalk takes it back to version "v1"`}, end: onV1}},
		"cancelled before its turn": {policy: "AllAtOnce", inputs: map[string]string{"on-failure": "abort"}, prepare: func(t *testing.T, l *local) { l.begin(t, "v1") },
			beside: func(t *testing.T, l *local) { time.Sleep(moment / 4); l.cancel() }, want: expected{
				result: "rejected", code: 1, log: []string{"::error::cancelled", "cancelled before the update was asked for"}, end: end{"v1", "Updating", []string{"v1 In Progress", "v1 In Progress"}, both[:1], 1}}},
		"cancelled while it is explained": {policy: "AllAtOnce", broken: dies(1), inputs: map[string]string{"on-failure": "rollback"},
			prepare: cancelsAt("RequestEnvironmentInfo", 1), want: expected{result: "failed", code: 1, log: []string{"::error::cancelled"}, end: end{"v1", "Red", []string{"v2 Deployed", "v2 Failed"}, both, 2}}},
		"cancelled while it goes back": {policy: "AllAtOnce", settles: true, broken: dies(1), inputs: map[string]string{"on-failure": "rollback"},
			prepare: cancelsAt("UpdateEnvironment", 2), want: expected{result: "failed", code: 1, log: []string{"::error::cancelled"}, end: onV1}},
		"timed-out, nothing to abort": {policy: "AllAtOnce", faults: eblocal.Faults{Dip: time.Hour}, inputs: map[string]string{"timeout": "3m", "on-failure": "abort"}, want: expected{
			result: "timed-out", code: 1, log: []string{"the update is over by now, so there is none to abort"}, end: end{"v2", "Red", runsV2, both, 2}}},
		"timed-out, rolled back": {policy: "AllAtOnce", faults: eblocal.Faults{Dip: time.Hour}, inputs: map[string]string{"timeout": "3m", "on-failure": "rollback"},
			beside: func(_ *testing.T, l *local) { time.Sleep(moment); l.aws.SetFaults(eblocal.Faults{}) }, want: expected{
				result: "rolled-back", code: 1, log: []string{`version "v1" was deployed again and runs`}, end: onV1}},
		"cancelled while it is aborted": {policy: "Immutable", settles: true, broken: hangs, inputs: map[string]string{"timeout": "6m", "on-failure": "abort"}, prepare: cancelsAt("AbortEnvironmentUpdate", 1), want: expected{
			result: "timed-out", code: 1, log: []string{"::error::cancelled", "before it was known whether the update is aborted"}, end: onV1}},
		"cancelled while it is taken back": {policy: "Rolling", settles: true, broken: hangs, inputs: map[string]string{"timeout": "6m", "on-failure": "abort"},
			beside: func(_ *testing.T, l *local) { time.Sleep(6*time.Minute + moment/4); l.cancel() }, want: expected{
				result: "timed-out", code: 1, log: []string{"::error::cancelled", "the update was aborted, and the run was cancelled before it was taken back"}, end: onV1}},
		"cancelled while a late one is explained": {policy: "Immutable", settles: true, broken: hangs, inputs: map[string]string{"timeout": "6m", "on-failure": "abort"}, prepare: cancelsAt("RequestEnvironmentInfo", 1), want: expected{
			result: "timed-out", code: 1, log: []string{"::error::cancelled", `on-failure: the run was cancelled: as for the update, it is aborted, and Elastic Beanstalk takes it back to version "v1"`}, end: onV1}},
	} {
		t.Run(name, s.run)
	}
}

// TestLocalLogsOnce loses the answer to the request for the logs, which is made
// again then: each instance's are told once.
func TestLocalLogsOnce(t *testing.T) {
	locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
		l.set(t, [3]string{commandOptions, "DeploymentPolicy", "AllAtOnce"})
		l.deployed(t, "v1")
		for _, b := range dies(0) {
			l.aws.Engine.Break(b)
		}
		l.aws.SetFaults(eblocal.Faults{LateLogs: 10 * time.Second, Refuse: []eblocal.Refusal{{Operation: "RequestEnvironmentInfo", Times: 1, Status: -1, Done: true}}})
		got := l.version(t, "v2")
		if n := strings.Count(got.log, "no route to the database"); n != 1 || got.result() != "failed" {
			t.Errorf("the log of the instance is told %d times: %s", n, got)
		}
	})
}
