package migrate

import (
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/workflow"
)

// steps are the steps that run the suites.
func (t *tests) steps(u *unit) []*workflow.Map {
	var steps []*workflow.Map
	if len(t.suites) > 0 {
		f := u.fields()
		with := new(workflow.Map)
		services := new(workflow.Map)
		for _, c := range slices.Concat(t.suites, t.backing) {
			services.Set(c.name, c.service(t, f))
		}
		with.Set("services", workflow.Block(services.String()))
		if slices.ContainsFunc(t.suites, func(c *container) bool { return c.build == nil }) {
			with.Set("suites", t.names())
		}
		with.SetText("vars", f.lines())
		with.SetText("artifacts", strings.Join(t.artifacts(u), "\n"))
		if slices.ContainsFunc(t.suites, (*container).retried) {
			with.Set("retries", "2")
		}
		t.login.inputs(with)
		steps = append(steps, new(workflow.Map).Set("uses", "guk0/travois/actions/test@v1").Set("with", with))
	}
	if t.composeUp {
		with := new(workflow.Map).SetText("compose-file", strings.Join(t.composeFiles, "\n"))
		with.SetText("suites", strings.Join(t.composeSuites, "\n"))
		t.login.inputs(with)
		steps = append(steps, new(workflow.Map).Set("uses", "guk0/travois/actions/test@v1").Set("with", with))
	}
	return steps
}

func (t *tests) names() string {
	var names []string
	for _, c := range t.suites {
		names = append(names, c.name)
	}
	return strings.Join(names, "\n")
}

// retried tells whether the line says travis_retry.
func (c *container) retried() bool { return c.retry }

func (c *container) service(t *tests, f *fields) *workflow.Map {
	m := new(workflow.Map)
	if c.build != nil {
		m.Set("build", c.build.compose(f))
	} else {
		m.Set("image", f.compose(c.image))
	}
	one(m, "entrypoint", c.last("entrypoint"), f)
	if len(c.words) > 0 {
		m.Set("command", commandLine(c.words, f))
	}
	f.place = c.place
	c.environment(m, f)
	c.files(m)
	one(m, "working_dir", c.last("workdir"), f)
	one(m, "user", c.last("user"), f)
	one(m, "hostname", c.last("hostname"), f)
	one(m, "mem_limit", c.last("memory"), f)
	one(m, "shm_size", c.last("shm-size"), f)
	list(m, "extra_hosts", c.all("add-host"), f)
	list(m, "tmpfs", c.all("tmpfs"), f)
	c.dependencies(m, t)
	if b, ok := ofImage(c.image.String()); ok && c.has("detach") && b.health != "" {
		m.Set("healthcheck", new(workflow.Map).Set("test", b.health).Set("interval", "2s").Set("retries", workflow.Raw("30")))
	}
	return m
}

func (c *container) environment(m *workflow.Map, f *fields) {
	var wanted []arg
	for _, e := range c.all("env") {
		name, value, found := e.cut("=")
		if text, _ := name.lit(); text == "CI" && (!found || value.String() == "true") {
			continue
		}
		wanted = append(wanted, e)
	}
	pairs(m, "environment", wanted, f)
}

func (c *container) files(m *workflow.Map) {
	var files, volumes workflow.Seq
	for _, a := range c.all("env-file") {
		path, _ := c.contextPath(a)
		files = append(files, path)
	}
	for _, v := range c.all("volume") {
		host, target, mode, _ := c.volume(v)
		if results(host) {
			continue
		}
		text := host + ":" + target
		if mode == "ro" {
			text += ":ro"
		}
		volumes = append(volumes, text)
	}
	if len(files) > 0 {
		m.Set("env_file", files)
	}
	if len(volumes) > 0 {
		m.Set("volumes", volumes)
	}
}

// results tells whether a mounted folder is there to take results out of the
// container: nothing is mounted now, they are copied out.
func results(host string) bool {
	for _, word := range []string{"coverage", "report", "result", "junit", "artifact", "output", "logs", "screenshots"} {
		if strings.Contains(strings.ToLower(folder(host)), word) {
			return true
		}
	}
	return false
}

func (t *tests) artifacts(u *unit) []string {
	var lines []string
	for _, c := range t.suites {
		for _, v := range c.all("volume") {
			host, target, _, _ := c.volume(v)
			if results(host) {
				lines = append(lines, c.name+":"+target+"="+strings.TrimPrefix(host, "./"))
				continue
			}
			u.c.todo.tell(c.place, "%s is copied into the container of %s: what the suite writes there stays there; name it in artifacts if you need it", host, c.name)
		}
	}
	return lines
}

func (c *container) dependencies(m *workflow.Map, t *tests) {
	needs := new(workflow.Map)
	var links workflow.Seq
	for _, other := range t.backing {
		if other == c || !c.reaches(other) {
			continue
		}
		if c.has("detach") && !c.has("link") {
			continue
		}
		condition := "service_started"
		if b, ok := ofImage(other.image.String()); ok && b.health != "" {
			condition = "service_healthy"
		}
		needs.Set(other.name, new(workflow.Map).Set("condition", condition))
		for _, link := range c.all("link") {
			target, alias, found := link.cut(":")
			if text, _ := alias.lit(); found && target.String() == other.last("name").String() && text != other.name {
				links = append(links, other.name+":"+text)
			}
		}
	}
	if len(links) > 0 {
		m.Set("links", links)
	}
	m.SetMap("depends_on", needs)
}

// commandLine is one text where no word needs quotes, else a list.
func commandLine(words []arg, f *fields) any {
	var texts []string
	for _, w := range words {
		texts = append(texts, f.compose(w))
	}
	for _, text := range texts {
		if quotedForm, err := syntax.Quote(strings.ReplaceAll(text, "$", "_"), syntax.LangPOSIX); err != nil || strings.ContainsAny(quotedForm, "'\"\\ ") {
			return workflow.Flow(texts)
		}
	}
	return strings.Join(texts, " ")
}
