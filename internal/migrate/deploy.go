package migrate

import (
	"strings"

	"github.com/guk0/travois/internal/travis"
)

// deployment is one entry of deploy.
type deployment struct {
	section   *travis.Section
	provider  string
	beanstalk bool
	// script are the lines of the provider script.
	script   []*line
	readings []*reading
	// conds are what on: says, unread the conditions that only a shell can
	// check.
	conds  []string
	unread []travis.Text
	// keeps tells that the deployment needs files that the job made.
	keeps  bool
	maybe  bool
	tagged bool
	// environment is known when the step is made.
	environment string
	versionOnly bool
	// zipped tells that the bundle is a zip that the job made.
	zipped bool
	// pushers are the jobs of earlier stages whose images are deployed.
	pushers []string
}

// readDeploys reads deploy: one deployment or a list.
func (u *unit) readDeploys() []*deployment {
	node, ok := u.section.Take("deploy")
	if !ok {
		return nil
	}
	var out []*deployment
	for _, item := range node.Items() {
		if !item.IsMap() {
			u.c.leave(&travis.Key{Name: "deploy", Place: item.Place(), Node: item}, "", "a deployment has a provider")
			continue
		}
		if d := u.readDeploy(item); d != nil {
			out = append(out, d)
		}
	}
	return out
}

// readDeploy reads one; nil when its provider has no counterpart here.
func (u *unit) readDeploy(node travis.Node) *deployment {
	d := &deployment{section: node.Section()}
	d.provider = slug(strings.ReplaceAll(d.section.TakeText("provider", "strategy").Value, "_", ""))
	switch d.provider {
	case "elasticbeanstalk":
		d.beanstalk = true
	case "script":
		node, _ := d.section.Take("script")
		for _, text := range node.Texts() {
			d.script = append(d.script, parseLine("deploy", text))
		}
	default:
		u.readOn(d)
		u.foreign = append(u.foreign, d)
		u.c.leave(&travis.Key{Name: "deploy", Place: node.Place(), Node: node}, "", "provider "+d.provider+" is not of travois; use the action that the service has, in a job that needs the last one")
		return nil
	}
	u.readOn(d)
	u.keeps(d)
	for _, key := range []string{"edge", "strategy", "run", "debug"} {
		d.section.Take(key)
	}
	if n, ok := d.section.Take("allow_failure"); ok {
		d.maybe = n.True()
	}
	return d
}

// keeps reads skip_cleanup, which is cleanup in dpl's second version, where it
// is off by default: only the word says that files of the job are needed.
func (u *unit) keeps(d *deployment) {
	if n, ok := d.section.Take("skip_cleanup"); ok {
		d.keeps = n.True()
	}
	if n, ok := d.section.Take("cleanup"); ok {
		d.keeps = d.keeps || n.False()
	}
}
