package ebdeploy

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

// eventLine is the line of an event, which may be an annotation.
var eventLine = regexp.MustCompile(`(?m)^(?:::(?:error|warning)::)?(\d\d:\d\d:\d\d (?:INFO|WARN|ERROR) .*?)( \(of another operation; it does not count\))?$`)

// printed are the events in a log.
func printed(log string) (lines []string) {
	for _, found := range eventLine.FindAllStringSubmatch(log, -1) {
		lines = append(lines, found[1])
	}
	return lines
}

// happened are the environment's events since a time, as they are printed.
func (l *local) happened(t *testing.T, since time.Time) (lines []string) {
	t.Helper()
	for _, e := range l.aws.Account(t).Events {
		if e.Env == eblocaltest.Env && !e.Time.Before(since) && !strings.HasPrefix(e.Message, "Pulled logs") {
			lines = append(lines, beanstalk.Event{At: e.Time, Severity: e.Severity, Message: e.Message}.String())
		}
	}
	return lines
}

// TestLocalEvents deploys for more than four minutes while the service lists,
// dates and answers as badly as it may. All events are printed, once and in
// order, and no trouble of the service's reaches the user.
func TestLocalEvents(t *testing.T) {
	burst := []eblocal.Noise{
		{After: 20 * time.Second, Severity: "ERROR", Message: "Service:AmazonCloudFormation, Message:Stack is broken", Request: "another"},
		{After: 70 * time.Second, Severity: "WARN", Message: "Instance i-1 is being rebooted."},
	}
	for range 40 { // equal in all they say
		burst = append(burst, eblocal.Noise{After: 40 * time.Second, Message: "Still at it."})
	}
	for name, c := range map[string]struct {
		faults eblocal.Faults
		skew   time.Duration
	}{
		"as it should be": {},
		"in bursts":       {faults: eblocal.Faults{WholeSeconds: true, Noise: burst}},
		"by pages of two": {faults: eblocal.Faults{EventPage: 2, Noise: burst}},
		"by pages and in bursts, the runner's clock ahead":         {faults: eblocal.Faults{EventPage: 7, WholeSeconds: true, Noise: burst, Latency: 300 * time.Millisecond}, skew: -3 * time.Hour},
		"half of the calls throttled, the runner's clock is late":  {faults: eblocal.Faults{Throttle: 50, EventPage: 50, WholeSeconds: true, Noise: burst, InstancePage: 1}, skew: 3 * time.Hour},
		"answers get lost and the service fails now and then":      {faults: eblocal.Faults{Noise: burst, Refuse: flaky()}},
		"shown late, the label too, and health is bad for a while": {faults: eblocal.Faults{LateUpdating: 15 * time.Second, LateLabel: true, Dip: 45 * time.Second, Noise: burst}},
	} {
		t.Run(name, func(t *testing.T) {
			locally(t, eblocal.Options{ClockSkew: c.skew}, func(t *testing.T, l *local) {
				l.set(t, [3]string{"aws:autoscaling:asg", "MinSize", "4"}, [3]string{commandOptions, "DeploymentPolicy", "Rolling"},
					[3]string{commandOptions, "BatchSizeType", "Fixed"}, [3]string{commandOptions, "BatchSize", "1"})
				l.deployed(t, "v1")
				time.Sleep(10 * time.Second)
				l.aws.SetFaults(c.faults)
				since, before := time.Now().Add(c.skew).Truncate(time.Second), len(l.aws.Calls())
				got := l.version(t, "v2")
				if got.code != 0 || got.result() != "deployed" || strings.Contains(got.log, "::error::") || strings.Contains(got.log, "hrottl") {
					t.Errorf("%s", got)
				}
				if diff := cmp.Diff(l.happened(t, since), printed(got.log)); diff != "" {
					t.Errorf("events (-happened +printed):\n%s", diff)
				}
				foreign := "::warning::" + "(?m).*Stack is broken \\(of another operation; it does not count\\)$"
				if c.faults.Noise != nil && !regexp.MustCompile(foreign).MatchString(got.log) {
					t.Errorf("the error of another operation is not shown as one:\n%s", got.log)
				}
				if calls := len(l.aws.Calls()) - before; calls > 160 && c.faults.EventPage == 0 {
					t.Errorf("%d calls; want at most 160", calls)
				}
			})
		})
	}
}

// flaky has every kind of call fail now and then, with and without having been
// carried out.
func flaky() (all []eblocal.Refusal) {
	for _, operation := range []string{"DescribeEnvironments", "DescribeEvents", "DescribeInstancesHealth", "UpdateEnvironment", "CreateApplicationVersion", "PutObject", "HeadObject"} {
		all = append(all,
			eblocal.Refusal{Operation: operation, Times: 1, Status: -1, Done: true},
			eblocal.Refusal{Operation: operation, Skip: 3, Times: 2, Status: 503, Code: "ServiceUnavailable", Message: "Try again."})
	}
	return all
}

// TestLocalLateEvents has events listed some seconds late, so that those of the
// update before come when ours has begun.
func TestLocalLateEvents(t *testing.T) {
	for _, breaks := range []bool{false, true} {
		locally(t, eblocal.Options{Faults: eblocal.Faults{LateEvents: 8 * time.Second}}, func(t *testing.T, l *local) {
			l.deployed(t, "v1")
			want, code := "deployed", 0
			if breaks {
				l.aws.Engine.Break(dies(0)[0])
				want, code = "rolled-back", 1
			}
			time.Sleep(2 * time.Second) // the server tells its time by the second
			began := time.Now().Truncate(time.Second)
			got := l.version(t, "v2")
			if got.result() != want || got.code != code {
				t.Errorf("%s", got)
			}
			seen := printed(got.log)
			begins := func(line string) bool { return strings.Contains(line, "Environment update is starting.") }
			// A change of health belongs to no request, and may be of this one.
			from := slices.IndexFunc(seen, begins)
			if from < 0 || from > 1 {
				t.Fatalf("events of the update before are shown:\n%s", got.log)
			}
			all := l.happened(t, began)
			all = all[slices.IndexFunc(all, begins):]
			// The last ones may not be listed yet.
			if diff := cmp.Diff(all[:len(seen)-from], seen[from:]); diff != "" {
				t.Errorf("events (-happened +printed):\n%s", diff)
			}
		})
	}
}
