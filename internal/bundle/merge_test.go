package bundle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
)

func merge(t *testing.T, archive *txtar.Archive) (Merged, error) {
	t.Helper()
	tree := fstest.MapFS{}
	for _, f := range archive.Files {
		tree[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return Merge{Tree: tree, Name: ".", Files: strings.Fields(string(archive.Comment))}.Compose(t.Context())
}

// TestMerge holds files merged against goldens: an archive of the files, with
// the names of those to be merged first, and what they come to, each line with
// the place that it comes from, or the error.
func TestMerge(t *testing.T) {
	cases, err := filepath.Glob("testdata/merge/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal(err, cases)
	}
	for _, name := range cases {
		t.Run(filepath.Base(name), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			merged, err := merge(t, archive)
			got := ""
			if err != nil {
				got = "error:\n" + err.Error() + "\n"
			} else {
				got = shown(merged)
			}
			golden := strings.TrimSuffix(name, ".txtar") + ".golden"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("(-want +got; -update writes it):\n%s", diff)
			}
		})
	}
}

// shown is a merged file with the place of each line behind it.
func shown(m Merged) string {
	var text strings.Builder
	for i, line := range strings.Split(strings.TrimSuffix(string(m.Content), "\n"), "\n") {
		place, _, _ := strings.Cut(m.At(i+1, os.ErrInvalid).Error(), ": ")
		if place == m.Name {
			place = ""
		}
		text.WriteString(strings.TrimRight(line+strings.Repeat(" ", max(1, 60-len(line)))+place, " ") + "\n")
	}
	for _, change := range m.Changes {
		text.WriteString("change: " + change.String() + "\n")
	}
	return text.String()
}
