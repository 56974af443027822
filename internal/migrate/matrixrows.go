package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

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
		value := inert(node.Text().Value)
		switch {
		case name == "name":
		case name == "os":
			if runners[value] == "" {
				return nil, false
			}
			if value == "linux" {
				row.Set("os", u.matrix.linux)
				break
			}
			row.Set("os", runners[value])
		case name == "dist":
			u.rowDist(row, node)
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

// rowDist is the runner that a row's dist asks for.
func (u *unit) rowDist(row *workflow.Map, node travis.Node) {
	value := node.Text().Value
	switch runner := dists[value]; {
	case runner != "" && row.Get("os") == nil:
		row.Set("os", runner)
	case runner == "":
		u.c.todo.tell(node.Place(), "dist: %s is gone; the job runs on ubuntu-latest", value)
	}
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
