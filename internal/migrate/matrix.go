package migrate

import (
	"fmt"
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
	env              *workflow.Map
}

func (m *matrix) size() int { return m.axes.Len() + len(m.include) }

// readMatrix takes versions, env and os. One value needs no matrix.
func (u *unit) readMatrix() *matrix {
	m := &matrix{axes: new(workflow.Map), env: u.env, runsOn: "ubuntu-latest"}
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
		value := text.Value
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
	u.version = "${{ matrix." + key + " }}"
	u.scope.values[u.lang.variable] = arg{{name: u.lang.variable, expr: "matrix." + key}}
}

// oldVersion warns of versions that GitHub's runners can't install.
func (u *unit) oldVersion(key string, text travis.Text) {
	if key == "python" && slices.Contains([]string{"2.6", "2.7", "3.2", "3.3", "3.4", "3.5", "3.6", "3.7"}, text.Value) {
		u.c.todo.hand(text.Place, "Python %s is not to be had on ubuntu-latest: drop it, or run these tests in a container", text.Value)
	}
}

// otherVersion is an axis that no setup step takes: it becomes a variable.
func (u *unit) otherVersion(m *matrix, key string, texts []travis.Text) {
	variables := map[string]string{"gemfile": "BUNDLE_GEMFILE", "compiler": "CC"}
	variable := variables[key]
	if variable == "" {
		u.section.GiveBack(key)
		return
	}
	var values workflow.Flow
	for _, text := range texts {
		values = append(values, text.Value)
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
			u.env.Set(v.Name, u.c.value(u.scope, v).String())
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
				u.env.Set(v.Name, u.c.value(u.scope, v).String())
			}
		}
	case len(env.Jobs) > 1:
		u.envRows(m, env.Jobs)
	}
}

func (u *unit) envRows(m *matrix, rows [][]travis.Var) {
	if name := sameName(rows); name != "" {
		var values workflow.Flow
		for _, row := range rows {
			values = append(values, u.rowValue(row[0]))
		}
		m.axes.Set(axisName(name), values)
		u.env.Set(name, "${{ matrix."+axisName(name)+" }}")
		u.scope.values[name] = arg{{name: name, expr: "matrix." + axisName(name)}}
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
}

func axisName(variable string) string { return variable }

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

// rowValue is a value in a matrix, where no secret can be.
func (u *unit) rowValue(v travis.Var) string {
	a := u.c.value(newScope(u.c.todo), v)
	if text, ok := a.lit(); ok {
		return text
	}
	u.c.todo.hand(v.Place, "env %s: a matrix can't hold %s; set it in env of the step that needs it", v.Name, a)
	return ""
}

var runners = map[string]string{"linux": "ubuntu-latest", "osx": "macos-latest", "macos": "macos-latest", "windows": "windows-latest", "linux-ppc64le": "", "freebsd": ""}

// dists are Ubuntu's releases that GitHub still has.
var dists = map[string]string{"jammy": "ubuntu-22.04", "noble": "ubuntu-24.04"}

func (u *unit) osAxis(m *matrix) {
	dist := u.section.TakeText("dist")
	if runner := dists[dist.Value]; runner != "" {
		m.runsOn = runner
	} else if dist.Value != "" {
		u.c.todo.tell(dist.Place, "dist: %s is gone; the job runs on ubuntu-latest", dist.Value)
	}
	u.arch(m)
	node, _ := u.section.Take("os")
	var values workflow.Flow
	texts := node.Texts()
	if u.single && len(texts) > 1 {
		texts = texts[:1]
	}
	for _, text := range texts {
		runner := runners[text.Value]
		if runner == "" {
			u.c.todo.hand(text.Place, "os: %s: GitHub has no such runner", text.Value)
			continue
		}
		if runner == "ubuntu-latest" && dists[dist.Value] != "" {
			runner = dists[dist.Value]
		}
		values = append(values, runner)
	}
	switch len(values) {
	case 0:
	case 1:
		m.runsOn = values[0]
	default:
		m.axes.Set("os", values)
		m.runsOn = "${{ matrix.os }}"
	}
}

func (u *unit) arch(m *matrix) {
	node, ok := u.section.Take("arch")
	if !ok {
		return
	}
	var values workflow.Flow
	for _, text := range node.Texts() {
		switch text.Value {
		case "amd64", "x86_64":
			values = append(values, "ubuntu-latest")
		case "arm64", "arm64-graviton2":
			values = append(values, "ubuntu-24.04-arm")
		default:
			u.c.todo.hand(text.Place, "arch: %s: GitHub has no such runner", text.Value)
		}
	}
	if len(values) == 1 {
		m.runsOn = values[0]
	}
	if len(values) > 1 {
		m.axes.Set("runner", values)
		m.runsOn = "${{ matrix.runner }}"
	}
}

// strategy is the job's strategy, nil without a matrix. Travis let all jobs of
// a matrix run to their end.
func (m *matrix) strategy() *workflow.Map {
	if m.size() == 0 {
		return nil
	}
	inner := new(workflow.Map)
	for _, key := range m.axes.Keys() {
		inner.Set(key, m.axes.Get(key))
	}
	if len(m.include) > 0 {
		inner.Set("include", m.include)
	}
	if len(m.exclude) > 0 {
		inner.Set("exclude", m.exclude)
	}
	return new(workflow.Map).Set("fail-fast", workflow.Raw("false")).Set("matrix", inner)
}

// row is an entry of include, exclude or allow_failures as a row of the
// matrix. ok is false when it has a key that is no axis.
func (u *unit) row(section *travis.Section) (row *workflow.Map, ok bool) {
	row = new(workflow.Map)
	for _, name := range section.Names() {
		node, _ := section.Take(name)
		value := node.Text().Value
		switch {
		case name == "name":
		case name == "os":
			row.Set("os", runners[value])
		case name == "dist":
		case name == "env":
			if !u.envRow(row, node) {
				return nil, false
			}
		case name == u.lang.key || name == "ruby" && u.lang.key == "rvm":
			if u.lang.translate != nil {
				value = u.lang.translate(value)
			}
			row.Set(name, value)
		case slices.Contains(expandKeys, name):
			row.Set(name, value)
		default:
			return nil, false
		}
	}
	return row, true
}

func (u *unit) envRow(row *workflow.Map, node travis.Node) bool {
	env := travis.ReadEnv(node)
	vars := env.Global
	if len(env.Jobs) == 1 {
		vars = env.Jobs[0]
	}
	if len(env.Jobs) > 1 || len(vars) == 0 {
		return false
	}
	if len(vars) == 1 && vars[0].Name != "" && u.matrix.axes.Get(vars[0].Name) != nil {
		row.Set(vars[0].Name, u.rowValue(vars[0]))
		return true
	}
	entry := new(workflow.Map)
	for _, v := range vars {
		if v.Name == "" {
			return false
		}
		entry.Set(v.Name, u.rowValue(v))
	}
	row.Set("env", entry)
	return true
}

// rowCondition tells a row of the matrix from the others.
func rowCondition(row *workflow.Map) string {
	var terms []string
	for _, key := range row.Keys() {
		switch v := row.Get(key).(type) {
		case string:
			terms = append(terms, equals("matrix."+key, v))
		case *workflow.Map:
			for _, inner := range v.Keys() {
				terms = append(terms, equals(fmt.Sprintf("matrix.%s.%s", key, inner), v.Get(inner).(string)))
			}
		}
	}
	return strings.Join(terms, " && ")
}
