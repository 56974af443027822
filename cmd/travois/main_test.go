package main

import (
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/guk0/travois/internal/actiontest"
)

const root = "../.."

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"other": main}) }

// TestEntryPoints holds the names that the binary answers to against those that
// the action.yml files start and those that images link to it.
func TestEntryPoints(t *testing.T) {
	want := slices.Sorted(maps.Keys(actions))
	if diff := cmp.Diff(want, started(t)); diff != "" {
		t.Errorf("entry points (-binary +action.yml):\n%s", diff)
	}
	if diff := cmp.Diff(want, linked(t, "Dockerfile")); diff != "" {
		t.Errorf("entry points (-binary +Dockerfile):\n%s", diff)
	}
	released := append(want, slices.Collect(maps.Keys(commands))...)
	slices.Sort(released)
	if diff := cmp.Diff(released, linked(t, "scripts/release")); diff != "" {
		t.Errorf("entry points (-binary +scripts/release):\n%s", diff)
	}
}

func started(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "actions", "*", "action.yml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no action.yml: %v", err)
	}
	var names []string
	for _, file := range files {
		runs := actiontest.Read(t, file).Runs
		for _, entry := range []string{runs.Entrypoint, runs.PostEntrypoint} {
			if entry != "" {
				names = append(names, strings.TrimPrefix(entry, "/"))
			}
		}
	}
	slices.Sort(names)
	return names
}

var loop = regexp.MustCompile(`for (?:action|name) in ([^;]+);`)

func linked(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, file))
	if err != nil {
		t.Fatal(err)
	}
	found := loop.FindSubmatch(text)
	if found == nil {
		t.Fatalf("%s has no %s", file, loop)
	}
	names := strings.Fields(string(found[1]))
	slices.Sort(names)
	return names
}

// TestUnknownName is a call by a name that is no action's.
func TestUnknownName(t *testing.T) {
	out, err := exec.Command("other").CombinedOutput()
	const want = "travois: called as \"other\"; it is called by a link to it with one of the names: build-push, build-push-post, eb-deploy, test, test-post, travois-migrate\n"
	if err == nil || string(out) != want {
		t.Errorf("%v, %s; want a failure and %s", err, out, want)
	}
}
