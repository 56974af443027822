package actiontest_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/actiontest"
)

const root = "../.."

var actions = []string{"test", "build-push", "eb-deploy"}

// TestREADME holds the lists of inputs in the README against action.yml.
func TestREADME(t *testing.T) {
	for _, name := range actions {
		var shown []string
		for _, input := range actiontest.Read(t, filepath.Join(root, "actions", name, "action.yml")).Inputs {
			if !input.Hidden() {
				shown = append(shown, "`"+input.Name+"`")
			}
		}
		actiontest.README(t, filepath.Join(root, "README.md"), name, strings.Join(shown, ", ")+".\n")
	}
}

var (
	fenced = regexp.MustCompile("(?ms)^ *```yaml\n(.*?)^ *```")
	called = regexp.MustCompile(`^guk0/travois/(\.github/workflows/[a-z-]+\.yml)@`)
	ours   = regexp.MustCompile(`^(?:guk0/travois|\.)(?:/actions/([a-z-]+))?@?.*$`)
)

// TestUses holds every step that uses one of the actions, in workflows,
// actions and documents, against the inputs that the action has.
func TestUses(t *testing.T) {
	count := 0
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if entry != nil && (entry.Name() == ".git" || entry.Name() == "node_modules" || entry.Name() == "testdata") {
				return fs.SkipDir
			}
			return err
		}
		text, err := os.ReadFile(path)
		switch {
		case err != nil:
			return err
		case strings.HasSuffix(path, ".yml"):
			count += checkUses(t, path, text)
		case strings.HasSuffix(path, ".md"):
			for _, block := range fenced.FindAllSubmatch(text, -1) {
				count += checkUses(t, path, block[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 10 {
		t.Errorf("only %d steps use the actions: are they still found?", count)
	}
}

func checkUses(t *testing.T, path string, text []byte) int {
	t.Helper()
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		t.Errorf("%s: %v\n%s", path, err, text)
		return 0
	}
	count := 0
	known := map[string]actiontest.Metadata{} // by the id of the step
	defer func() { checkOutputs(t, path, text, known) }()
	each(&document, func(step map[string]yaml.Node) {
		uses := step["uses"]
		found := ours.FindStringSubmatch(uses.Value)
		if uses.Value == "" || found == nil || strings.HasPrefix(uses.Value, "./.") {
			return
		}
		if workflow := called.FindStringSubmatch(uses.Value); workflow != nil {
			checkCall(t, path, step, filepath.Join(root, workflow[1]))
			count++
			return
		}
		count++
		metadata := actiontest.Read(t, filepath.Join(root, folder(found[1]), "action.yml"))
		if id := step["id"]; id.Value != "" {
			known[id.Value] = metadata
		}
		with := step["with"]
		for i := 0; i+1 < len(with.Content); i += 2 {
			if input := with.Content[i].Value; !slices.Contains(metadata.Inputs.Names(), input) {
				t.Errorf("%s: %s has no input %s; it has %v", path, uses.Value, input, metadata.Inputs.Names())
			}
		}
	})
	return count
}

// checkCall holds a job that calls a reusable workflow against the inputs and
// secrets that the workflow has.
func checkCall(t *testing.T, path string, job map[string]yaml.Node, workflow string) {
	t.Helper()
	call := readCall(t, workflow)
	for key, has := range map[string][]string{"with": call.Inputs.Names(), "secrets": call.Secrets.Names()} {
		given := job[key]
		for i := 0; i+1 < len(given.Content); i += 2 {
			if name := given.Content[i].Value; !slices.Contains(has, name) {
				t.Errorf("%s: %s: %s has no %s; there are %v", path, key, workflow, name, has)
			}
		}
	}
}

var output = regexp.MustCompile(`steps\.([a-z-]+)\.outputs\.([a-z0-9-]+)`)

// checkOutputs holds the outputs that are read from steps against those that
// the actions have.
func checkOutputs(t *testing.T, path string, text []byte, known map[string]actiontest.Metadata) {
	t.Helper()
	for _, found := range output.FindAllSubmatch(text, -1) {
		metadata, ours := known[string(found[1])]
		if ours && !slices.Contains(metadata.Outputs.Names(), string(found[2])) {
			t.Errorf("%s: %s: there is no such output; there are %v", path, found[0], metadata.Outputs.Names())
		}
	}
}

// TestToolchain holds the image that compiles the actions against go.mod: it
// has GOTOOLCHAIN=local, and refuses a module that wants a newer one.
func TestToolchain(t *testing.T) {
	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	dockerfile, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	version := regexp.MustCompile(`(?m)^go (\S+)$`).FindSubmatch(module)
	if version == nil || !strings.Contains(string(dockerfile), "FROM golang:"+string(version[1])+" AS") {
		t.Errorf("Dockerfile does not build with golang:%s, which go.mod wants", version[1])
	}
}

func folder(action string) string {
	if action == "" {
		return "."
	}
	return filepath.Join("actions", action)
}

// each calls a function with every mapping of a document.
func each(node *yaml.Node, do func(map[string]yaml.Node)) {
	if node.Kind == yaml.MappingNode {
		mapping := map[string]yaml.Node{}
		for i := 0; i+1 < len(node.Content); i += 2 {
			mapping[node.Content[i].Value] = *node.Content[i+1]
		}
		do(mapping)
	}
	for _, child := range node.Content {
		each(child, do)
	}
}
