package migrate

import (
	"slices"

	"github.com/guk0/travois/internal/workflow"
)

// complete gives a row of include the first value of each axis that it does
// not name, as Travis did; an env of its own takes the place of env's axis.
func (m *matrix) complete(row *workflow.Map) {
	for _, axis := range m.axes.Keys() {
		if row.Get(axis) != nil || axis == m.envAxis && row.Get("env") != nil {
			continue
		}
		row.Set(axis, axisValues(m.axes.Get(axis))[0])
	}
}

func axisValues(axis any) []any {
	var values []any
	switch axis := axis.(type) {
	case workflow.Flow:
		for _, text := range axis {
			values = append(values, text)
		}
	case workflow.Seq:
		values = axis
	}
	return values
}

// writeOut makes a matrix a list of jobs where GitHub would take a row of
// include for more about jobs that the axes make, in place of one job more:
// it does so for a row that changes no value of an axis.
func (m *matrix) writeOut() {
	combinations := m.combinations()
	if !slices.ContainsFunc(m.include, func(row any) bool {
		return slices.ContainsFunc(combinations, func(c *workflow.Map) bool { return m.extends(row.(*workflow.Map), c) })
	}) {
		return
	}
	var rows workflow.Seq
	for _, c := range combinations {
		rows = append(rows, c)
	}
	m.include = append(rows, m.include...)
	m.axes, m.exclude = new(workflow.Map), nil
}

// combinations are the jobs that the axes make.
func (m *matrix) combinations() []*workflow.Map {
	if m.axes.Len() == 0 {
		return nil
	}
	out := []*workflow.Map{new(workflow.Map)}
	for _, axis := range m.axes.Keys() {
		var next []*workflow.Map
		for _, c := range out {
			for _, value := range axisValues(m.axes.Get(axis)) {
				next = append(next, new(workflow.Map).Join(c).Set(axis, value))
			}
		}
		out = next
	}
	return slices.DeleteFunc(out, func(c *workflow.Map) bool {
		return slices.ContainsFunc(m.exclude, func(row any) bool { return contains(c, row.(*workflow.Map)) })
	})
}

// extends tells whether a row changes no value that a combination has.
func (m *matrix) extends(row, combination *workflow.Map) bool {
	for _, axis := range m.axes.Keys() {
		if value := row.Get(axis); value != nil && !sameValue(combination.Get(axis), value) {
			return false
		}
	}
	return true
}

// contains tells whether a combination has all values of a row.
func contains(combination, row *workflow.Map) bool {
	for _, key := range row.Keys() {
		if !sameValue(combination.Get(key), row.Get(key)) {
			return false
		}
	}
	return true
}

func sameValue(a, b any) bool {
	x, isMap := a.(*workflow.Map)
	y, areMaps := b.(*workflow.Map)
	if isMap && areMaps {
		return x.String() == y.String()
	}
	return a == b
}
