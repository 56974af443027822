package action

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// FromSecret is a part of an input's value that the workflow takes from GitHub's
// secrets.
type FromSecret struct {
	// Input is its name as in action.yml.
	Input, Value string
}

// FromSecrets are the parts of this step's inputs that the workflow takes from
// secrets. The runner hides them wherever they show, and tells no action which
// they are, so they are read out of the workflows in the workspace: what fills
// the expressions ${{ secrets.NAME }} in the inputs of the step, which is one of
// this job that uses the action with these inputs. What can't be told so, as of a
// composite action, is left out. The action's name is that of its folder.
func (r *Runner) FromSecrets(action string) []FromSecret {
	var all []FromSecret
	for _, workflow := range r.workflows() {
		job := workflow.Jobs[r.Getenv("GITHUB_JOB")]
		for _, step := range job.Steps {
			folder, _, _ := strings.Cut(step.Uses, "@")
			if path.Base(folder) == action {
				all = append(all, r.filled(step, environment{step.Env, job.Env, workflow.Env})...)
			}
		}
	}
	return all
}

// workflowFile is what is read of a workflow.
type workflowFile struct {
	Env  map[string]string
	Jobs map[string]struct {
		Env   map[string]string
		Steps []workflowStep
	}
}

type workflowStep struct {
	Uses      string
	With, Env map[string]string
}

// workflows are those in the workspace that may have this job: the one of the
// run if it has, else all, since a job of a reusable workflow is in another file.
func (r *Runner) workflows() []workflowFile {
	workspace, err := r.Workspace()
	if err != nil {
		return nil
	}
	files, _ := filepath.Glob(filepath.Join(workspace, ".github/workflows/*.y*ml"))
	ref, _, _ := strings.Cut(r.Getenv("GITHUB_WORKFLOW_REF"), "@")
	var all []workflowFile
	for _, file := range files {
		var one workflowFile
		text, _ := os.ReadFile(file)
		_ = yaml.Unmarshal(text, &one) // what can be read is read
		if len(one.Jobs[r.Getenv("GITHUB_JOB")].Steps) > 0 && path.Base(ref) == filepath.Base(file) {
			return []workflowFile{one}
		}
		all = append(all, one)
	}
	return all
}

// environment are the `env` of a step, its job and its workflow, the nearest
// first.
type environment []map[string]string

var (
	expression = regexp.MustCompile(`\$\{\{\s*(.*?)\s*\}\}`)
	ofSecrets  = regexp.MustCompile(`^secrets\.[A-Za-z_][A-Za-z0-9_]*$`)
)

// secret tells an expression that is a secret, or a variable that holds nothing
// else.
func (e environment) secret(text string) bool {
	name, isVariable := strings.CutPrefix(text, "env.")
	if !isVariable {
		return ofSecrets.MatchString(text)
	}
	for _, one := range e {
		if value, found := one[name]; found {
			inner := expression.FindStringSubmatch(value)
			return inner != nil && inner[0] == strings.TrimSpace(value) && ofSecrets.MatchString(inner[1])
		}
	}
	return false
}

// filled are the secrets in a step's inputs, none if these are not its inputs.
func (r *Runner) filled(step workflowStep, env environment) []FromSecret {
	var all []FromSecret
	for input, template := range step.With {
		values, fits := env.match(template, r.Getenv(inputPrefix+strings.ToUpper(input)))
		if !fits {
			return nil
		}
		for _, value := range values {
			all = append(all, FromSecret{input, value})
		}
	}
	slices.SortFunc(all, func(a, b FromSecret) int { return strings.Compare(a.Input+a.Value, b.Input+b.Value) })
	return slices.Compact(all)
}

// match is what the secrets of a template are in a value of it.
func (e environment) match(template, value string) (secrets []string, fits bool) {
	var pattern strings.Builder
	pattern.WriteString(`(?s)^\s*`)
	template = strings.TrimSpace(template)
	end := 0
	for _, at := range expression.FindAllStringSubmatchIndex(template, -1) {
		pattern.WriteString(regexp.QuoteMeta(template[end:at[0]]))
		end = at[1]
		if e.secret(template[at[2]:at[3]]) {
			pattern.WriteString(`(.*?)`)
			continue
		}
		pattern.WriteString(`.*?`)
	}
	pattern.WriteString(regexp.QuoteMeta(template[end:]) + `\s*$`)
	compiled, err := regexp.Compile(pattern.String())
	if err != nil {
		return nil, false
	}
	found := compiled.FindStringSubmatch(value)
	if found == nil {
		return nil, false
	}
	return slices.DeleteFunc(found[1:], func(one string) bool { return strings.TrimSpace(one) == "" }), true
}
