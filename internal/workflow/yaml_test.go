package workflow_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/workflow"
)

func TestText(t *testing.T) {
	step := new(workflow.Map).Comment("why").Set("uses", "a/b@v1").Set("with", new(workflow.Map).
		Set("services", workflow.Block("web:\n  build: .\n")).Set("on", "yes").Set("n", workflow.Raw("3")))
	doc := new(workflow.Map).Comment("one\n\ntwo").Set("name", "x: y").Blank().
		Set("branches", workflow.Flow{"master", "**", "a,b"}).
		Set("steps", workflow.Seq{step, "plain", new(workflow.Map).Set("run", "a\n  b\n")}).
		Set("empty", new(workflow.Map)).Set("push", nil)
	want := `# one
#
# two
name: 'x: y'

branches: [master, '**', "a,b"]
steps:
  # why
  - uses: a/b@v1
    with:
      services: |
        web:
          build: .
      on: "yes"
      n: 3
  - plain
  - run: |
      a
        b
empty: {}
push:
`
	if diff := cmp.Diff(want, doc.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// What is written as a value is read as the same value.
func TestRoundTrip(t *testing.T) {
	for _, text := range []string{"", "a", " lead\n deeper\n", "a: b", "- x", "*x", "${{ a }}", "true", "012", "'", `"`, "tab\tx", "a\n\nb\n", "# c", "a #b", "é", "a\\b", "?!", "- ", "a?", "[", "v[0-9]+"} {
		out := new(workflow.Map).Set("it", new(workflow.Map).Set("x", text).Set("l", workflow.Flow{text + ",z", text})).String()
		var back struct {
			It struct {
				X string
				L []string
			}
		}
		if err := yaml.Unmarshal([]byte(out), &back); err != nil {
			t.Errorf("%q: %v\n%s", text, err, out)
			continue
		}
		if back.It.X != text || back.It.L[0] != text+",z" || back.It.L[1] != text {
			t.Errorf("%q is read back as %q, in a list as %q:\n%s", text, back.It.X, back.It.L, out)
		}
	}
}
