package migrate

import (
	"slices"
	"strings"

	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

// unit is one job of Travis's, or the matrix of jobs that differ in versions
// and variables.
type unit struct {
	c       *converter
	section *travis.Section
	// name is for people, stage and cond as in the file.
	name, stage string
	cond        []string
	scope       *scope
	lines       []*line
	given       map[string]bool

	langName string
	lang     language
	version  string
	// firstVersion is the first of several.
	firstVersion string
	matrix       *matrix
	wanted       []wantedService
	setup        []*workflow.Map
	// onLinux are those of setup that other systems leave out.
	onLinux []*workflow.Map
	deploys []*deployment
	// foreign are those by providers that have no counterpart here.
	foreign []*deployment
	env     *workflow.Map
	// cacheWith are the inputs of the step that keeps a cache.
	cacheWith *workflow.Map
	// depth is what is checked out of the history; submodules tells that
	// those are wanted.
	depth        string
	noSubmodules bool
	allowFailure string
	// single takes the first of each list: the unit is one job.
	single bool
	// shellEnv are variables of env that only a shell can work out.
	shellEnv []travis.Var
	// follows are all lines that become steps on the runner.
	follows []*line
}

// expandKeys are the keys whose lists make a matrix, beside env and os.
var expandKeys = []string{"node_js", "python", "rvm", "ruby", "go", "jdk", "php", "rust", "elixir", "otp_release", "scala", "dotnet", "mono", "dart",
	"compiler", "gemfile", "perl", "ghc", "haxe", "julia", "r", "smalltalk", "crystal", "d", "erlang", "hhvm", "lein"}

func (c *converter) newUnit(section *travis.Section, single bool) *unit {
	u := &unit{c: c, section: section, single: single, scope: newScope(c.todo), given: map[string]bool{}, env: new(workflow.Map)}
	for _, v := range c.global {
		if v.Name != "" {
			_, _ = c.value(u.scope, v)
		}
	}
	u.name = inert(section.TakeText("name").Value)
	u.language()
	u.matrix = u.readMatrix()
	u.readIf()
	if section != c.root {
		if n, ok := section.Take("allow_failure"); ok && n.True() {
			u.allowFailure = "true"
		}
	}
	u.git()
	u.addons()
	u.readServices()
	u.cache()
	u.readPhases()
	u.deploys = u.readDeploys()
	return u
}

func (u *unit) readIf() {
	if u.section == u.c.root {
		return
	}
	text := u.section.TakeText("if")
	if text.Value == "" {
		return
	}
	expr, err := travisCondition(text.Value, u.envValue)
	if err != nil {
		u.c.todo.hand(text.Place, "if: %s: %s; the job never runs until you write it in the place of: %s", text.Value, err, never)
		u.c.comments = append(u.c.comments, "\nNot converted, "+text.Place.String()+":\n  if: "+text.Value)
		expr = never
	}
	u.cond = append(u.cond, expr)
}

// envValue is a variable of the file as an operand of a job's condition.
func (u *unit) envValue(name string) (string, bool) {
	value, ok := u.scope.values[name]
	if !ok {
		return u.c.settingsValue(name)
	}
	text, plain := value.lit()
	return quote(text), plain
}

// settingsOrGlobal is a variable as an operand of a stage's or the file's
// condition.
func (c *converter) settingsOrGlobal(name string) (string, bool) {
	for _, v := range c.global {
		if text, plain := plainText(v.Word); v.Name == name {
			return quote(text), plain && !v.Secure
		}
	}
	return c.settingsValue(name)
}

// settingsValue is a variable that only Travis's settings can have. A condition
// can't look at a secret.
func (c *converter) settingsValue(name string) (string, bool) {
	if !settable(name) || secretName.MatchString(name) || c.todo.passwords[name] {
		return "", false
	}
	return c.todo.need(name, c.root.Place), true
}

func (u *unit) language() {
	text := u.section.TakeText("language")
	name := strings.ToLower(text.Value)
	if other, ok := aliases[name]; ok {
		name = other
	}
	if text.Value == "" {
		name = u.impliedLanguage()
	}
	u.langName = name
	if name == "" {
		return
	}
	lang, ok := languages[name]
	if !ok {
		u.c.todo.hand(text.Place, "language: %s: no setup step is known; what Travis did by itself for it has to be written out", name)
		return
	}
	u.lang = lang
}

// impliedLanguage is the one whose versions are given, where the file names
// none. Travis took Ruby then, which nobody means.
func (u *unit) impliedLanguage() string {
	for _, name := range []string{"node_js", "python", "ruby", "go", "php", "rust"} {
		if u.section.Has(languages[name].key) {
			return name
		}
	}
	return ""
}

func (u *unit) readServices() {
	node, ok := u.section.Take("services")
	if !ok {
		return
	}
	for _, text := range node.Texts() {
		switch strings.ToLower(text.Value) {
		case "docker":
		case "xvfb":
			u.linuxOnly(new(workflow.Map).Set("run", "Xvfb :99 -screen 0 1280x1024x24 &\necho \"DISPLAY=:99\" >> \"$GITHUB_ENV\"\n"))
		default:
			u.want(text, "")
		}
	}
}

// want adds a service; addons may have named its version before.
func (u *unit) want(name travis.Text, version string) {
	full, _, _ := knownBacking(name.Value)
	if full == "mysql" && slices.ContainsFunc(u.wanted, func(w wantedService) bool { return w.name.Value == "mariadb" }) {
		return
	}
	u.wanted = append(u.wanted, wantedService{name, version})
}

// phases in the order in which Travis ran them.
var phases = []string{"before_install", "install", "before_script", "script", "before_cache", "after_success", "after_failure", "before_deploy", "deploy", "after_deploy", "after_script"}

func (u *unit) readPhases() {
	for _, phase := range phases {
		if phase == "deploy" {
			continue
		}
		node, ok := u.section.Take(phase)
		if !ok {
			continue
		}
		u.given[phase] = true
		for _, text := range u.texts(phase, node) {
			if text.Value == "skip" || text.Value == "true" || text.Value == "false" && phase == "install" {
				continue
			}
			u.lines = append(u.lines, parseLine(phase, text))
		}
	}
}

// texts are the lines of a phase. A list in the list, such as an alias of one,
// counts as its elements; a line that YAML reads as a mapping is none.
func (u *unit) texts(phase string, node travis.Node) []travis.Text {
	var texts []travis.Text
	for _, item := range node.Items() {
		switch {
		case item.IsList():
			texts = append(texts, u.texts(phase, item)...)
		case item.IsMap():
			u.c.leave(&travis.Key{Name: phase, Place: item.Place(), Node: item}, "", "YAML reads this line as a mapping, because of the colon in it: put it in quotes")
		default:
			texts = append(texts, item.Texts()...)
		}
	}
	return texts
}

// defaults are the lines that Travis ran where the file has no install or no
// script.
func (u *unit) defaults(phase string) []*line {
	if u.given[phase] || u.lang.install == nil {
		return nil
	}
	of := u.lang.install
	if phase == "script" {
		of = u.lang.script
	}
	var lines []*line
	for _, text := range of(u.c) {
		if text == "sbt test" && u.version != "" {
			text = "sbt ++$TRAVIS_SCALA_VERSION test"
		}
		lines = append(lines, parseLine(phase, travis.Text{Value: text, Place: u.section.Place}))
	}
	return lines
}

func (u *unit) fields() *fields {
	return &fields{lookup: u.passed, scope: u.scope, place: u.section.Place}
}

// passed is a variable that is handed on by its name alone.
func (u *unit) passed(name string) arg {
	a, err := u.scope.variable(name, u.section.Place)
	if err != nil {
		return literal("")
	}
	return a
}

// git takes what the checkout step knows of.
func (u *unit) git() {
	node, ok := u.section.Take("git")
	if !ok {
		return
	}
	section := node.Section()
	if n, ok := section.Take("depth"); ok {
		u.depth = inert(n.Text().Value)
		if n.False() {
			u.depth = "0"
		}
	}
	if n, ok := section.Take("submodules"); ok {
		u.noSubmodules = n.False()
	}
	section.Take("quiet")
	for _, key := range section.Rest() {
		u.c.leave(key, "git, ", unknownKey("git"))
	}
}
