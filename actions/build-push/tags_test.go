package buildpush

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/enginetest"
)

const sha = "0123456789abcdef0123456789abcdef01234567"

func TestDefaultTags(t *testing.T) {
	for _, c := range []struct {
		name    string
		trigger action.Trigger
		want    string
	}{
		{"push to a branch", action.Trigger{Branch: "feature/a", DefaultBranch: "main"}, "sha-0123456789ab feature-a-951d42dc"},
		{"push to the default branch", action.Trigger{Branch: "main", DefaultBranch: "main"}, "sha-0123456789ab main latest"},
		{"default branch unknown", action.Trigger{Branch: "main"}, "sha-0123456789ab main"},
		{"release tag", action.Trigger{Tag: "v1.2.3", DefaultBranch: "main"}, "sha-0123456789ab 1.2.3 1.2 1 latest"},
		{"prerelease tag", action.Trigger{Tag: "v1.2.3-rc.1"}, "sha-0123456789ab 1.2.3-rc.1"},
		{"build metadata", action.Trigger{Tag: "v1.2.3+5"}, "sha-0123456789ab 1.2.3-5 1.2 1 latest"},
		{"other tag", action.Trigger{Tag: "nightly"}, "sha-0123456789ab"},
		{"pull request from a branch called as the default one", action.Trigger{Event: "pull_request", PullRequest: 7, Branch: "main", DefaultBranch: "main"}, "sha-0123456789ab pr-7"},
		{"pull request from a fork", action.Trigger{Event: "pull_request", PullRequest: 8, Branch: "latest", DefaultBranch: "main"}, "sha-0123456789ab pr-8"},
		{"manual", action.Trigger{Event: "workflow_dispatch", Branch: "main", DefaultBranch: "main"}, "sha-0123456789ab main latest"},
		{"capitals", action.Trigger{Branch: "Release-2.X", DefaultBranch: "main"}, "sha-0123456789ab Release-2.X"},
		{"unicode", action.Trigger{Branch: "수정/로그인", DefaultBranch: "main"}, "sha-0123456789ab _------b0a8920e"},
		{"200 characters", action.Trigger{Branch: strings.Repeat("x", 200), DefaultBranch: "main"}, "sha-0123456789ab " + strings.Repeat("x", 119) + "-aa20c23e"},
		{"schedule", action.Trigger{Event: "schedule", Branch: "main", DefaultBranch: "main"}, "sha-0123456789ab main latest"},
		{"merge queue", action.Trigger{Event: "merge_group", Branch: "gh-readonly-queue/main/pr-7"}, "sha-0123456789ab"},
	} {
		c.trigger.SHA = sha
		tags, err := expand(defaultTags(c.trigger), c.trigger)
		if got := strings.Join(tags, " "); err != nil || got != c.want {
			t.Errorf("%s: got %q, %v; want %q", c.name, got, err, c.want)
		}
	}
}

// TestTagsOfEvents shows what GitHub says of a run turned into tags.
func TestTagsOfEvents(t *testing.T) {
	fork := filepath.Join(t.TempDir(), "event.json")
	enginetest.Write(t, fork, `{"pull_request":{"number":8,"head":{"sha":"fedcba9876543210fedcba9876543210fedcba98"}}}`)
	for _, c := range []struct {
		event, ref, head, want string
	}{
		{"push", "refs/heads/feature/a", "", "sha-0123456789ab feature-a-951d42dc"},
		{"push", "refs/heads/main", "", "sha-0123456789ab main latest"},
		{"push", "refs/tags/v1.2.3", "", "sha-0123456789ab 1.2.3 1.2 1 latest"},
		{"push", "refs/tags/v1.2.3-rc.1", "", "sha-0123456789ab 1.2.3-rc.1"},
		{"release", "refs/tags/v2.0.0", "", "sha-0123456789ab 2.0.0 2.0 2 latest"},
		{"schedule", "refs/heads/main", "", "sha-0123456789ab main latest"},
		{"workflow_dispatch", "refs/heads/topic", "", "sha-0123456789ab topic"},
		{"workflow_dispatch", "refs/tags/v1.2.3", "", "sha-0123456789ab 1.2.3 1.2 1 latest"},
		{"merge_group", "refs/heads/gh-readonly-queue/main/pr-7-0123456789abcdef", "", "sha-0123456789ab"},
		{"pull_request", "refs/pull/7/merge", "main", "sha-0123456789ab pr-7"},
		// Its SHA is the base branch's, whose image has that tag.
		{"pull_request_target", "refs/heads/main", "main", "sha-fedcba987654 pr-8"},
	} {
		env := []string{"GITHUB_EVENT_NAME=" + c.event, "GITHUB_REF=" + c.ref, "GITHUB_HEAD_REF=" + c.head, "GITHUB_SHA=" + sha, "GITHUB_WORKSPACE=" + t.TempDir()}
		if c.event == "pull_request_target" {
			env = append(env, "GITHUB_EVENT_PATH="+fork)
		}
		inputs := action.CommitInputs{DefaultBranch: "main"}
		if c.event == "schedule" {
			inputs.DefaultBranch = "" // its event has no repository
		}
		trigger, err := action.NewRunner(env, &bytes.Buffer{}).Trigger(inputs)
		if err != nil {
			t.Fatal(err)
		}
		tags, err := config{}.tags(trigger)
		if got := strings.Join(tags, " "); err != nil || got != c.want {
			t.Errorf("%s of %s: got %q, %v; want %q", c.event, c.ref, got, err, c.want)
		}
	}
}

func TestExpand(t *testing.T) {
	trigger := action.Trigger{SHA: sha, RunNumber: "42", Date: time.Date(2026, 3, 1, 23, 0, 0, 0, time.FixedZone("", -7200))}
	got, err := expand([]string{"v{run}", "{date}-{sha}", "{branch}", "x", "x"}, trigger)
	if diff := cmp.Diff([]string{"v42", "20260302-0123456789ab", "x"}, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	trigger.Branch = strings.Repeat("x", 200)
	got, err = expand([]string{"{branch}", "{branch}-{sha}"}, trigger)
	long := strings.Repeat("x", 119) + "-aa20c23e"
	want := []string{long, long[:106] + "-a05a722b-0123456789ab"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("a long branch: %v (-want +got):\n%s", err, diff)
	}
	if _, err := expand([]string{"{branch}"}, action.Trigger{Event: "push"}); err == nil || !strings.Contains(err.Error(), "input tags: no line has a value") {
		t.Errorf("got %v", err)
	}
}
