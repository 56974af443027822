package beanstalk_test

import (
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/beanstalk"
)

func expected(policy string) beanstalk.Expected {
	return beanstalk.Expected{Label: "new-2", RequestID: "r", AcceptHealth: []string{"Green", "Yellow"}, Policy: policy}
}

func state(status, label, health string) beanstalk.Observation {
	return beanstalk.Observation{
		Environment: beanstalk.Environment{Name: "env", Status: status, VersionLabel: label, Health: health},
		Shown:       true, Ended: true, SinceUpdate: time.Minute,
	}
}

func errorsOf(messages ...string) func(*beanstalk.Observation) {
	return func(o *beanstalk.Observation) {
		for _, m := range messages {
			o.Errors = append(o.Errors, beanstalk.Event{Severity: "ERROR", Message: m, RequestID: "r"})
		}
	}
}

func instance(deployment, label string) func(*beanstalk.Observation) {
	return func(o *beanstalk.Observation) {
		o.Instances = append(o.Instances, beanstalk.Instance{ID: "i-1", Deployment: deployment, Label: label})
	}
}

// launched is one of that age which says nothing yet.
func launched(age time.Duration) func(*beanstalk.Observation) {
	return func(o *beanstalk.Observation) {
		o.Instances = append(o.Instances, beanstalk.Instance{ID: "i-9", Age: age})
	}
}

// since has the environment Ready for a while.
func since(d time.Duration) func(*beanstalk.Observation) {
	return func(o *beanstalk.Observation) { o.SinceReady = d }
}

// enhanced has health reporting in which instances speak.
func enhanced(o *beanstalk.Observation) { o.Environment.HealthStatus = "Ok" }

func unasked(o *beanstalk.Observation) { o.Unasked = true }

func overtaken(o *beanstalk.Observation) { o.Overtaken = true }

// settled is long after the environment became Ready.
func settled(o *beanstalk.Observation) { o.SinceReady = time.Hour }

func notBegun(o *beanstalk.Observation) {
	o.Shown, o.Ended, o.SinceUpdate = false, false, 2*time.Second
}

// untold has no event yet of the update's end.
func untold(o *beanstalk.Observation) { o.Ended = false }

func TestJudge(t *testing.T) {
	for _, c := range []struct {
		name   string
		seen   beanstalk.Observation
		more   []func(*beanstalk.Observation)
		result beanstalk.Result
		reason string
	}{
		{"updating", state("Updating", "new-2", "Grey"), nil, "", "is Updating"},
		{"updating with an error is not over", state("Updating", "new-2", "Red"), list(errorsOf("Failed")), "", "is Updating"},
		{"still ready from before", state("Ready", "old-1", "Green"), list(notBegun), "", "does not show yet"},
		{"label known, not begun", state("Ready", "new-2", "Green"), list(notBegun), "", "does not show yet"},
		{"good", state("Ready", "new-2", "Green"), nil, beanstalk.Deployed, `version "new-2" runs, health Green`},
		{"yellow is accepted", state("Ready", "new-2", "Yellow"), nil, beanstalk.Deployed, "Yellow"},
		{"good on every instance", state("Ready", "new-2", "Green"), list(instance("Deployed", "new-2")), beanstalk.Deployed, ""},
		{"ready but an error of ours", state("Ready", "new-2", "Green"), list(errorsOf("Command failed on instance.", "Failed to deploy application.")), beanstalk.Failed, "Command failed on instance."},
		{"rolled back", state("Ready", "old-1", "Green"), list(errorsOf("Failed to deploy application.")), beanstalk.RolledBack, `Failed to deploy application. Version "old-1" runs.`},
		{"rolled back in silence, too early", state("Ready", "old-1", "Green"), nil, "", "still shows"},
		{"rolled back in silence", state("Ready", "old-1", "Green"), list(settled), beanstalk.RolledBack, "without an error event"},
		{"failed, and there was none before", state("Ready", "", "Red"), list(errorsOf("Failed to deploy application.")), beanstalk.Failed, "No version runs."},
		{"label went back, instances did not", state("Ready", "old-1", "Red"), list(errorsOf("Unsuccessful"), instance("Failed", "new-2"), settled), beanstalk.Failed, `shows version "old-1", but instances do not run it: i-1 (new-2 failed)`},
		{"label went back, the new instance is not gone yet", state("Ready", "old-1", "Green"), list(errorsOf("Unsuccessful"), instance("Failed", "new-2")), "", "still shows"},
		{"label went back, and the instances did", state("Ready", "old-1", "Green"), list(errorsOf("Unsuccessful."), instance("Deployed", "old-1")), beanstalk.RolledBack, `Unsuccessful. Version "old-1" runs.`},
		{"label went back, an instance holds a third version", state("Ready", "old-1", "Green"), list(errorsOf("Unsuccessful"), instance("Deployed", "older-0"), settled), beanstalk.Failed, "do not run it"},
		{"no label, but an instance runs", state("Ready", "", "Red"), list(errorsOf("Unsuccessful"), instance("Failed", "new-2"), settled), beanstalk.Failed, "shows no version"},
		{"right label, instance failed", state("Ready", "new-2", "Green"), list(instance("Failed", "new-2")), beanstalk.Failed, "failed on i-1"},
		{"right label, instance busy", state("Ready", "new-2", "Green"), list(instance("In Progress", "new-2")), "", "not yet"},
		{"right label, instance on the old version", state("Ready", "new-2", "Green"), list(instance("Deployed", "old-1"), settled), beanstalk.Failed, "did not come"},
		{"right label, a silent instance", state("Ready", "new-2", "Green"), list(instance("", "")), "", "i-1 not yet on version"},
		{"right label, an instance silent for good", state("Ready", "new-2", "Green"), list(instance("", ""), settled), beanstalk.Failed, "i-1 did not come to run"},
		{"right label, one instance speaks", state("Ready", "new-2", "Green"), list(instance("Deployed", "new-2"), instance("", "")), "", "i-1 not yet on version"},
		{"right label, only one instance ever speaks", state("Ready", "new-2", "Green"), list(instance("Deployed", "new-2"), instance("", ""), settled), beanstalk.Failed, "did not come"},
		{"an instance launched beside the update", state("Ready", "new-2", "Green"), list(instance("Deployed", "new-2"), launched(9*time.Minute), since(5*time.Minute)), "", "i-9 not yet on version"},
		{"an instance launched beside the update never comes", state("Ready", "new-2", "Green"), list(instance("Deployed", "new-2"), launched(11*time.Minute), since(5*time.Minute)), beanstalk.Failed, "i-9 did not come"},
		{"an instance launched after the update", state("Ready", "new-2", "Green"), list(instance("Deployed", "new-2"), launched(time.Minute), since(2*time.Minute)), beanstalk.Deployed, ""},
		{"only instances launched after the update", state("Ready", "new-2", "Green"), list(enhanced, launched(time.Minute), since(2*time.Minute)), "", "no instance says yet"},
		{"right label, no instance yet", state("Ready", "new-2", "Green"), list(enhanced), "", `no instance says yet that it runs version "new-2"`},
		{"right label, no instance ever", state("Ready", "new-2", "Green"), list(enhanced, settled), beanstalk.Failed, "no instance says that it runs"},
		{"right label, none at all, and grey", state("Ready", "new-2", "Grey"), list(enhanced, settled), beanstalk.Unhealthy, "Grey"},
		{"right label, instances can't be asked", state("Ready", "new-2", "Green"), list(enhanced, unasked), beanstalk.Deployed, ""},
		{"right label, nothing tells of the end yet", state("Ready", "new-2", "Green"), list(untold), "", "no event tells yet how the update ended"},
		{"right label, nothing ever tells of the end", state("Ready", "new-2", "Green"), list(untold, settled), beanstalk.Deployed, ""},
		{"right label, the instances tell of the end", state("Ready", "new-2", "Green"), list(untold, instance("Deployed", "new-2")), beanstalk.Deployed, ""},
		{"red at first", state("Ready", "new-2", "Red"), nil, "", "health is Red"},
		{"red for good", state("Ready", "new-2", "Red"), list(settled), beanstalk.Unhealthy, "health is Red (accepted: Green, Yellow)"},
		{"grey for good", state("Ready", "new-2", "Grey"), list(settled), beanstalk.Unhealthy, "Grey"},
		{"another update came", state("Ready", "newer-3", "Green"), list(overtaken), beanstalk.Superseded, `to version "newer-3" before it was known`},
		{"another update came after ours had failed", state("Ready", "newer-3", "Green"), list(overtaken, errorsOf("Failed to deploy application.")), beanstalk.RolledBack, "Failed to deploy"},
		{"another update came that leaves our version", state("Ready", "new-2", "Green"), list(overtaken), beanstalk.Deployed, ""},
		{"terminating", state("Terminating", "new-2", "Grey"), nil, beanstalk.Failed, "being terminated"},
	} {
		for _, change := range c.more {
			change(&c.seen)
		}
		got := beanstalk.Judge(expected("Immutable"), c.seen)
		if got.Result != c.result || !strings.Contains(got.Reason, c.reason) {
			t.Errorf("%s: %q, %q; want %q, %q", c.name, got.Result, got.Reason, c.result, c.reason)
		}
	}
}

// TestJudgeWithoutInstances has an environment that shows the old version and
// does not tell what its instances run.
func TestJudgeWithoutInstances(t *testing.T) {
	for policy, want := range map[string]beanstalk.Result{
		"Immutable": beanstalk.RolledBack, "TrafficSplitting": beanstalk.RolledBack,
		"AllAtOnce": beanstalk.Failed, "Rolling": beanstalk.Failed, "RollingWithAdditionalBatch": beanstalk.Failed, "": beanstalk.Failed,
	} {
		seen := state("Ready", "old-1", "Green")
		errorsOf("Failed to deploy application.")(&seen)
		if got := beanstalk.Judge(expected(policy), seen); got.Result != want {
			t.Errorf("%q: %q, %q; want %q", policy, got.Result, got.Reason, want)
		}
		instance("", "")(&seen)
		if got := beanstalk.Judge(expected(policy), seen); got.Result != want {
			t.Errorf("%q, with an instance that says nothing: %q, %q; want %q", policy, got.Result, got.Reason, want)
		}
		instance("Deployed", "old-1")(&seen)
		if got := beanstalk.Judge(expected(policy), seen); got.Result != want {
			t.Errorf("%q, with another one beside it on the old version: %q, %q; want %q", policy, got.Result, got.Reason, want)
		}
		seen.Instances = nil
		instance("Deployed", "old-1")(&seen)
		if got := beanstalk.Judge(expected(policy), seen); got.Result != beanstalk.RolledBack {
			t.Errorf("%q, with an instance on the old version: %q, %q", policy, got.Result, got.Reason)
		}
	}
}

// TestJudgeTheSameVersionAgain has the version on the environment before the
// update: only a newer deployment of it counts.
func TestJudgeTheSameVersionAgain(t *testing.T) {
	want := expected("Immutable")
	want.Again, want.After = true, 7
	for _, c := range []struct {
		id      int64
		settled bool
		result  beanstalk.Result
	}{
		{8, false, beanstalk.Deployed}, {7, false, ""}, {7, true, beanstalk.Failed}, {0, false, beanstalk.Deployed},
	} {
		seen := state("Ready", "new-2", "Green")
		seen.Instances = []beanstalk.Instance{{ID: "i-1", Deployment: "Deployed", Label: "new-2", DeploymentID: c.id}}
		if c.settled {
			settled(&seen)
		}
		if got := beanstalk.Judge(want, seen); got.Result != c.result {
			t.Errorf("deployment %d: %q, %q; want %q", c.id, got.Result, got.Reason, c.result)
		}
	}
}

// TestJudgeTheSameVersionUnseen has a redeployment of the version that shows
// nothing yet: the environment looks as it did before it.
func TestJudgeTheSameVersionUnseen(t *testing.T) {
	for _, c := range []struct {
		name      string
		after, id int64 // of the deployment before and of the instance's; 0 is none
		since     time.Duration
		result    beanstalk.Result
	}{
		{"basic health", 0, 0, time.Minute, ""},
		{"basic health, for good", 0, 0, 3 * time.Minute, beanstalk.Deployed},
		{"only settings, an instance that tells no older deployment", 0, 7, time.Minute, ""},
		{"instances gone since", 7, 0, time.Minute, ""},
		{"a newer deployment", 7, 8, time.Minute, beanstalk.Deployed},
	} {
		want := expected("AllAtOnce")
		want.Again, want.After = true, c.after
		seen := state("Ready", "new-2", "Green")
		seen.Shown, seen.Ended, seen.SinceUpdate, seen.SinceReady = false, false, c.since, c.since
		if c.id > 0 {
			seen.Instances = []beanstalk.Instance{{ID: "i-1", Deployment: "Deployed", Label: "new-2", DeploymentID: c.id}}
		}
		got := beanstalk.Judge(want, seen)
		if got.Result != c.result || c.result == "" && !strings.Contains(got.Reason, "does not show yet") {
			t.Errorf("%s: %q, %q; want %q", c.name, got.Result, got.Reason, c.result)
		}
		want.Again = false
		proven := c.id > 0 || c.since >= 3*time.Minute
		if got := beanstalk.Judge(want, seen); c.after == 0 && (got.Result == beanstalk.Deployed) != proven {
			t.Errorf("%s, with another version before: %q, %q", c.name, got.Result, got.Reason)
		}
	}
}

func list[T any](all ...T) []T { return all }

func TestGood(t *testing.T) {
	for result, want := range map[beanstalk.Result]bool{
		beanstalk.Deployed: true, beanstalk.Created: true, beanstalk.Unchanged: true, beanstalk.Rejected: false,
		beanstalk.Failed: false, beanstalk.RolledBack: false, beanstalk.Unhealthy: false, beanstalk.TimedOut: false, "": false,
		beanstalk.Superseded: false,
	} {
		if result.Good() != want {
			t.Errorf("%q.Good() = %v", result, !want)
		}
	}
}
