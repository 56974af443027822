// Package migrate owns the way from .travis.yml to a GitHub workflow that uses
// travois: what becomes of each key, and the list of what a person has left to
// do. Nothing is dropped: what has no counterpart stays in the workflow as a
// comment and is on the list.
package migrate

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

// Options are what a migration may do and look at.
type Options struct {
	// Beside has the files beside .travis.yml: what is in the repository
	// decides, for instance, between npm and yarn. It may be nil.
	Beside fs.FS
	// Repair reads tabs as spaces and mends a bucket's name.
	Repair bool
}

// Result is a migration.
type Result struct {
	// Workflow is the text of .github/workflows/deploy.yml.
	Workflow string
	// Todo is the list of what is left to do, for a person.
	Todo string
}

// Migrate reads the pieces of one .travis.yml. The error reports everything
// that can't be read, as "file:line: …".
func Migrate(files []travis.File, options Options) (Result, error) {
	if len(files) == 0 {
		return Result{}, errors.New("no file is given")
	}
	root, err := travis.Read(files, options.Repair)
	if err != nil {
		return Result{}, err
	}
	c := &converter{root: root, options: options, todo: newTodo(), jobs: new(workflow.Map), named: map[string]string{}, images: map[string]bool{}}
	c.todo.passwords = passwords(files)
	c.tabs(files)
	c.deployed = readDeployFiles(c.read)
	text := c.convert(files)
	return Result{Workflow: text, Todo: c.todo.String()}, nil
}

// tabs says which lines were read otherwise than they stand.
func (c *converter) tabs(files []travis.File) {
	if !c.options.Repair {
		return
	}
	for _, file := range files {
		for _, line := range travis.Tabs(file) {
			c.todo.tell(travis.Place{File: file.Name, Line: line}, "a tab in the indentation, read as spaces")
		}
	}
}

// converter turns one configuration into one workflow.
type converter struct {
	root     *travis.Section
	options  Options
	todo     *todo
	deployed deployFiles
	// deploys tells that something is deployed to Elastic Beanstalk.
	deploys bool
	jobs    *workflow.Map
	// entries are the sections of jobs of their own.
	entries []*travis.Section
	ids     namer
	names   namer
	// named are the names of images by repository and context.
	named map[string]string
	// global are env's variables for all jobs.
	global []travis.Var
	// shellEnv are those that only a shell can work out.
	shellEnv []travis.Var
	// hosts tells that a job runs lines on the runner, which see env.
	hosts bool
	// comments are what stays of keys without a counterpart.
	comments []string
	envPlace travis.Place
	family   ancestry
	// images are the jobs that push what a deployment may take.
	images map[string]bool
	// pushers are these in their order.
	pushers []string
}

func (c *converter) read(name string) ([]byte, bool) {
	if c.options.Beside == nil {
		return nil, false
	}
	content, err := fs.ReadFile(c.options.Beside, name)
	return content, err == nil
}

func (c *converter) exists(name string) bool {
	if c.options.Beside == nil {
		return false
	}
	_, err := fs.Stat(c.options.Beside, name)
	return err == nil
}

func (c *converter) convert(files []travis.File) string {
	c.readSettled()
	env := c.readGlobal()
	units := c.units()
	c.emit(units)
	c.mistakes()
	triggers := c.triggers()
	for _, entry := range c.entries {
		c.leaveRest(entry, "jobs, ")
	}
	c.leaveRest(c.root, "")
	out := new(workflow.Map)
	var names []string
	for _, f := range files {
		names = append(names, f.Name)
	}
	out.Comment("What " + strings.Join(names, " and ") + " did, by travois-migrate.")
	for _, comment := range c.comments {
		out.Comment(comment)
	}
	out.Set("name", "deploy").Blank().Set("on", triggers).Blank()
	out.Set("permissions", new(workflow.Map).Set("contents", "read")).Blank()
	if c.jobs.Len() == 0 {
		c.jobs.Set("nothing", nothing())
	}
	c.takeTurns(out, triggers)
	if c.hosts && env.Len() > 0 {
		out.Set("env", env).Blank()
	}
	out.Set("jobs", c.jobs)
	return out.String()
}

// nothing is the job of a file without one that could be converted: GitHub takes
// no workflow without jobs.
func nothing() *workflow.Map {
	step := new(workflow.Map).Set("run", `echo "::error::nothing of the file could be converted, see the comments in the workflow"; exit 1`)
	return new(workflow.Map).Set("runs-on", "ubuntu-latest").Set("steps", workflow.Seq{step})
}

// settled are keys that say nothing any more: the runner has what they asked
// for, or GitHub does it anyway.
var settled = []string{"sudo", "group", "version", "conditions", "filter_secrets", "trace"}

func (c *converter) readSettled() {
	for _, key := range settled {
		c.root.Take(key)
	}
	c.notifications()
	c.checkCron()
}

// notifications by mail are each reader's own setting at GitHub; others stay
// as a comment.
func (c *converter) notifications() {
	node, ok := c.root.Take("notifications")
	if !ok {
		return
	}
	section := node.Section()
	for _, key := range []string{"email", "on_success", "on_failure"} {
		section.Take(key)
	}
	if len(section.Rest()) > 0 || !node.IsMap() && !node.False() {
		c.root.GiveBack("notifications")
		return
	}
	c.todo.tell(node.Place(), "notifications: email: GitHub mails whoever started a run that fails; each reader sets that in their own settings")
}

// checkCron says what no file holds.
func (c *converter) checkCron() {
	c.todo.tell(travis.Place{}, "cron jobs and variables of Travis's settings are in no file: for a cron job add on: schedule; variables are listed above where the file uses them")
}

// readGlobal reads env's global part into the scope of all jobs; the mapping
// is what the workflow sets.
func (c *converter) readGlobal() *workflow.Map {
	out := new(workflow.Map)
	node, ok := c.root.Take("env")
	if !ok {
		return out
	}
	env := travis.ReadEnv(node)
	c.global, c.envPlace = env.Global, node.Place()
	for _, odd := range env.Odd {
		c.todo.hand(odd.Place, "env: %q is no assignment", odd.Value)
	}
	s := newScope(c.todo)
	for _, v := range env.Global {
		if v.Name == "" {
			c.todo.anonymous = append(c.todo.anonymous, v.Place)
			continue
		}
		value, err := c.value(s, v)
		if err != nil {
			c.shellEnv = append(c.shellEnv, v)
			c.todo.tell(v.Place, "env %s: %s, so a step of each job sets it", v.Name, err)
			continue
		}
		out.Set(v.Name, value.String())
	}
	return out
}

// value is what a variable of env is set to. A secret in plain text is not
// copied. The error says what only a shell can tell.
func (c *converter) value(s *scope, v travis.Var) (arg, error) {
	if v.Secure {
		a := arg{{name: v.Name, expr: c.todo.secret(strings.ToUpper(v.Name), "was encrypted in the file", v.Place)}}
		s.values[v.Name] = a
		return a, nil
	}
	a, err := s.word(v.Word, v.Place)
	if err != nil {
		s.unknown[v.Name] = true
		return nil, err
	}
	if text, ok := a.lit(); ok && (urlWithPassword.MatchString(text) || secretName.MatchString(v.Name) && !harmlessValue(text)) {
		a = arg{{name: v.Name, expr: c.todo.secret(strings.ToUpper(v.Name), inPlainText, v.Place)}}
	}
	s.values[v.Name] = a
	return a, nil
}

// harmlessValue tells whether a value can't be a secret worth hiding.
func harmlessValue(text string) bool {
	switch strings.ToLower(text) {
	case "", "true", "false", "root", "test", "testing", "password", "secret", "travis", "postgres", "admin", "mysql", "0", "1", "yes", "no", "dummy", "changeme", "ci":
		return true
	}
	if strings.Contains(text, "://") && (strings.Contains(text, "localhost") || strings.Contains(text, "127.0.0.1")) {
		return true
	}
	return len(text) < 4 || strings.HasPrefix(text, "/") || strings.HasPrefix(text, "./")
}

// mistakes lists those of the deploy files beside, which eb-deploy refuses.
func (c *converter) mistakes() {
	if !c.deploys || c.options.Repair {
		return
	}
	for _, name := range Mendable {
		content, ok := c.read(name)
		if !ok {
			continue
		}
		_, mistakes := Mend(name, content)
		for _, m := range mistakes {
			text := m.Text
			if m.Repaired {
				text += "; --repair writes it so"
			}
			c.todo.hand(travis.Place{File: name, Line: m.Line}, "%s", text)
		}
	}
}

// leaveRest keeps the keys that nobody understood as comments.
func (c *converter) leaveRest(s *travis.Section, where string) {
	for _, key := range s.Rest() {
		if key.Node.Anchored() {
			// It is there for the aliases that name it.
			continue
		}
		c.leave(key, where, unknownKey(key.Name))
	}
}

// leave keeps one key as a comment, and lists it.
func (c *converter) leave(key *travis.Key, where, why string) {
	c.comments = append(c.comments, fmt.Sprintf("\nNot converted, %s%s:\n%s", where, key.Place, indent(strings.TrimRight(key.Show(), "\n"))))
	c.todo.hand(key.Place, "%s: %s; it stays as a comment", key.Name, why)
}

func indent(text string) string {
	return "  " + strings.ReplaceAll(text, "\n", "\n  ")
}

// unknownKey says what to do about a key of Travis's.
func unknownKey(name string) string {
	switch name {
	case "notifications":
		return "GitHub mails the author of a failed run; for Slack and others add a step with if: failure()"
	case "matrix":
		return "jobs is there too: move what it has into jobs"
	case "import":
		return "the imported file is not read; give it to travois-migrate as one more FILE"
	case "addons":
		return "this addon has no counterpart"
	case "git":
		return "set it in the step that checks out"
	case "osx_image", "xcode_project", "xcode_scheme", "xcode_workspace", "podfile":
		return "choose Xcode with xcode-select in a step"
	}
	return "no counterpart is known"
}
