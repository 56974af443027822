package migrate

import (
	"path"
	"strings"

	"github.com/guk0/travois/internal/workflow"
)

// services are the services of a group, named as the deploy file names them.
func (g *group) services(c *converter, f *fields) *workflow.Map {
	services := new(workflow.Map)
	for _, p := range g.images {
		services.Set(c.serviceName(p), new(workflow.Map).Set("image", f.compose(p.repository)).Set("build", p.build.compose(f)))
	}
	return services
}

// serviceName is the deploy file's name for an image, else one made of the
// folder that it is built from.
func (c *converter) serviceName(p *picture) string {
	key := p.repository.String() + " " + p.build.context
	if c.named[key] == "" {
		c.named[key] = c.newServiceName(p)
	}
	return c.named[key]
}

func (c *converter) newServiceName(p *picture) string {
	repository := p.repository.String()
	if text, ok := p.repository.lit(); ok {
		repository = strings.TrimPrefix(text, "docker.io/")
	}
	if name := c.deployed.byImage[repository]; name != "" {
		return c.names.unique(name)
	}
	if name := c.deployed.byContext[path.Clean(p.build.context)]; name != "" && !c.names.taken[name] {
		return c.names.unique(name)
	}
	name := c.names.unique(folder(p.build.context), imageBase(p.repository))
	if c.deployed.file != "" && !c.deployed.single && p.pushed && c.deploys {
		c.todo.hand(p.build.place, "image %s is named as no service of %s: eb-deploy puts images where their service's name is, so rename the service %q in build-push, or add it to the file", repository, c.deployed.file, name)
	}
	return name
}
