package eblocal

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestFaultsByName(t *testing.T) {
	var f Faults
	for _, text := range []string{"throttle=50", "latency=200ms", "late-updating=10s", "separate", "late-label", "dip=1m", "hide-failure", "instance-page=2", "event-page=3",
		"whole-seconds", "late-events=5s", "processing=30s", "fail-processing", "upper-case", "refuse=UpdateEnvironment:Throttling:3", "refuse=HeadObject:AccessDenied", "noise=Stack: x=y"} {
		if err := f.Set(text); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	if len(f.Noise) != 1 || f.Noise[0].Request == "" {
		t.Fatalf("noise: %+v, expected an event of a request", f.Noise)
	}
	f.Noise[0].Request = ""
	want := Faults{
		Throttle: 50, Latency: 200 * time.Millisecond, LateUpdating: 10 * time.Second, Separate: true, LateLabel: true, Dip: time.Minute, HideFailure: true,
		InstancePage: 2, EventPage: 3, WholeSeconds: true, LateEvents: 5 * time.Second, Processing: 30 * time.Second, FailProcessing: true, UpperCase: true,
		Refuse: []Refusal{{Operation: "UpdateEnvironment", Code: "Throttling", Message: "Refused on request.", Times: 3}, {Operation: "HeadObject", Code: "AccessDenied", Message: "Refused on request."}},
		Noise:  []Noise{{Severity: "ERROR", Message: "Stack: x=y"}},
	}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Errorf("faults (-want +got):\n%s", diff)
	}
	for text, want := range map[string]string{
		"throttle=half": "expected a number", "latency=5": "expected a duration", "refuse=X": "OPERATION:CODE", "refuse=X:Y:0": "OPERATION:CODE",
		"late-label=1": "late-label", "gremlins": "expected one of dip=DURATION, event-page=NUMBER",
	} {
		if err := f.Set(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, expected %q", text, err, want)
		}
	}
}
