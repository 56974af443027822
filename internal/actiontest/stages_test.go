package actiontest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/actiontest"
)

// stage is one of the three actions inside the action at the root, where it is
// a step, and inside pipeline.yml, where it is a job.
type stage struct{ action, prefix string }

var stages = []stage{{"test", "test"}, {"build-push", "build"}, {"eb-deploy", "deploy"}}

// everywhere are the inputs that mean the same to all stages that have them:
// they keep their names and go to all of these stages.
var everywhere = []string{
	"vars", "registry", "username", "password", "oidc-connection-id", "auths", "insecure-registries",
}

// surface is a file that puts the three stages together: which inputs its
// users don't see and why, and how it finds the value of each.
type surface struct {
	path string
	// left are the inputs and outputs that are not passed on, by action/name,
	// with the reason.
	left map[string]string
	// filled are expressions for inputs that are not just passed on, by
	// action/name. One that does not read its own input hides it.
	filled map[string]string
	// secrets are the inputs that come as secrets.
	secrets []string
}

var (
	composite = surface{
		path: filepath.Join(root, "action.yml"),
		left: map[string]string{
			"eb-deploy/tags":    "the references in images have them",
			"eb-deploy/digests": "the references in images have them",
		},
		filled: map[string]string{
			"build-push/push":  pushing,
			"eb-deploy/images": "steps.build.outputs.images",
		},
	}
	pipeline = surface{
		path: filepath.Join(root, ".github", "workflows", "pipeline.yml"),
		left: map[string]string{
			"test/keep":               "the engine ends with the job",
			"test/images":             "the engine ends with the job",
			"test/artifacts":          "the workspace ends with the job",
			"test/network":            "a job that is called has no services that the caller could give it",
			"test/oidc-connection-id": "the job that runs the tests can ask for no ID token",
			"build-push/images":       "a job's output should name no host or owner: where a secret has the same value, GitHub drops it",
			"eb-deploy/images":        "tags and digests cross from job to job",
		},
		filled: map[string]string{
			"test/username":     "inputs.oidc-connection-id == '' && inputs.username || ''",
			"build-push/push":   pushing,
			"eb-deploy/tags":    "needs.build-push.outputs.tags",
			"eb-deploy/digests": "needs.build-push.outputs.digests",
		},
		secrets: []string{"password", "auths", "test-secrets", "build-secrets", "builder-key", "env-vars"},
	}
)

// pushing is build-push's input push: auto pushes where the run deploys.
const pushing = "inputs.push == 'auto' && steps.stages.outputs.deploy != 'true' && 'false' || inputs.push"

// line is one `with:` of a stage, or an output.
type line struct{ name, value string }

// contents is what a surface must say.
type contents struct {
	inputs, secrets []actiontest.Entry
	with            map[string][]line // by action
	outputs         map[string][]line // by action
	described       []actiontest.Entry
	used            map[string]bool // of left and filled
}

func metadata(t *testing.T) map[string]actiontest.Metadata {
	t.Helper()
	all := map[string]actiontest.Metadata{}
	for _, stage := range stages {
		all[stage.action] = actiontest.Read(t, filepath.Join(root, "actions", stage.action, "action.yml"))
	}
	return all
}

// contents applies the one rule: what only one action has keeps its name, and
// what several have carries the stage as a prefix, but for what means the same
// everywhere.
func (s surface) contents(all map[string]actiontest.Metadata) contents {
	c := contents{with: map[string][]line{}, outputs: map[string][]line{}, used: map[string]bool{}}
	inputs, outputs := counts(all)
	for _, stage := range stages {
		for _, entry := range all[stage.action].Inputs {
			if !entry.Hidden() {
				s.addInput(&c, stage, entry, inputs[entry.Name] > 1, all)
			}
		}
		for _, entry := range all[stage.action].Outputs {
			if c.leaves(s, stage.action+"/"+entry.Name) {
				continue
			}
			named := renamed(stage, entry, outputs[entry.Name] > 1)
			c.described = append(c.described, named)
			c.outputs[stage.action] = append(c.outputs[stage.action], line{named.Name, entry.Name})
		}
	}
	return c
}

// counts says how many actions have an input, and an output, of a name.
func counts(all map[string]actiontest.Metadata) (inputs, outputs map[string]int) {
	inputs, outputs = map[string]int{}, map[string]int{}
	for _, metadata := range all {
		for _, name := range metadata.Inputs.Names() {
			inputs[name]++
		}
		for _, name := range metadata.Outputs.Names() {
			outputs[name]++
		}
	}
	return inputs, outputs
}

func (c *contents) leaves(s surface, key string) bool {
	if s.left[key] == "" {
		return false
	}
	c.used[key] = true
	return true
}

func (s surface) addInput(c *contents, stage stage, entry actiontest.Entry, shared bool, all map[string]actiontest.Metadata) {
	key := stage.action + "/" + entry.Name
	expression, filled := s.filled[key]
	c.used[key] = c.used[key] || filled
	if !filled && c.leaves(s, key) {
		return
	}
	if slices.Contains(everywhere, entry.Name) {
		entry = common(entry, all)
		shared = false
	}
	named := renamed(stage, entry, shared)
	secret := slices.Contains(s.secrets, named.Name)
	if !filled {
		expression = "inputs." + named.Name
		if secret {
			named.Name = secretName(named.Name)
			expression = "secrets." + named.Name
		}
	}
	c.with[stage.action] = append(c.with[stage.action], line{entry.Name, expression})
	list := &c.inputs
	if secret {
		list = &c.secrets
	}
	seen := slices.ContainsFunc(*list, func(e actiontest.Entry) bool { return e.Name == named.Name })
	if !seen && strings.Contains(expression, "."+named.Name) && !strings.Contains(expression, "outputs."+named.Name) {
		*list = append(*list, named)
	}
}

// secretName is an input's name as GitHub takes it for a secret, so that
// environments may have it and callers may let it be inherited.
func secretName(input string) string {
	return strings.ToUpper(strings.ReplaceAll(input, "-", "_"))
}

// common is the input of build-push, whose meaning is the widest.
func common(entry actiontest.Entry, all map[string]actiontest.Metadata) actiontest.Entry {
	for _, other := range all["build-push"].Inputs {
		if other.Name == entry.Name {
			return other
		}
	}
	return entry
}

func renamed(stage stage, entry actiontest.Entry, shared bool) actiontest.Entry {
	if shared {
		entry.Description = stage.action + "'s " + entry.Name + ": " + entry.Description
		entry.Name = stage.prefix + "-" + entry.Name
	}
	if entry.Name == "push" {
		entry.Description = "true, false, or auto: where the run deploys, so not on pull requests and outside of deploy-branch"
	}
	return entry
}

// TestComposite holds the action at the root against the three: every input
// and output is passed on, or left out with a reason.
func TestComposite(t *testing.T) {
	c := composite.contents(metadata(t))
	composite.complete(t, c)
	var inputs, outputs strings.Builder
	for _, input := range c.inputs {
		inputs.WriteString(declared("  ", input, false))
	}
	actiontest.Part(t, composite.path, "  # <inputs>", "# </inputs>", inputs.String())
	i := 0
	for _, stage := range stages {
		for _, output := range c.outputs[stage.action] {
			outputs.WriteString("  " + output.name + ":\n    description: " + scalar(c.described[i].Description) + "\n")
			outputs.WriteString("    value: ${{ steps." + stage.prefix + ".outputs." + output.value + " }}\n")
			i++
		}
		actiontest.Part(t, composite.path, "        # <"+stage.action+">", "# </"+stage.action+">", with("        ", c.with[stage.action]))
	}
	actiontest.Part(t, composite.path, "  # <outputs>", "# </outputs>", outputs.String())
}

// TestPipeline holds the reusable workflow against the three in the same way,
// and its page against the workflow.
func TestPipeline(t *testing.T) {
	c := pipeline.contents(metadata(t))
	pipeline.complete(t, c)
	var inputs, secrets, outputs strings.Builder
	for _, input := range c.inputs {
		inputs.WriteString(declared("      ", input, true))
	}
	for _, secret := range c.secrets {
		secrets.WriteString("      " + secret.Name + ":\n        description: " + scalar(secret.Description) + "\n")
	}
	actiontest.Part(t, pipeline.path, "      # <inputs>", "# </inputs>", inputs.String())
	actiontest.Part(t, pipeline.path, "      # <secrets>", "# </secrets>", secrets.String())
	i := 0
	for _, stage := range stages {
		var job []line
		for _, output := range c.outputs[stage.action] {
			outputs.WriteString("      " + output.name + ":\n        description: " + scalar(c.described[i].Description) + "\n")
			outputs.WriteString("        value: ${{ jobs." + stage.action + ".outputs." + output.name + " }}\n")
			job = append(job, line{output.name, "steps." + stage.prefix + ".outputs." + output.value})
			i++
		}
		actiontest.Part(t, pipeline.path, "      # <"+stage.action+" outputs>", "# </"+stage.action+" outputs>", with("      ", job))
		actiontest.Part(t, pipeline.path, "          # <"+stage.action+">", "# </"+stage.action+">", with("          ", c.with[stage.action]))
	}
	actiontest.Part(t, pipeline.path, "      # <outputs>", "# </outputs>", outputs.String())
}

// TestPages holds the tables of the two files' pages against them.
func TestPages(t *testing.T) {
	page := filepath.Join(root, "docs", "one-step.md")
	action := actiontest.Read(t, composite.path)
	actiontest.README(t, page, "inputs", actiontest.InputTable(action.Inputs))
	actiontest.README(t, page, "outputs", actiontest.OutputTable(action.Outputs))

	page = filepath.Join(root, "docs", "reusable-workflow.md")
	workflow := readCall(t, pipeline.path)
	actiontest.README(t, page, "inputs", actiontest.InputTable(workflow.Inputs))
	actiontest.README(t, page, "outputs", actiontest.OutputTable(workflow.Outputs))
	secrets := "| secret | meaning |\n|---|---|\n"
	for _, secret := range workflow.Secrets {
		secrets += "| `" + secret.Name + "` | " + secret.Description + " |\n"
	}
	actiontest.README(t, page, "secrets", secrets)
}

// complete holds the exceptions and the secrets against what there is.
func (s surface) complete(t *testing.T, c contents) {
	t.Helper()
	for key := range s.left {
		if !c.used[key] {
			t.Errorf("%s: %s is left out, and there is no such input or output", s.path, key)
		}
	}
	for key := range s.filled {
		if !c.used[key] {
			t.Errorf("%s: %s is filled, and there is no such input", s.path, key)
		}
	}
	for _, name := range s.secrets {
		if !slices.ContainsFunc(c.secrets, func(e actiontest.Entry) bool { return e.Name == secretName(name) }) {
			t.Errorf("%s: %s is a secret, and there is no such input", s.path, name)
		}
	}
}

// declared is an input as YAML. A workflow's inputs have types, which their
// defaults tell.
func declared(indent string, input actiontest.Entry, typed bool) string {
	text := indent + input.Name + ":\n" + indent + "  description: " + scalar(input.Description) + "\n"
	kind := typeOf(input.Default)
	switch {
	case typed && kind != "string":
		text += indent + "  type: " + kind + "\n" + indent + "  default: " + input.Default + "\n"
		return text
	case typed:
		text += indent + "  type: string\n"
	}
	if input.Required {
		return text + indent + "  required: true\n"
	}
	if input.Default != "" {
		text += indent + "  default: " + scalar(input.Default) + "\n"
	}
	return text
}

func typeOf(standard string) string {
	switch {
	case standard == "true" || standard == "false":
		return "boolean"
	case regexp.MustCompile(`^[0-9]+$`).MatchString(standard):
		return "number"
	}
	return "string"
}

func with(indent string, lines []line) string {
	var text strings.Builder
	for _, line := range lines {
		text.WriteString(indent + line.name + ": ${{ " + line.value + " }}\n")
	}
	return text.String()
}

// scalar is a text as YAML on one line.
func scalar(text string) string {
	encoded, err := yaml.Marshal(text)
	if err != nil {
		panic(err)
	}
	return strings.TrimSpace(string(encoded))
}

// call is what a reusable workflow takes and gives.
type call struct{ Inputs, Secrets, Outputs actiontest.Ordered }

func readCall(t *testing.T, path string) call {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var workflow struct {
		On struct {
			Call call `yaml:"workflow_call"`
		}
	}
	if err := yaml.Unmarshal(text, &workflow); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return workflow.On.Call
}
