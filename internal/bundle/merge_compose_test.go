package bundle

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

// composers are the programs that an instance may have to read a bundle's file
// with, where this machine has them.
func composers(t *testing.T) map[string][]string {
	t.Helper()
	found := map[string][]string{}
	for _, command := range [][]string{{"docker", "compose"}, {"docker-compose"}} {
		if exec.CommandContext(t.Context(), command[0], append(command[1:], "version")...).Run() == nil {
			found[strings.Join(command, " ")] = command
		}
	}
	if len(found) == 0 {
		t.Skip("this machine has no Docker Compose")
	}
	return found
}

// TestMergeAsCompose holds what files are merged to against what Docker Compose
// makes of the files itself.
func TestMergeAsCompose(t *testing.T) {
	for name, command := range composers(t) {
		for _, archive := range []string{"classic", "override"} {
			if archive == "override" && name == "docker-compose" {
				continue // Its files have !reset, which Compose 1 does not know.
			}
			t.Run(name+"/"+archive, func(t *testing.T) {
				files, err := txtar.ParseFile(filepath.Join("testdata", "merge", archive+".txtar"))
				if err != nil {
					t.Fatal(err)
				}
				merged, err := merge(t, files)
				if err != nil {
					t.Fatal(err)
				}
				dir := t.TempDir()
				for _, f := range append(files.Files, txtar.File{Name: "merged.yml", Data: merged.Content}) {
					if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want := composeConfig(t, command, dir, strings.Fields(string(files.Comment))...)
				got := composeConfig(t, command, dir, "merged.yml")
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("(-%s on the files +on the merged file):\n%s", name, diff)
				}
			})
		}
	}
}

// composeConfig is how Docker Compose reads files, ports and volumes in order.
func composeConfig(t *testing.T, command []string, dir string, files ...string) map[string]any {
	t.Helper()
	args := slices.Clone(command[1:])
	for _, file := range files {
		args = append(args, "-f", file)
	}
	c := exec.CommandContext(t.Context(), command[0], append(args, "config", "--no-interpolate")...)
	c.Dir, c.Stderr = dir, t.Output()
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %v", c.Args, err)
	}
	return decoded(t, out)
}
