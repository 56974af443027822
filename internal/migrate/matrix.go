package migrate

import (
	"slices"
	"strings"

	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

// matrix is what makes one unit several jobs.
type matrix struct {
	// axes are GitHub's, in order.
	axes *workflow.Map
	// include and exclude are rows, each a mapping of axes.
	include, exclude workflow.Seq
	runsOn           string
	// envAxis is the axis that env's rows make.
	envAxis string
	// linux is the runner for Linux.
	linux string
	env   *workflow.Map
}

func (m *matrix) size() int { return m.axes.Len() + len(m.include) }

// readMatrix takes versions, env and os. One value needs no matrix.
func (u *unit) readMatrix() *matrix {
	m := &matrix{axes: new(workflow.Map), env: u.env, runsOn: "ubuntu-latest", linux: "ubuntu-latest"}
	u.versions(m)
	u.envAxis(m)
	u.osAxis(m)
	return m
}

func (u *unit) versions(m *matrix) {
	for _, key := range expandKeys {
		node, ok := u.section.Take(key)
		if !ok {
			continue
		}
		texts := node.Texts()
		if u.single && len(texts) > 1 {
			texts = texts[:1]
		}
		ours := key == u.lang.key || key == "ruby" && u.lang.key == "rvm"
		if ours {
			u.ourVersion(m, key, texts)
			continue
		}
		u.otherVersion(m, key, texts)
	}
}

func (u *unit) ourVersion(m *matrix, key string, texts []travis.Text) {
	var values workflow.Flow
	for _, text := range texts {
		value := inert(text.Value)
		if u.lang.translate != nil {
			value = u.lang.translate(value)
		}
		if !slices.Contains(values, value) {
			values = append(values, value)
		}
		u.oldVersion(key, text)
		if slices.Contains([]string{"master", "tip", "nightly", "pypy", "pypy3"}, text.Value) {
			u.c.todo.tell(text.Place, "%s: %s became %s, which the setup step knows", key, text.Value, value)
		}
	}
	switch len(values) {
	case 0:
		return
	case 1:
		u.version = values[0]
		u.scope.values[u.lang.variable] = literal(values[0])
		return
	}
	m.axes.Set(key, values)
	u.firstVersion = values[0]
	u.version = "${{ matrix." + key + " }}"
	u.scope.values[u.lang.variable] = arg{{name: u.lang.variable, expr: "matrix." + key}}
}

// oldVersion warns of versions that GitHub's runners can't install.
func (u *unit) oldVersion(key string, text travis.Text) {
	if key == "python" && slices.Contains([]string{"2.6", "2.7", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7"}, text.Value) {
		u.c.todo.hand(text.Place, "Python %s is not to be had on ubuntu-latest: drop it, or run these tests in a container", text.Value)
	}
}

// axisVariables are Travis's for axes that no setup step takes.
var axisVariables = map[string]string{"gemfile": "BUNDLE_GEMFILE", "compiler": "CC"}

// otherVersion is an axis that no setup step takes: it becomes a variable.
func (u *unit) otherVersion(m *matrix, key string, texts []travis.Text) {
	variable := axisVariables[key]
	if variable == "" {
		u.section.GiveBack(key)
		return
	}
	var values workflow.Flow
	for _, text := range texts {
		values = append(values, inert(text.Value))
	}
	if len(values) == 1 {
		u.env.Set(variable, values[0])
		return
	}
	if len(values) > 1 {
		m.axes.Set(key, values)
		u.env.Set(variable, "${{ matrix."+key+" }}")
	}
}

// envAxis makes an axis of env's rows: of plain values where all rows set the
// one same variable, else of mappings.
func (u *unit) envAxis(m *matrix) {
	node, ok := u.section.Take("env")
	if !ok {
		return
	}
	env := travis.ReadEnv(node)
	if u.single && len(env.Jobs) > 1 {
		env.Jobs = env.Jobs[:1]
	}
	if u.section != u.c.root && node.Place() != u.c.envPlace {
		for _, v := range env.Global {
			if v.Name == "" {
				u.c.todo.anonymous = append(u.c.todo.anonymous, v.Place)
				continue
			}
			u.setEnv(v)
		}
	}
	for _, row := range env.Jobs {
		for _, v := range row {
			if v.Name == "" && !slices.Contains(u.c.todo.anonymous, v.Place) {
				u.c.todo.anonymous = append(u.c.todo.anonymous, v.Place)
			}
		}
	}
	switch {
	case len(env.Jobs) == 1:
		for _, v := range env.Jobs[0] {
			if v.Name != "" {
				u.setEnv(v)
			}
		}
	case len(env.Jobs) > 1:
		u.envRows(m, env.Jobs)
	}
}

// setEnv sets a variable of all jobs of the unit.
func (u *unit) setEnv(v travis.Var) {
	value, err := u.c.value(u.scope, v)
	if err != nil {
		u.shellEnv = append(u.shellEnv, v)
		u.c.todo.tell(v.Place, "env %s: %s, so a step of each job sets it", v.Name, err)
		return
	}
	u.env.Set(v.Name, value.String())
}

func (u *unit) envRows(m *matrix, rows [][]travis.Var) {
	if name := sameName(rows); name != "" {
		var values workflow.Flow
		for _, row := range rows {
			values = append(values, u.rowValue(row[0]))
		}
		m.axes.Set(name, values)
		m.envAxis = name
		u.env.Set(name, "${{ matrix."+name+" }}")
		u.scope.values[name] = arg{{name: name, expr: "matrix." + name}}
		return
	}
	var list workflow.Seq
	for _, row := range rows {
		entry := new(workflow.Map)
		for _, v := range row {
			if v.Name == "" {
				continue
			}
			entry.Set(v.Name, u.rowValue(v))
			u.env.Set(v.Name, "${{ matrix.env."+v.Name+" }}")
			u.scope.values[v.Name] = arg{{name: v.Name, expr: "matrix.env." + v.Name}}
		}
		list = append(list, entry)
	}
	m.axes.Set("env", list)
	m.envAxis = "env"
}

func sameName(rows [][]travis.Var) string {
	name := ""
	for _, row := range rows {
		if len(row) != 1 || row[0].Name == "" || name != "" && row[0].Name != name {
			return ""
		}
		name = row[0].Name
	}
	return name
}

// inStrategy tells whether an expression may stand in a matrix.
func inStrategy(expr string) bool {
	return strings.HasPrefix(expr, "vars.") || strings.HasPrefix(expr, "github.") && expr != "github.workspace"
}

// rowValue is a value in a matrix, where no secret can be.
func (u *unit) rowValue(v travis.Var) string {
	a, err := u.c.value(newScope(u.c.todo), v)
	if err != nil {
		u.c.todo.hand(v.Place, "env %s: %s: set it in env of the step that needs it", v.Name, err)
		return inert(strings.Trim(source(v.Word), `"`))
	}
	if !slices.ContainsFunc(a, func(p part) bool { return p.expr != "" && !inStrategy(p.expr) }) {
		return a.String()
	}
	u.c.todo.hand(v.Place, "env %s: a matrix can't hold %s; set it in env of the step that needs it", v.Name, a)
	if v.Word == nil || strings.Contains(a.String(), "secrets.") {
		return ""
	}
	return inert(strings.Trim(source(v.Word), `"`))
}
