package migrate

import (
	"slices"
	"strings"

	"github.com/guk0/travois/internal/workflow"
)

var runners = map[string]string{"linux": "ubuntu-latest", "osx": "macos-latest", "macos": "macos-latest", "windows": "windows-latest", "linux-ppc64le": "", "freebsd": ""}

// has tells whether a job runs on a system, by the beginning of its runner.
func (m *matrix) has(system string) bool {
	of := func(runner any) bool {
		name, _ := runner.(string)
		return strings.HasPrefix(name, system)
	}
	return of(m.runsOn) || slices.ContainsFunc(axisValues(m.axes.Get("os")), of) ||
		slices.ContainsFunc(m.include, func(row any) bool { return of(row.(*workflow.Map).Get("os")) })
}

// elsewhere tells whether a job runs on another system than Linux.
func (m *matrix) elsewhere() bool { return m.has("macos") || m.has("windows") }

// dists are Ubuntu's releases that GitHub still has.
var dists = map[string]string{"jammy": "ubuntu-22.04", "noble": "ubuntu-24.04"}

func (u *unit) osAxis(m *matrix) {
	dist := u.section.TakeText("dist")
	if runner := dists[dist.Value]; runner != "" {
		m.runsOn, m.linux = runner, runner
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
		if runner == "ubuntu-latest" {
			runner = m.linux
		}
		values = append(values, runner)
	}
	if m.axes.Get("runner") != nil && slices.ContainsFunc(values, func(r string) bool { return r != m.linux }) {
		u.c.todo.hand(node.Place(), "os and arch: the runners are those of arch on Linux; give the other systems a row of include")
		return
	}
	values = unique(values)
	switch len(values) {
	case 0:
		if slices.Contains([]string{"swift", "objective-c"}, u.langName) {
			m.runsOn = "macos-latest"
		}
	case 1:
		if values[0] != m.linux {
			m.runsOn = values[0]
		}
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
	texts := node.Texts()
	if u.single && len(texts) > 1 {
		texts = texts[:1]
	}
	for _, text := range texts {
		switch text.Value {
		case "amd64", "x86_64":
			values = append(values, m.linux)
		case "arm64", "arm64-graviton2":
			values = append(values, strings.Replace(m.linux, "latest", "24.04", 1)+"-arm")
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
