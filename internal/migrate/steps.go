package migrate

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

// hostSteps are steps for lines on the runner: one for each, unless a line
// needs what an earlier one left in the shell.
func (u *unit) hostSteps(readings []*reading, raw bool) []*workflow.Map {
	var kept []*line
	for _, r := range readings {
		if r.moved || r.kind == dockerLine && !raw {
			continue
		}
		kept = append(kept, r.line)
	}
	if !raw {
		kept = u.withoutIdle(readings, kept)
	}
	return u.split(kept)
}

// withoutIdle leaves out lines that prepare a shell which then runs nothing.
func (u *unit) withoutIdle(readings []*reading, kept []*line) []*line {
	state := map[*line]bool{}
	for _, r := range readings {
		state[r.line] = r.kind == stateLine
	}
	for len(kept) > 0 && state[kept[len(kept)-1]] {
		l := kept[len(kept)-1]
		if len(u.neededAfter([]*line{l})) > 0 {
			break
		}
		u.c.todo.tell(l.text.Place, "%s: nothing on the runner comes after it, so it is left out", firstLine(l.text.Value))
		kept = kept[:len(kept)-1]
	}
	return kept
}

// envSteps set the variables of env that only a shell can work out.
func (u *unit) envSteps() []*workflow.Map {
	var steps []*workflow.Map
	for _, v := range slices.Concat(u.c.shellEnv, u.shellEnv) {
		text := "echo " + v.Name + "=" + source(v.Word) + ` >> "$GITHUB_ENV"`
		steps = append(steps, u.runStep([]*line{parseLine("before_install", travis.Text{Value: text, Place: v.Place})}))
	}
	return steps
}

// firstLine is a line of shell as the list names it.
func firstLine(text string) string {
	first, rest, _ := strings.Cut(strings.TrimSpace(travis.WithoutSecrets(text)), "\n")
	if rest != "" {
		return first + " …"
	}
	return first
}

func (u *unit) split(lines []*line) []*workflow.Map {
	shared := slices.IndexFunc(lines, func(l *line) bool { return changesShell(l.file) })
	var steps []*workflow.Map
	for i, l := range lines {
		if i == shared {
			return append(steps, u.runStep(lines[i:]))
		}
		steps = append(steps, u.runStep([]*line{l}))
	}
	return steps
}

// neededAfter are the variables that lines set and that later steps use.
func (u *unit) neededAfter(lines []*line) []string {
	var names []string
	at := slices.Index(u.follows, lines[len(lines)-1])
	if at < 0 {
		return nil
	}
	for _, later := range u.follows[at+1:] {
		if later.file == nil {
			continue
		}
		used := usedVariables(later.file)
		for _, l := range lines {
			for _, name := range assigned(l.file) {
				if name == "PATH" || slices.Contains(used, name) {
					names = append(names, name)
				}
			}
		}
	}
	return unique(names)
}

// runStep is one step that runs lines.
func (u *unit) runStep(lines []*line) *workflow.Map {
	u.c.hosts = true
	env, known := new(workflow.Map), map[string]bool{}
	var texts []string
	retries := false
	for _, l := range lines {
		text, secrets, retry := modern(l)
		retries = retries || retry
		texts = append(texts, inert(strings.TrimRight(text, "\n")))
		if l.file == nil {
			u.c.todo.hand(l.text.Place, "%s: this is no valid shell; look at the step", firstLine(l.text.Value))
			continue
		}
		u.missingTools(l)
		u.unreadScript(l)
		u.stepEnv(l, env, known)
		for _, name := range secrets {
			env.Set(name, "${{ "+u.c.todo.secret(strings.ToUpper(name), inPlainText, l.text.Place)+" }}")
		}
		for _, name := range assigned(l.file) {
			known[name] = true
		}
	}
	if retries {
		texts = append([]string{retryFunction}, texts...)
	}
	if len(lines) > 1 && afterTests[lines[0].phase] && !slices.ContainsFunc(lines, mentionsDocker) {
		// Travis took no notice of failures there, and ran all lines.
		texts = append([]string{"set +e"}, texts...)
	}
	for _, name := range u.neededAfter(lines) {
		texts = append(texts, `echo "`+name+`=$`+name+`" >> "$GITHUB_ENV"`)
	}
	step := new(workflow.Map)
	step.SetText("working-directory", strings.TrimPrefix(lines[0].dir, "./"))
	if lines[0].lost {
		u.c.todo.hand(lines[0].text.Place, "%s: the folder in which it ran is only known to a shell: set working-directory", firstLine(lines[0].text.Value))
	}
	step.SetText("run", strings.Join(texts, "\n"))
	step.SetMap("env", env)
	return step
}

// missingTools lists commands that Travis's machines had and GitHub's have not.
func (u *unit) missingTools(l *line) {
	syntax.Walk(l.file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		switch name := unwrapped(call).Args[0].Lit(); name {
		case "docker":
			u.composeNames(l, unwrapped(call))
		case "exit", "travis_terminate":
			if args := unwrapped(call).Args; len(args) < 2 || args[1].Lit() == "0" {
				u.c.todo.hand(l.text.Place, "%s: %s ended the whole build as passed; here it ends the step, and the steps and jobs after it run", firstLine(l.text.Value), name)
			}
		case "redis-cli", "mongo", "phpenv", "rvm", "nvm", "pyenv", "gimme", "jdk_switcher", "install-jdk.sh", "travis", "travis_fold", "perlbrew", "kerl":
			u.c.todo.hand(l.text.Place, "%s: GitHub's runners have no %s: take the line out, or let a setup step do it", firstLine(l.text.Value), name)
		}
		return true
	})
}

// composeName is what Compose 1 called a container: project_service_1.
var composeName = regexp.MustCompile(`^[\w.-]+_[\w.-]+_\d+(:|$)`)

// composeNames lists containers that Compose calls otherwise now.
func (u *unit) composeNames(l *line, call *syntax.CallExpr) {
	for _, w := range call.Args[1:] {
		if name := composeName.FindString(w.Lit()); name != "" {
			u.c.todo.hand(l.text.Place, "%s: Compose 1 made this container's name, and Compose 2 writes %s", firstLine(l.text.Value), strings.ReplaceAll(strings.TrimSuffix(name, ":"), "_", "-"))
		}
	}
}

// unreadScript lists scripts after the tests: what they do is not in the file.
func (u *unit) unreadScript(l *line) {
	if slices.Contains(testPhases, l.phase) {
		return
	}
	syntax.Walk(l.file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		for _, w := range unwrapped(call).Args[:min(2, len(unwrapped(call).Args))] {
			if name := w.Lit(); strings.HasSuffix(name, ".sh") && !strings.Contains(name, "://") {
				u.c.todo.hand(l.text.Place, "%s is not read: give its step the secrets that it needs in env, and where it builds, pushes or deploys images let build-push and eb-deploy do that", name)
			}
		}
		return true
	})
}

// stepEnv gives a step the variables that Travis gave it.
func (u *unit) stepEnv(l *line, env *workflow.Map, known map[string]bool) {
	for _, name := range append(usedVariables(l.file), u.readByScripts(l)...) {
		if known[name] || !settable(name) || name == "PWD" || u.env.Get(name) != nil || u.isGlobal(name) {
			continue
		}
		if u.assignsItself(name) {
			continue
		}
		if _, ok := u.scope.values[name]; ok && name != u.lang.variable {
			continue
		}
		switch expr, ok := travisVariables[name]; {
		case name == "TRAVIS_OS_NAME":
			env.Set(name, "${{ runner.os == 'macOS' && 'osx' || runner.os == 'Windows' && 'windows' || 'linux' }}")
		case ok:
			env.Set(name, "${{ "+expr+" }}")
		case name == u.lang.variable && u.version != "":
			env.Set(name, u.version)
		case strings.HasPrefix(name, "TRAVIS_"):
			u.c.todo.hand(l.text.Place, "$%s has no counterpart", name)
		default:
			env.Set(name, "${{ "+u.c.todo.need(name, l.text.Place)+" }}")
		}
	}
}

func (u *unit) isGlobal(name string) bool {
	for _, v := range u.c.global {
		if v.Name == name {
			return true
		}
	}
	return false
}

// assignsItself tells whether the job's own lines set a variable.
func (u *unit) assignsItself(name string) bool {
	for _, l := range u.lines {
		if l.file != nil && slices.Contains(assigned(l.file), name) {
			return true
		}
	}
	return false
}

// number is a text that is written without quotes where it is a number.
func number(text string) any {
	if _, err := strconv.Atoi(text); err == nil {
		return workflow.Raw(text)
	}
	return text
}

var (
	// asksOrigin are lines that need the credentials of the checkout.
	asksOrigin = regexp.MustCompile(`\bgit\s+(push|fetch|pull|submodule|ls-remote)\b`)
	// readsHistory are lines that look at more than the commit that is built.
	readsHistory = regexp.MustCompile(`\bgit\s+(describe|log|diff|rev-list|merge-base|tag|shortlog|blame|whatchanged)\b|TRAVIS_COMMIT_RANGE|semantic-release|\blerna\b`)
	unshallow    = regexp.MustCompile(`--unshallow\b`)
)

func (u *unit) checkout() *workflow.Map {
	step := new(workflow.Map).Set("uses", workflow.Raw(checkoutAction))
	with := new(workflow.Map)
	says := func(pattern *regexp.Regexp) bool {
		return slices.ContainsFunc(u.lines, func(l *line) bool { return pattern.MatchString(l.text.Value) })
	}
	if u.c.exists(".gitmodules") && !u.noSubmodules {
		with.Set("submodules", "recursive")
	}
	switch {
	case u.depth != "":
		with.Set("fetch-depth", number(u.depth))
	case says(readsHistory) && !says(unshallow):
		with.Comment("Travis fetched 50 commits and their tags.").Set("fetch-depth", workflow.Raw("0"))
	}
	if !says(asksOrigin) {
		with.Set("persist-credentials", workflow.Raw("false"))
	}
	return step.SetMap("with", with)
}
