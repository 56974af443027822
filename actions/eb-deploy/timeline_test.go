package ebdeploy

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/beanstalk"
)

func TestTimeline(t *testing.T) {
	began := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	event := func(after time.Duration, severity, message string) beanstalk.Event {
		return beanstalk.Event{At: began.Add(after), Severity: severity, Message: message}
	}
	env := func(name string, events ...beanstalk.Event) envResult {
		return envResult{name: name, outcome: beanstalk.Outcome{Events: events}}
	}
	d := result{envs: []envResult{
		env("silent"),
		env("later", event(2*time.Second, "INFO", "Pulled: 50 %; #1\n```mermaid click")),
		env("first", event(0, "INFO", "Environment update is starting."), event(90*time.Second, "ERROR", ":::"), event(90*time.Second, "INFO", strings.Repeat("long ", 40))),
	}}
	want := "```mermaid\ngantt\n  dateFormat x\n  axisFormat %M:%S\n" +
		"  section later\n  Pulled 50 1 mermaid click : 2000, 2001\n" +
		"  section first\n  Environment update is starting. : 0, 90000\n  event : crit, 90000, 90001\n" +
		"  long long long long long long long long long long long long long long… : 90000, 90001\n```\n\n"
	if diff := cmp.Diff(want, d.timeline()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := (result{envs: []envResult{env("silent")}}).timeline(); got != "" {
		t.Errorf("a chart of nothing: %s", got)
	}
}

func TestTimelineIsBounded(t *testing.T) {
	var events []beanstalk.Event
	for i := range 500 {
		events = append(events, beanstalk.Event{At: time.Unix(int64(i), 0), Severity: "INFO", Message: fmt.Sprint("event ", i)})
	}
	got := result{envs: []envResult{{name: "env", outcome: beanstalk.Outcome{Events: events}}}}.timeline()
	if bars := strings.Count(got, " : "); bars != maxBars+1 || !strings.Contains(got, "and 440 more : 60000, 499000") {
		t.Errorf("%d bars:\n%s", bars, got)
	}
}

func TestSummaryLinks(t *testing.T) {
	d := result{
		plan: plan{label: "new"}, stored: beanstalk.Stored{Bucket: "bucket", Key: "app/new.zip"},
		console: beanstalk.New(aws.Config{Region: "eu-west-1"}).Console(),
		envs: []envResult{{name: "production", previous: "old", Verdict: verdict(beanstalk.Deployed, "it runs"),
			outcome: beanstalk.Outcome{Environment: beanstalk.Environment{ID: "e-abc"}}}},
	}
	for _, want := range []string{
		"| environment | [`production`](https://eu-west-1.console.aws.amazon.com/elasticbeanstalk/home?region=eu-west-1#/environment/dashboard?environmentId=e-abc) |",
		"| bundle | [`s3://bucket/app/new.zip`](https://eu-west-1.console.aws.amazon.com/s3/object/bucket?region=eu-west-1&prefix=app%2Fnew.zip) |",
		"| version | `old` → `new` |",
	} {
		if !strings.Contains(d.summary(), want) {
			t.Errorf("the summary lacks %q:\n%s", want, d.summary())
		}
	}
}

// TestNext has a next step for every result but the good ones.
func TestNext(t *testing.T) {
	for _, one := range severity {
		e := envResult{Verdict: verdict(one, "why"), previous: "old"}
		quiet := one == planned || one == beanstalk.Unchanged || one == beanstalk.Deployed
		if got := e.next(plan{label: "new"}); (got == "") != quiet {
			t.Errorf("after %s: %q", one, got)
		}
	}
	failed := envResult{Verdict: verdict(beanstalk.Failed, "why"), previous: "new"}
	if got := failed.next(plan{label: "new"}); strings.Contains(got, "To go back") {
		t.Errorf("there is no version to go back to: %s", got)
	}
}
