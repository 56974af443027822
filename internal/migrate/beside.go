package migrate

import (
	"slices"
	"strings"

	"github.com/guk0/travois/internal/workflow"
)

// onRunner are the lines that run on the runner.
func onRunner(readings []*reading) []*line {
	var lines []*line
	for _, r := range readings {
		if r.kind == hostLine || r.kind == opaqueLine {
			lines = append(lines, r.line)
		}
	}
	return lines
}

// envBeside is the env of a job beside that of the tests: what its lines see of
// the variables that the file gives.
func (p *pipeline) envBeside(lines []*line) *workflow.Map {
	env := new(workflow.Map)
	for _, l := range lines {
		for _, name := range usedVariables(l.fileOrNone()) {
			value, _ := p.env.Get(name).(string)
			switch {
			case p.env.Get(name) != nil:
				env.Set(name, value)
			case p.setBefore(name, lines):
				p.c.todo.hand(l.text.Place, "%s: $%s is set by a line of another job: set it here too", firstLine(l.text.Value), name)
			}
		}
	}
	return env
}

// setBefore tells whether a line outside of a job sets a variable.
func (p *pipeline) setBefore(name string, job []*line) bool {
	sets := func(l *line) bool { return slices.Contains(assigned(l.file), name) }
	return !slices.ContainsFunc(job, sets) && slices.ContainsFunc(p.follows, sets)
}

// everywhere are commands that need no language.
var everywhere = []string{"curl", "wget", "echo", "printf", "zip", "unzip", "tar", "git", "aws", "sed", "cp", "mv", "rm", "mkdir", "cat", "test", "[", "export", "cd"}

func needsTools(l *line) bool {
	return l.commands == nil || slices.ContainsFunc(l.commands, func(c *command) bool { return c.name() != "" && !slices.Contains(everywhere, c.name()) })
}

// toolsBeside are the steps that give a job beside that of the tests the tools
// of the language, in the first version of several.
func (p *pipeline) toolsBeside(lines []*line) []*workflow.Map {
	if len(lines) == 0 {
		return nil
	}
	steps := p.envSteps()
	if p.lang.setup == nil || !slices.ContainsFunc(lines, needsTools) {
		return steps
	}
	version := p.version
	if strings.Contains(version, "${{") {
		version = p.firstVersion
	}
	return append(steps, p.lang.setup(version, p.c)...)
}

// loginsFor are the docker logins of the tests as steps, for lines that run a
// script: it may push, and on the runner nobody is logged in where actions/test
// and build-push log in by themselves.
func (p *pipeline) loginsFor(readings []*reading) []*workflow.Map {
	if p.rawTests || !slices.ContainsFunc(onRunner(readings), needsTools) {
		return nil
	}
	var lines []*line
	for _, r := range p.ofPhases(testPhases...) {
		other := slices.ContainsFunc(r.dockers, func(d *docker) bool { return d.verb != "login" || len(d.conds) > 0 || d.has("ecr") })
		if r.kind == dockerLine && !other {
			lines = append(lines, r.line)
		}
	}
	return p.split(lines)
}
