package migrate

import (
	"slices"
	"strings"

	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

// stage are the units that run at the same time.
type stage struct {
	name  string
	cond  []string
	units []*unit
}

// notInherited are keys of the root that are not those of each job.
var notInherited = []string{"jobs", "matrix", "stages", "branches", "notifications", "if", "name", "deploy", "before_deploy", "after_deploy", "import"}

// units are the jobs of the file by stage, in the order in which they run.
func (c *converter) units() []*stage {
	jobs := c.readJobs()
	stages := c.readStages()
	ofStage := func(name string) *stage {
		for _, s := range stages {
			if strings.EqualFold(s.name, name) {
				return s
			}
		}
		s := &stage{name: name}
		stages = append(stages, s)
		return s
	}
	rows, own := c.split(jobs.include)
	c.entries = own
	var base *unit
	if len(own) == 0 || c.hasMatrix() || len(rows) > 0 {
		base = c.newUnit(c.root, len(own) > 0 && !c.hasMatrix())
		s := ofStage("test")
		s.units = append(s.units, base)
	}
	current := "test"
	for _, entry := range own {
		if name := entry.TakeText("stage"); name.Value != "" {
			current = name.Value
		}
		u := c.newUnit(c.root.Over(entry, notInherited...), true)
		u.stage = current
		for i, allowed := range jobs.allowFailures {
			if u.chosenBy(allowed, current) {
				u.allowFailure, jobs.allowedOwn = "true", append(jobs.allowedOwn, i)
			}
		}
		s := ofStage(current)
		s.units = append(s.units, u)
	}
	c.adopt(base, rows, jobs)
	if len(own) > 0 && c.root.Has("deploy") && len(rows) == 0 && !c.hasMatrix() {
		s := ofStage("deploy")
		s.units = append(s.units, c.newUnit(c.root.Only(append([]string{"deploy", "before_deploy", "after_deploy", "language", "env"}, expandKeys...)...), true))
	}
	return slices.DeleteFunc(stages, func(s *stage) bool { return len(s.units) == 0 })
}

// jobKeys is the section jobs.
type jobKeys struct {
	include, exclude, allowFailures []*travis.Section
	// allowedOwn are the allowFailures, by index, that chose jobs of their own.
	allowedOwn []int
}

func (c *converter) readJobs() jobKeys {
	var out jobKeys
	node, ok := c.root.Take("jobs", "matrix")
	if !ok {
		return out
	}
	sections := func(n travis.Node) []*travis.Section {
		var all []*travis.Section
		for _, item := range n.Items() {
			if item.IsMap() {
				all = append(all, item.Section())
			}
		}
		return all
	}
	if !node.IsMap() {
		out.include = sections(node)
		return out
	}
	section := node.Section()
	if n, ok := section.Take("include"); ok {
		out.include = sections(n)
	}
	if n, ok := section.Take("exclude"); ok {
		out.exclude = sections(n)
	}
	if n, ok := section.Take("allow_failures"); ok {
		out.allowFailures = sections(n)
	}
	section.Take("fast_finish")
	c.leaveRest(section, "jobs, ")
	return out
}

func (c *converter) readStages() []*stage {
	node, ok := c.root.Take("stages")
	if !ok {
		return nil
	}
	var out []*stage
	for _, item := range node.Items() {
		if !item.IsMap() {
			out = append(out, &stage{name: item.Text().Value})
			continue
		}
		section := item.Section()
		s := &stage{name: section.TakeText("name").Value}
		if text := section.TakeText("if"); text.Value != "" {
			expr, err := travisCondition(text.Value, c.settingsOrGlobal)
			if err != nil {
				c.todo.hand(text.Place, "if: %s: %s; the stage's jobs never run until you write it in the place of: %s", text.Value, err, never)
				s.cond = []string{never}
				c.comments = append(c.comments, "\nNot converted, stage "+s.name+", "+text.Place.String()+":\n  if: "+text.Value)
			} else {
				s.cond = []string{expr}
			}
		}
		out = append(out, s)
	}
	return out
}

func (c *converter) hasMatrix() bool {
	for _, key := range append([]string{"os", "arch"}, expandKeys...) {
		if c.root.Count(key) > 1 {
			return true
		}
	}
	if node, ok := c.root.Take("env"); ok {
		return len(travis.ReadEnv(node).Jobs) > 1
	}
	return false
}

// rowKeys are those of an entry that only chooses a row of the matrix.
var rowKeys = append([]string{"os", "dist", "env", "name"}, expandKeys...)

// split parts the entries of include that only choose versions and variables
// from those that are jobs of their own.
func (c *converter) split(include []*travis.Section) (rows, own []*travis.Section) {
	staged := slices.ContainsFunc(include, func(s *travis.Section) bool { return s.Has("stage") })
	for _, entry := range include {
		foreign := func(name string) bool { return !slices.Contains(rowKeys, name) }
		if !staged && !slices.ContainsFunc(entry.Names(), foreign) && len(entry.Names()) > 0 && c.root.Has("script") {
			rows = append(rows, entry)
			continue
		}
		own = append(own, entry)
	}
	if len(rows) == 1 && !c.hasMatrix() {
		return nil, include
	}
	return rows, own
}

// chosenBy tells whether an entry of allow_failures is for a job of its own: it
// has all that the entry names.
func (u *unit) chosenBy(entry *travis.Section, stage string) bool {
	for _, name := range entry.Names() {
		want, _ := entry.Look(name)
		have, _ := u.section.Look(name)
		switch name {
		case "stage":
			if !strings.EqualFold(stage, want.Text().Value) {
				return false
			}
		case "env":
			if !hasVariables(have, want) {
				return false
			}
		default:
			if items := have.Items(); len(items) == 0 || want.Text().Value == "" || items[0].Text().Value != want.Text().Value {
				return false
			}
		}
	}
	return len(entry.Names()) > 0
}

// hasVariables tells whether a job's env has all variables of another.
func hasVariables(have, want travis.Node) bool {
	variables := func(n travis.Node) []string {
		var all []string
		env := travis.ReadEnv(n)
		for _, v := range slices.Concat(env.Global, slices.Concat(env.Jobs...)) {
			text, _ := plainText(v.Word)
			all = append(all, v.Name+"="+text)
		}
		return all
	}
	present := variables(have)
	return !slices.ContainsFunc(variables(want), func(v string) bool { return !slices.Contains(present, v) })
}

// adopt adds include, exclude and allow_failures to a matrix.
func (c *converter) adopt(base *unit, rows []*travis.Section, jobs jobKeys) {
	if base != nil {
		base.adopt(rows, jobs)
		return
	}
	for _, entry := range jobs.exclude {
		c.todo.tell(entry.Place, "this entry of exclude has no effect: there is no matrix")
	}
	for i, entry := range jobs.allowFailures {
		if !slices.Contains(jobs.allowedOwn, i) {
			c.todo.hand(entry.Place, "this entry of allow_failures fits no job: set continue-on-error in the one that is meant")
		}
	}
}

func (u *unit) adopt(rows []*travis.Section, jobs jobKeys) {
	m := u.matrix
	for _, entry := range rows {
		row, ok := u.row(entry)
		if !ok {
			u.c.todo.hand(entry.Place, "this entry of include has no counterpart: add it to the matrix")
			continue
		}
		m.complete(row)
		m.include = append(m.include, row)
		u.follow(row)
	}
	for _, entry := range jobs.exclude {
		if row, ok := u.row(entry); ok {
			m.exclude = append(m.exclude, row)
			continue
		}
		u.c.todo.hand(entry.Place, "this entry of exclude has no counterpart: add it to the matrix")
	}
	var allowed []string
	for i, entry := range jobs.allowFailures {
		row, ok := u.row(entry)
		if ok && row.Len() > 0 && m.size() > 0 {
			allowed = append(allowed, rowCondition(row))
			continue
		}
		if slices.Contains(jobs.allowedOwn, i) {
			continue
		}
		u.c.todo.hand(entry.Place, "this entry of allow_failures has no counterpart: set continue-on-error in its job")
	}
	if len(allowed) > 0 {
		u.allowFailure = "${{ " + strings.Join(allowed, " || ") + " }}"
	}
	m.writeOut()
}

// follow makes the job use what a row of include sets.
func (u *unit) follow(row *workflow.Map) {
	m := u.matrix
	for _, key := range row.Keys() {
		value := row.Get(key)
		entry, nested := value.(*workflow.Map)
		switch {
		case key == "os":
			if m.axes.Get("os") == nil {
				m.runsOn = "${{ matrix.os || '" + m.linux + "' }}"
			}
		case nested:
			for _, name := range entry.Keys() {
				u.env.Set(name, "${{ matrix.env."+name+" }}")
			}
		case axisVariables[key] != "" && key != u.lang.key:
			u.env.Set(axisVariables[key], "${{ matrix."+key+" }}")
		case key == u.lang.key || key == "ruby":
			if m.axes.Get(key) == nil {
				otherwise := u.version
				u.firstVersion = otherwise
				u.version = "${{ matrix." + key + " }}"
				if otherwise != "" && !strings.HasPrefix(otherwise, "${{") {
					u.version = "${{ matrix." + key + " || " + quote(otherwise) + " }}"
				}
			}
		}
	}
}
