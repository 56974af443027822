package migrate_test

import (
	"flag"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/migrate"
	"github.com/guk0/travois/internal/travis"
)

var update = flag.Bool("update", false, "write what comes out into testdata")

// The files of an archive that are compared.
const workflowFile, todoFile = "want/deploy.yml", "want/todo.txt"

// migrated reads an archive: the files whose names hold "travis" are the
// pieces, the others lie beside them.
func migrated(t *testing.T, archive *txtar.Archive) migrate.Result {
	t.Helper()
	var files []travis.File
	beside := fstest.MapFS{}
	for _, f := range archive.Files {
		switch {
		case strings.HasPrefix(f.Name, "want/"):
		case strings.Contains(f.Name, "travis"):
			files = append(files, travis.File{Name: f.Name, Source: f.Data})
		default:
			beside[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	result, err := migrate.Migrate(files, migrate.Options{Beside: beside, Repair: strings.HasPrefix(string(archive.Comment), "--repair")})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

func archives(t testing.TB) []string {
	t.Helper()
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) < 32 {
		t.Fatalf("%d archives in testdata, want at least 32: %v", len(paths), err)
	}
	return paths
}

func TestGolden(t *testing.T) {
	for _, path := range archives(t) {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			result := migrated(t, archive)
			got := map[string]string{workflowFile: result.Workflow, todoFile: result.Todo}
			if *update {
				write(t, path, archive, got)
				return
			}
			for _, f := range archive.Files {
				if text, compared := got[f.Name]; compared {
					if diff := cmp.Diff(string(f.Data), text); diff != "" {
						t.Errorf("%s (-want +got):\n%s", f.Name, diff)
					}
					delete(got, f.Name)
				}
			}
			for name := range got {
				t.Errorf("the archive has no %s; -update writes it", name)
			}
		})
	}
}

func write(t *testing.T, path string, archive *txtar.Archive, got map[string]string) {
	t.Helper()
	archive.Files = slices.DeleteFunc(archive.Files, func(f txtar.File) bool { return strings.HasPrefix(f.Name, "want/") })
	for _, name := range []string{workflowFile, todoFile} {
		archive.Files = append(archive.Files, txtar.File{Name: name, Data: []byte(got[name])})
	}
	if err := os.WriteFile(path, txtar.Format(archive), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Every workflow passes actionlint.
func TestActionlint(t *testing.T) {
	folder := t.TempDir()
	args := []string{"tool", "-modfile=../../tools/go.mod", "actionlint", "-shellcheck=", "-pyflakes="}
	for _, path := range archives(t) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Join(folder, strings.TrimSuffix(filepath.Base(path), ".txtar")+".yml")
		if err := os.WriteFile(name, []byte(migrated(t, archive).Workflow), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, name)
	}
	out, err := exec.Command("go", args...).CombinedOutput()
	if err != nil {
		t.Errorf("actionlint: %v\n%s", err, out)
	}
}

// What is given to the three actions is an input that they have.
func TestInputs(t *testing.T) {
	inputs := map[string]map[string]any{}
	for _, action := range []string{"test", "build-push", "eb-deploy"} {
		var file struct{ Inputs map[string]any }
		content, err := fs.ReadFile(os.DirFS("../../actions"), action+"/action.yml")
		if err != nil {
			t.Fatal(err)
		}
		if err := yaml.Unmarshal(content, &file); err != nil {
			t.Fatal(err)
		}
		inputs["guk0/travois/actions/"+action+"@v1"] = file.Inputs
	}
	for _, path := range archives(t) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps(t, migrated(t, archive).Workflow) {
			for name := range step.With {
				if known, ours := inputs[step.Uses]; ours && known[name] == nil {
					t.Errorf("%s: %s has no input %s", path, step.Uses, name)
				}
			}
		}
	}
}

type step struct {
	Uses string
	With map[string]any
}

func steps(t *testing.T, workflow string) []step {
	t.Helper()
	var file struct {
		Jobs map[string]struct{ Steps []step }
	}
	if err := yaml.Unmarshal([]byte(workflow), &file); err != nil {
		t.Fatalf("%v in\n%s", err, workflow)
	}
	var all []step
	for _, job := range file.Jobs {
		all = append(all, job.Steps...)
	}
	return all
}

var withExpression = regexp.MustCompile(`\$\{\{.*?\}\}`)

// What is given as services is what the actions read.
func TestServices(t *testing.T) {
	for _, path := range archives(t) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		workspace := t.TempDir()
		for _, f := range archive.Files {
			if !strings.Contains(f.Name, "/") {
				if err := os.WriteFile(filepath.Join(workspace, f.Name), f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, step := range steps(t, migrated(t, archive).Workflow) {
			inline, _ := step.With["services"].(string)
			if inline == "" {
				continue
			}
			if withExpression.MatchString(inline) {
				t.Errorf("%s: an expression stands in Compose text, which it could break:\n%s", path, inline)
			}
			var vars action.Pairs
			lines, _ := step.With["vars"].(string)
			if err := vars.UnmarshalText([]byte(withExpression.ReplaceAllString(lines, "value"))); err != nil {
				t.Errorf("%s: vars: %v", path, err)
			}
			if _, err := compose.Load(t.Context(), compose.Source{Inline: inline, Workspace: workspace, Vars: vars}); err != nil {
				t.Errorf("%s: %v in\n%s", path, err, inline)
			}
		}
	}
}
