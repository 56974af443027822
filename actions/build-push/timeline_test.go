package buildpush

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/engine"
)

func TestTimeline(t *testing.T) {
	begin := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	done := result{images: []imageResult{
		{service: "web", built: engine.Built{Started: begin.Add(time.Second), Duration: 1500 * time.Millisecond}, pushing: []span{
			{"push", begin.Add(3 * time.Second), time.Second}, {"move tags", begin.Add(6 * time.Second), 250 * time.Millisecond},
		}},
		{service: "api", built: engine.Built{Started: begin, Duration: 2 * time.Second}},
		{service: "never"},
	}}
	want := "\n```mermaid\ngantt\n  dateFormat x\n  axisFormat %M:%S\n  section web\n  build 1.5s : 1000, 2500\n  push 1s : 3000, 4000\n  move tags 300ms : 6000, 6250\n  section api\n  build 2s : 0, 2000\n```\n"
	if diff := cmp.Diff(want, done.timeline()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got, want := done.images[0].pushTime(), 1250*time.Millisecond; got != want {
		t.Errorf("the push took %s, want %s", got, want)
	}
	if got := (result{images: []imageResult{{service: "never"}}}).timeline(); got != "" {
		t.Errorf("of nothing: %q", got)
	}
}
