package migrate

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/guk0/travois/internal/workflow"
)

// build is a docker build that was read.
type build struct {
	*docker
	context, dockerfile string
	refs                []arg
}

const buildFlags = "tag file build-arg target no-cache pull rm force-rm quiet label network cache-from platform progress squash compress load push memory cpus shm-size add-host ssh"

// readBuild reads a docker build; the error says what Compose has no word for.
func readBuild(d *docker) (*build, error) {
	if flag := d.unknown(buildFlags); flag != "" {
		return nil, fmt.Errorf("docker build --%s has no counterpart in build-push", flag)
	}
	if len(d.args) != 1 {
		return nil, fmt.Errorf("docker build needs one context")
	}
	context, ok := d.contextPath(d.args[0])
	if !ok {
		return nil, fmt.Errorf("the context of docker build is a variable")
	}
	b := &build{docker: d, context: context, refs: d.all("tag")}
	if file := d.last("file"); file != nil {
		text, ok := d.contextPath(file)
		if !ok {
			return nil, fmt.Errorf("the Dockerfile of docker build is a variable")
		}
		relative, err := filepath.Rel(context, text)
		if err != nil {
			return nil, fmt.Errorf("the Dockerfile %s can't be reached from %s", text, context)
		}
		b.dockerfile = relative
	}
	return b, nil
}

// contextPath is a path from the workspace, where its text is known.
func (d *docker) contextPath(a arg) (string, bool) {
	if len(a) > 0 && a[0].name == "TRAVIS_BUILD_DIR" {
		text, ok := a[1:].lit()
		return (&docker{}).inWorkspace(strings.TrimPrefix(text, "/")), ok
	}
	text, ok := a.lit()
	if !ok || text == "-" {
		return "", false
	}
	return d.inWorkspace(text), true
}

// compose is the value of Compose's build.
func (b *build) compose(f *fields) any {
	f.place = b.place
	m := new(workflow.Map).Set("context", b.context)
	if b.dockerfile != "" && b.dockerfile != "Dockerfile" {
		m.Set("dockerfile", b.dockerfile)
	}
	pairs(m, "args", b.all("build-arg"), f)
	one(m, "target", b.last("target"), f)
	pairs(m, "labels", b.all("label"), f)
	list(m, "cache_from", b.all("cache-from"), f)
	list(m, "platforms", b.all("platform"), f)
	list(m, "extra_hosts", b.all("add-host"), f)
	one(m, "network", b.last("network"), f)
	one(m, "shm_size", b.last("shm-size"), f)
	if b.has("no-cache") {
		m.Set("no_cache", workflow.Raw("true"))
	}
	if m.Len() == 1 {
		return b.context
	}
	return m
}

func one(m *workflow.Map, key string, a arg, f *fields) {
	if a != nil {
		m.Set(key, f.compose(a))
	}
}

func list(m *workflow.Map, key string, args []arg, f *fields) {
	var items workflow.Seq
	for _, a := range args {
		for _, item := range strings.Split(f.compose(a), ",") {
			items = append(items, item)
		}
	}
	if len(items) > 0 {
		m.Set(key, items)
	}
}

// pairs writes NAME=value flags as a mapping; a name alone takes the value
// that the shell's variable has.
func pairs(m *workflow.Map, key string, args []arg, f *fields) {
	values := new(workflow.Map)
	for _, a := range args {
		name, value, found := a.cut("=")
		text, ok := name.lit()
		if !ok {
			continue
		}
		if !found {
			value = f.passed(text)
		}
		values.Set(text, f.compose(f.hidden(text, value)))
	}
	m.SetMap(key, values)
}

// hidden is a value without a secret in plain text.
func (f *fields) hidden(name string, value arg) arg {
	if f.scope == nil {
		return value
	}
	return f.scope.hide(name, value, f.place)
}

// passed is the value of a variable that is passed on by its name alone.
func (f *fields) passed(name string) arg {
	if f.lookup == nil {
		return literal("")
	}
	return f.lookup(name)
}
