package migrate

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// kind is what becomes of a line.
type kind int

const (
	// hostLine runs on the runner as it stands.
	hostLine kind = iota
	// stateLine only sets variables or the folder, or waits.
	stateLine
	// dockerLine is made of docker commands that were read.
	dockerLine
	// opaqueLine has docker commands that could not be read.
	opaqueLine
)

// reading is a line that was looked into.
type reading struct {
	*line
	kind    kind
	dockers []*docker
	// reason says why an opaque line could not be read.
	reason string
	// moved tells that build-push does what a line among tests does.
	moved bool
}

// fillers are commands without an effect on images and containers.
var fillers = map[string]bool{"echo": true, "printf": true, "true": true, ":": true, "sleep": true, "cd": true, "pwd": true, "set": true, "date": true}

// reader looks into the lines of a unit in order, as one shell ran them.
type reader struct {
	scope *scope
	// dir is the folder, from the workspace; lost tells that only a shell
	// knows it.
	dir  string
	lost bool
}

func (r *reader) read(l *line) *reading {
	out := &reading{line: l}
	l.dir, l.lost = r.dir, r.lost
	if l.commands == nil {
		if l.file != nil {
			r.forget(l.file)
		}
		if mentionsDocker(l) {
			out.kind, out.reason = opaqueLine, "it is more than a row of commands"
		}
		return out
	}
	host := false
	out.kind = stateLine
	for _, c := range l.commands {
		d, err := r.command(c)
		switch {
		case err != nil:
			out.reason = err.Error()
		case d != nil:
			out.dockers = append(out.dockers, d)
		case !fillers[c.name()] && c.name() != "":
			host = true
		}
	}
	switch {
	case out.reason != "" || host && len(out.dockers) > 0:
		out.kind = opaqueLine
		if out.reason == "" {
			out.reason = "docker and other commands are mixed in one line"
		}
	case len(out.dockers) > 0:
		out.kind = dockerLine
	case nestsDocker(l):
		out.kind, out.reason = opaqueLine, "docker is within another command"
	case host:
		out.kind = hostLine
	}
	return out
}

// command is a docker command, read; nil for another one.
func (r *reader) command(c *command) (*docker, error) {
	if len(c.call.Args) == 0 {
		for _, a := range c.call.Assigns {
			r.assign(c, a)
		}
		return nil, nil
	}
	if login := ecrLogin(c); login {
		return &docker{command: c, verb: "login", flags: []flagValue{{name: "ecr"}}, dir: r.dir}, nil
	}
	if c.name() == "cd" {
		r.chdir(c)
		return nil, nil
	}
	d, err := parseDocker(r.scope, c, r.dir)
	if err == nil && d != nil && r.lost && slices.Contains([]string{"build", "run", "compose"}, d.verb) {
		err = fmt.Errorf("the folder in which docker %s runs is only known to a shell", d.verb)
	}
	return d, err
}

// chdir follows cd where its folder is one of the workspace.
func (r *reader) chdir(c *command) {
	r.lost = r.lost || len(c.conds) > 0 || len(c.call.Args) < 2
	if r.lost && len(c.call.Args) < 2 {
		return
	}
	a, err := r.scope.word(c.call.Args[1], c.place)
	if len(a) > 0 && a[0].name == "TRAVIS_BUILD_DIR" {
		text, ok := a[1:].lit()
		r.dir, r.lost = within(strings.TrimPrefix(text, "/"), ""), !ok
		return
	}
	text, ok := a.lit()
	if err != nil || !ok || strings.HasPrefix(text, "/") || strings.HasPrefix(text, "~") || text == "-" {
		r.lost = true
		return
	}
	r.dir = within(text, r.dir)
}

// within is a folder seen from another one, empty for the workspace itself.
func within(path, dir string) string {
	if joined := (&docker{dir: dir}).inWorkspace(path); joined != "." {
		return joined
	}
	return ""
}

// usualTag is what a script works out as latest on the default branch and the
// branch elsewhere: build-push's default.
const usualTag = "\x00usual"

func (r *reader) assign(c *command, a *syntax.Assign) {
	if a.Name == nil || a.Naked {
		return
	}
	name := a.Name.Value
	value, err := r.scope.word(a.Value, c.place)
	switch {
	case err == nil && !a.Append && a.Array == nil && len(c.conds) == 0:
		r.scope.values[name] = r.scope.hide(name, value, c.place)
		delete(r.scope.unknown, name)
	case a.Value != nil && strings.Contains(source(a.Value), "TRAVIS_BRANCH") && strings.Contains(source(a.Value), "latest"):
		r.scope.values[name] = literal(usualTag)
	default:
		delete(r.scope.values, name)
		r.scope.unknown[name] = true
	}
}

// forget marks what an unread line sets as known to the shell only.
func (r *reader) forget(file *syntax.File) {
	for _, name := range assigned(file) {
		delete(r.scope.values, name)
		r.scope.unknown[name] = true
	}
}

// ecrLogin knows the ways to log in to ECR with the AWS command line.
func ecrLogin(c *command) bool {
	text := source(c.call)
	if c.input != nil {
		text = source(c.input) + " | " + text
	}
	return strings.Contains(text, "aws ecr get-login")
}

// needImages are docker's other commands that look for an image or a container
// of the lines before them.
var needImages = []string{"create", "save", "export", "cp", "exec", "logs", "inspect", "history", "wait", "port", "commit"}

// nestsDocker tells whether a line whose commands are others uses images in a
// pipe or a substitution.
func nestsDocker(l *line) bool {
	found := false
	syntax.Walk(l.file, func(node syntax.Node) bool {
		if call, ok := node.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			var words []string
			for _, w := range unwrapped(call).Args {
				words = append(words, w.Lit())
			}
			verb, _ := dockerVerb(words)
			found = found || verb != "" && verb != "login" && (verb != "other" || slices.Contains(needImages, words[1]))
		}
		return true
	})
	return found
}

func mentionsDocker(l *line) bool {
	found := false
	if l.file == nil {
		return strings.Contains(l.text.Value, "docker")
	}
	syntax.Walk(l.file, func(node syntax.Node) bool {
		if call, ok := node.(*syntax.CallExpr); ok && len(call.Args) > 0 {
			call = unwrapped(call)
			name := call.Args[0].Lit()
			found = found || name == "docker" || name == "docker-compose"
		}
		return true
	})
	return found
}

// imagePhases are those in which images are built for pushing.
var imagePhases = map[string]bool{"after_success": true, "before_deploy": true, "deploy": true, "after_deploy": true}

// afterTests are the phases whose failures Travis took no notice of.
var afterTests = map[string]bool{"after_success": true, "after_failure": true, "after_script": true}

// testPhases are those whose failure fails the job.
var testPhases = []string{"before_install", "install", "before_script", "script", "before_cache"}
