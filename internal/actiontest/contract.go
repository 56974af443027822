// Package actiontest holds what an action's files promise against its code:
// the inputs that action.yml declares are those that the code reads, the
// outputs those that it sets, and the tables in README.md say the same.
package actiontest

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/action"
)

// Update makes tests write their golden files and generated tables anew.
var Update = flag.Bool("update", false, "write golden files and generated tables")

// hidden begins the description of an input that users have no use for.
const hidden = "Leave it;"

// Metadata is an action.yml.
type Metadata struct {
	Name    string
	Inputs  Ordered
	Outputs Ordered
	Runs    struct {
		Using          string
		Image          string
		Entrypoint     string
		PostEntrypoint string `yaml:"post-entrypoint"`
	}
}

// Entry is an input or an output.
type Entry struct {
	Name, Description, Default string
	Required                   bool
}

// Hidden tells an input that users have no use for.
func (e Entry) Hidden() bool { return strings.HasPrefix(e.Description, hidden) }

// Ordered keeps the entries of a YAML mapping in the order of the file.
type Ordered []Entry

// UnmarshalYAML reads a mapping from names to entries.
func (o *Ordered) UnmarshalYAML(node *yaml.Node) error {
	for i := 0; i+1 < len(node.Content); i += 2 {
		var entry Entry
		if err := node.Content[i+1].Decode(&entry); err != nil {
			return err
		}
		entry.Name = node.Content[i].Value
		*o = append(*o, entry)
	}
	return nil
}

// Names are the entries' names.
func (o Ordered) Names() []string {
	var names []string
	for _, entry := range o {
		names = append(names, entry.Name)
	}
	return names
}

// Read reads an action.yml.
func Read(t *testing.T, path string) Metadata {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var metadata Metadata
	if err := yaml.Unmarshal(text, &metadata); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return metadata
}

// Contract checks the action in the current folder: the struct that reads its
// inputs, the outputs that it sets, its binary's name.
func Contract(t *testing.T, config any, outputs action.Outputs, binary string) {
	t.Helper()
	metadata := Read(t, "action.yml")
	want, err := action.InputNames(config)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, input := range metadata.Inputs {
		got[input.Name] = input.Default
		if strings.HasPrefix(input.Default, "${{") {
			got[input.Name] = want[input.Name]
		}
	}
	described(t, append(metadata.Inputs, metadata.Outputs...))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("inputs and defaults (-code +action.yml):\n%s", diff)
	}
	if diff := cmp.Diff(slices.Sorted(maps.Keys(outputs)), slices.Sorted(slices.Values(metadata.Outputs.Names()))); diff != "" {
		t.Errorf("outputs (-code +action.yml):\n%s", diff)
	}
	if metadata.Runs.Using != "docker" || metadata.Runs.Entrypoint != binary {
		t.Errorf("action.yml runs %+v; want %s in a container", metadata.Runs, binary)
	}
	if post := metadata.Runs.PostEntrypoint; post != "" && post != binary+"-post" {
		t.Errorf("action.yml has the post-entrypoint %s; want %s-post", post, binary)
	}
	README(t, "README.md", "inputs", InputTable(metadata.Inputs))
	README(t, "README.md", "outputs", OutputTable(metadata.Outputs))
}

// described holds descriptions against what runners take: act refuses an
// action.yml with an expression in one.
func described(t *testing.T, entries Ordered) {
	t.Helper()
	for _, entry := range entries {
		if entry.Description == "" || strings.Contains(entry.Description, "${{") {
			t.Errorf("action.yml: %s needs a description without an expression, has %q", entry.Name, entry.Description)
		}
	}
}

// InputTable is a table of the inputs that users have use for, in Markdown.
func InputTable(inputs Ordered) string {
	table := "| input | default | meaning |\n|---|---|---|\n"
	for _, input := range inputs {
		if input.Hidden() {
			continue
		}
		standard := input.Default
		if standard != "" {
			standard = "`" + standard + "`"
		}
		if input.Required {
			standard = "required"
		}
		table += fmt.Sprintf("| `%s` | %s | %s |\n", input.Name, standard, cell(input.Description))
	}
	return table
}

// OutputTable is a table of outputs, in Markdown.
func OutputTable(outputs Ordered) string {
	table := "| output | meaning |\n|---|---|\n"
	for _, output := range outputs {
		table += fmt.Sprintf("| `%s` | %s |\n", output.Name, cell(output.Description))
	}
	return table
}

func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "\n", " ").Replace(strings.TrimSpace(text))
}

// README compares the part of a file between <!-- NAME --> and <!-- /NAME -->
// with what it should be, or writes it.
func README(t *testing.T, path, name, want string) {
	t.Helper()
	Part(t, path, "<!-- "+name+" -->", "<!-- /"+name+" -->", want)
}

// Part compares the lines of a file between the line with one mark and the
// line with another with what they should be, or writes them.
func Part(t *testing.T, path, begin, end, want string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	part := regexp.MustCompile(`(?s)(` + regexp.QuoteMeta(begin) + `\n\n?)(.*?)([ \t]*` + regexp.QuoteMeta(end) + `)`)
	found := part.FindSubmatchIndex(text)
	if found == nil {
		t.Fatalf("%s has no %s … %s", path, begin, end)
	}
	if got := string(text[found[4]:found[5]]); got == want {
		return
	} else if !*Update {
		t.Errorf("%s, %s (-want +got), go test -update writes it:\n%s", path, begin, cmp.Diff(want, got))
		return
	}
	updated := string(text[:found[4]]) + want + string(text[found[5]:])
	if err := os.WriteFile(path, []byte(updated), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Golden compares a text with a file in testdata, or writes it.
func Golden(t *testing.T, path, got string) {
	t.Helper()
	if *Update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got), go test -update writes it:\n%s", path, diff)
	}
}
