package actiontest_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestWorkflowsOfDocuments has actionlint look at every workflow, job and list
// of steps that a document shows.
func TestWorkflowsOfDocuments(t *testing.T) {
	dir, count := t.TempDir(), 0
	places := map[string]string{} // of the documents, by file
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			if entry != nil && (entry.Name() == ".git" || entry.Name() == "node_modules" || entry.Name() == "testdata") {
				return fs.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, ".md") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, at := range fenced.FindAllSubmatchIndex(text, -1) {
			workflow := workflowOf(text[at[2]:at[3]])
			if workflow == nil {
				continue
			}
			count++
			file := filepath.Join(dir, fmt.Sprintf("block%03d.yml", count))
			places[file] = fmt.Sprintf("%s:%d", path, 1+bytes.Count(text[:at[2]], []byte("\n")))
			if err := os.WriteFile(file, workflow, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if count < 15 {
		t.Errorf("only %d workflows are found in documents: are they still?", count)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.yml"))
	if err != nil {
		t.Fatal(err)
	}
	arguments := []string{"tool", "-modfile=../../tools/go.mod", "actionlint", "-no-color", "-shellcheck=", "-pyflakes="}
	if out, err := exec.Command("go", append(arguments, files...)...).CombinedOutput(); err != nil {
		text := string(out)
		for file, place := range places {
			text = strings.ReplaceAll(text, filepath.Base(file)+":", place+", its line ")
		}
		t.Errorf("actionlint: %v\n%s", err, text)
	}
}

// workflowOf is a block of a document as a workflow, nil for one that is less
// than a step.
func workflowOf(block []byte) []byte {
	var parsed yaml.Node
	if yaml.Unmarshal(block, &parsed) != nil || len(parsed.Content) == 0 {
		return nil
	}
	inside := func(head string, depth int) []byte {
		indent := strings.Repeat(" ", depth)
		body := indent + strings.ReplaceAll(strings.TrimRight(string(block), "\n"), "\n", "\n"+indent)
		return []byte(head + body + "\n")
	}
	switch top := parsed.Content[0]; {
	case top.Kind == yaml.SequenceNode && has(top.Content[0], "uses"):
		return inside("on: push\njobs:\n  shown:\n    runs-on: ubuntu-latest\n    steps:\n", 6)
	case has(top, "jobs") && has(top, "on"):
		return block
	case has(top, "jobs"):
		return inside("on: push\n", 0)
	case has(top, "steps"):
		return inside("on: push\njobs:\n  shown:\n    runs-on: ubuntu-latest\n", 4)
	}
	return nil
}

func has(node *yaml.Node, key string) bool {
	if node.Kind != yaml.MappingNode {
		return false
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return true
		}
	}
	return false
}
