package e2e

import (
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
)

var (
	input = regexp.MustCompile(`INPUT_([A-Z-]+)=("[^"]*"|'[^']*'|\S+)`)
	verb  = regexp.MustCompile(`(?:scripts/)?\brelease (check|binaries|publish|notes)\b`)
)

// TestReleaseWorkflow holds the workflow against its dry run: the same steps,
// and the same inputs of build-push. Only the dry run's SBOM is a stand-in's.
func TestReleaseWorkflow(t *testing.T) {
	workflow := read(t, filepath.Join(root, ".github", "workflows", "release.yml"))
	script := read(t, filepath.Join(root, "scripts", "release-dry-run"))
	if diff := cmp.Diff(verbs(workflow), verbs(script)); diff != "" {
		t.Errorf("the calls of scripts/release (-workflow +dry run):\n%s", diff)
	}

	want := buildInputs(t, workflow)
	if want["sbom"] != "true" {
		t.Errorf("the workflow has the SBOM %q; want true", want["sbom"])
	}
	want["sbom"] = "$sbom"
	got := map[string]string{}
	_, call, _ := strings.Cut(script, "\nbuild_push() {")
	call, _, _ = strings.Cut(call, "\n}")
	for _, found := range input.FindAllStringSubmatch(call, -1) {
		got[strings.ToLower(found[1])] = strings.Trim(found[2], `"'`)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("inputs of build-push (-workflow +dry run):\n%s", diff)
	}
	for name, value := range want {
		if !strings.Contains(value, "${{") && got[name] != value {
			t.Errorf("build-push's input %s is %q in the workflow and %q in the dry run", name, value, got[name])
		}
	}
}

// verbs are the steps that a text takes, in its order.
func verbs(text string) []string {
	var all []string
	for line := range strings.Lines(text) {
		if found := verb.FindStringSubmatch(line); found != nil && !strings.HasPrefix(strings.TrimSpace(line), "#") {
			all = append(all, found[1])
		}
	}
	return all
}

// buildInputs are those that the workflow gives build-push.
func buildInputs(t *testing.T, text string) map[string]string {
	t.Helper()
	var workflow struct {
		Jobs map[string]struct {
			Steps []struct {
				Uses string
				With map[string]string
			}
		}
	}
	if err := yaml.Unmarshal([]byte(text), &workflow); err != nil {
		t.Fatal(err)
	}
	for _, job := range workflow.Jobs {
		for _, step := range job.Steps {
			if strings.HasPrefix(step.Uses, "guk0/travois/actions/build-push@") {
				return step.With
			}
		}
	}
	t.Fatal("the workflow does not use build-push")
	return nil
}
