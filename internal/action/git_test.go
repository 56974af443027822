package action_test

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/action"
)

// TestTriggerReadsGit makes a real repository, once with loose objects and
// once packed, as a clone is.
func TestTriggerReadsGit(t *testing.T) {
	dir := t.TempDir()
	git(t, dir, "init", "-q", "-b", "main")
	git(t, dir, "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "--allow-empty", "-m", "First\n\nBody")
	sha := strings.TrimSpace(git(t, dir, "rev-parse", "HEAD"))
	for _, state := range []string{"loose", "packed"} {
		if state == "packed" {
			git(t, dir, "gc", "-q")
		}
		r := action.NewRunner([]string{"GITHUB_WORKSPACE=" + dir}, &bytes.Buffer{})
		got, err := r.Trigger(action.CommitInputs{})
		if err != nil || got.SHA != sha || got.Subject != "First" || got.Date.Year() != 2026 {
			t.Errorf("%s: %+v, %v; want sha %s", state, got, err, sha)
		}
	}
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "git", args...)
	command.Dir = dir
	command.Env = append(os.Environ(), "GIT_COMMITTER_DATE=2026-03-01T00:00:00Z", "GIT_AUTHOR_DATE=2026-03-01T00:00:00Z")
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return string(out)
}
