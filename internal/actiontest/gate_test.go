package actiontest_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// gate is the script that decides whether a run pushes and deploys.
func gate(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	script := ""
	each(&document, func(step map[string]yaml.Node) {
		if id := step["id"]; id.Value == "stages" {
			run := step["run"]
			script = run.Value
		}
	})
	if script == "" {
		t.Fatalf("%s has no step stages", path)
	}
	return script
}

// TestGate runs the script as a runner does: only what is on a deploy-branch
// is pushed and deployed, and all else has its reason printed.
func TestGate(t *testing.T) {
	script := gate(t, composite.path)
	if other := gate(t, pipeline.path); other != script {
		t.Errorf("%s decides by another script than %s:\n%s\n%s", pipeline.path, composite.path, other, script)
	}
	const nothing = "Nothing is pushed and deployed: "
	for _, test := range []struct{ name, event, ref, branches, reason string }{
		{"the default branch", "push", "refs/heads/main", "main", ""},
		{"another branch", "push", "refs/heads/fix", "main", "refs/heads/fix is not the deploy-branch (main)"},
		{"a branch that begins as the default one", "push", "refs/heads/main-2", "main", "refs/heads/main-2 is not the deploy-branch (main)"},
		{"a branch of the same last part", "push", "refs/heads/fix/main", "main", "refs/heads/fix/main is not the deploy-branch (main)"},
		{"one of several", "push", "refs/heads/staging", "main\nstaging\n", ""},
		{"none of several", "push", "refs/heads/fix", "main\n staging\n", "refs/heads/fix is not the deploy-branch (main staging)"},
		{"a pattern", "push", "refs/heads/release/1.2", "release/*", ""},
		{"every branch", "push", "refs/heads/fix", "*", ""},
		{"a tag", "push", "refs/tags/main", "main", "refs/tags/main is not the deploy-branch (main)"},
		{"a tag that is asked for", "push", "refs/tags/v1.2", "main refs/tags/v*", ""},
		{"started by hand", "workflow_dispatch", "refs/heads/main", "main", ""},
		{"on a schedule, whose event names no repository", "schedule", "refs/heads/main", "", ""},
		{"on a schedule, with another branch to deploy", "schedule", "refs/heads/main", "production", "refs/heads/main is not the deploy-branch (production)"},
		{"no branch is known", "push", "refs/heads/main", "", "refs/heads/main is not the deploy-branch ()"},
		{"a pull request", "pull_request", "refs/pull/7/merge", "*", "this is a pull request"},
		{"a pull request with the base's rights", "pull_request_target", "refs/heads/main", "main", "this is a pull request"},
		{"a merge queue", "merge_group", "refs/heads/gh-readonly-queue/main/pr-7", "*", "this is a merge queue"},
		{"a name that a shell would take for code", "push", "refs/heads/$(exit)", "main", "refs/heads/$(exit) is not the deploy-branch (main)"},
	} {
		t.Run(test.name, func(t *testing.T) {
			output := filepath.Join(t.TempDir(), "output")
			command := exec.CommandContext(t.Context(), "sh", "-e", "-c", script)
			command.Dir = "/"
			command.Env = []string{"PATH=" + os.Getenv("PATH"), "EVENT=" + test.event, "REF=" + test.ref, "DEPLOY_BRANCH=" + test.branches, "GITHUB_OUTPUT=" + output}
			printed, err := command.CombinedOutput()
			if err != nil {
				t.Fatalf("%v\n%s", err, printed)
			}
			set, err := os.ReadFile(output)
			if err != nil {
				t.Fatal(err)
			}
			want, wantPrinted := "deploy=true\n", ""
			if test.reason != "" {
				want, wantPrinted = "deploy=false\n", "::notice title=travois::"+nothing+test.reason+"\n"
			}
			if string(set) != want || strings.TrimSpace(string(printed)) != strings.TrimSpace(wantPrinted) {
				t.Errorf("set %q and printed %q, want %q and %q", set, printed, want, wantPrinted)
			}
		})
	}
}
