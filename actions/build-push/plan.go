package buildpush

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/cache"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/image"
)

// plan is what a run will do.
type plan struct {
	workspace string
	// repository is whose sources these are.
	repository string
	images     []planned
	// tags go onto every image.
	tags []string
	// lasting is the first of them that no later commit has, "" if all move.
	lasting string
	// earlier are the tags whose images may hold steps of these.
	earlier []string
	push    bool
	// cache is where steps are kept between runs.
	cache cache.Inputs
	// builder is the input's.
	builder string
}

// planned is one image to be built.
type planned struct {
	build compose.Build
	// name has no tag.
	name image.Reference
	// more are the references that the file asks for beside the tags.
	more    []image.Reference
	secrets map[string][]byte
}

// references are the names of an image, in the order of the tags.
func (p plan) references(one planned) []image.Reference {
	var all []image.Reference
	for _, tag := range p.tags {
		all = append(all, one.name.WithTag(tag))
	}
	return all
}

// names are the repositories that the plan pushes to.
func (p plan) names() []image.Reference {
	var all []image.Reference
	for _, one := range p.images {
		all = append(all, one.name)
		for _, more := range one.more {
			if more = more.WithTag(""); !slices.Contains(all, more) {
				all = append(all, more)
			}
		}
	}
	return all
}

// written are the repositories that must take a push: those of the images, and
// those of the file's caches that fail a build which can't write them.
func (p plan) written() []image.Reference {
	all := p.names()
	for _, one := range p.images {
		for _, cache := range one.build.CacheTo {
			reference, err := image.Parse(cache.Attrs["ref"])
			if cache.Type != "registry" || cache.Attrs["ignore-error"] == "true" || err != nil {
				continue
			}
			if reference = reference.In("").WithTag(""); !slices.Contains(all, reference) {
				all = append(all, reference)
			}
		}
	}
	return all
}

// makePlan decides everything that can be decided without the engine and the
// registry.
func makePlan(c config, trigger action.Trigger, project *compose.Project) (plan, error) {
	tags, err := c.tags(trigger)
	p := plan{
		workspace: project.Workspace, repository: trigger.Repository, tags: tags, earlier: union(tags, cache.Earlier(trigger)),
		lasting: lasting(c.tagLines(trigger), trigger), push: c.pushes(trigger), cache: c.Inputs, builder: c.Builder,
	}
	problems := []error{err}
	for _, name := range project.Names {
		service := project.Services[name]
		if service.Build == nil {
			continue
		}
		one, err := planImage(c, trigger, project, service)
		problems = append(problems, err)
		p.images = append(p.images, one)
	}
	if len(p.images) == 0 {
		problems = append(problems, fmt.Errorf("no service has a build; there are: %s", cmp.Or(strings.Join(project.Names, ", "), "none")))
	}
	problems = append(problems, c.BuildArgs.Unknown("build-args", project.Names)...)
	problems = append(problems, c.Labels.Unknown("labels", project.Names)...)
	problems = append(problems, c.Secrets.Unknown("secrets", project.Names)...)
	problems = append(problems, p.shared(project)...)
	return p, errors.Join(problems...)
}

// union is what is in either list, in order.
func union(first, second []string) []string {
	all := slices.Clone(first)
	for _, one := range second {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

// tags are those of every image.
func (c config) tags(trigger action.Trigger) ([]string, error) {
	return expand(c.tagLines(trigger), trigger)
}

func (c config) tagLines(trigger action.Trigger) []string {
	if len(c.Tags) > 0 {
		return c.Tags
	}
	return defaultTags(trigger)
}

func planImage(c config, trigger action.Trigger, project *compose.Project, service types.ServiceConfig) (planned, error) {
	build, err := project.Build(service, c.Name)
	problems := []error{err}
	one := planned{build: build, secrets: map[string][]byte{}}
	if service.Image == "" {
		problems = append(problems, project.At(service.Name, fmt.Errorf("service %q has a build and no image; give it the name to push it under", service.Name)))
	} else {
		one.name, err = c.Name(service.Image)
		one.name = one.name.WithTag("")
		if err != nil {
			problems = append(problems, project.At(service.Name, fmt.Errorf("service %q: %w", service.Name, err)))
		}
	}
	for _, text := range build.Tags {
		reference, err := c.Name(text)
		if err == nil && reference.Digest != "" {
			err = fmt.Errorf("image %q: a digest can't be pushed to; give a tag", text)
		}
		if err != nil {
			problems = append(problems, project.At(service.Name, fmt.Errorf("service %q: build.tags: %w", service.Name, err)))
			continue
		}
		one.more = append(one.more, reference.WithTag(cmp.Or(reference.Tag, latest)))
	}
	if err := c.nameCaches(build); err != nil {
		problems = append(problems, project.At(service.Name, fmt.Errorf("service %q: %w", service.Name, err)))
	}
	for name, value := range c.Secrets.For(service.Name) {
		one.secrets[name] = []byte(value)
	}
	labels := sourceLabels(trigger, service.Name)
	maps.Copy(labels, build.Labels)
	maps.Copy(labels, c.labels(trigger, service.Name))
	one.build.Labels = labels
	one.build.Args = map[string]string{}
	maps.Copy(one.build.Args, build.Args)
	maps.Copy(one.build.Args, c.BuildArgs.For(service.Name))
	c.shape(&one.build)
	return one, errors.Join(problems...)
}

// nameCaches puts the registry into the references of caches that name none, as
// into those of images.
func (c config) nameCaches(build compose.Build) error {
	for _, one := range slices.Concat(build.CacheFrom, build.CacheTo) {
		if one.Type != "registry" || one.Attrs["ref"] == "" {
			continue
		}
		reference, err := c.Name(one.Attrs["ref"])
		if err != nil {
			return fmt.Errorf("build.cache_from, cache_to: %w", err)
		}
		one.Attrs["ref"] = reference.String()
	}
	return nil
}

// sourceLabels say where an image comes from. They are the same for every
// commit: a label that changes would give an unchanged image a new digest.
// Source: the OCI image specification, annotations.md.
func sourceLabels(trigger action.Trigger, service string) map[string]string {
	labels := map[string]string{"org.opencontainers.image.title": service}
	if trigger.URL != "" {
		labels["org.opencontainers.image.source"] = trigger.URL
		labels["org.opencontainers.image.url"] = trigger.URL
	}
	return labels
}

// shared reports two services that would be pushed under one name.
func (p plan) shared(project *compose.Project) []error {
	problems := p.sharedTags(project)
	owner := map[string]string{}
	for _, one := range p.images {
		name := one.name.Name()
		if other, taken := owner[name]; taken && name != "" {
			problems = append(problems, project.At(one.build.Service, fmt.Errorf(
				"services %q and %q have one image name, %s; give each its own", other, one.build.Service, name)))
		}
		owner[name] = one.build.Service
	}
	return problems
}

// sharedTags reports references of the file that are another service's too: the
// one that is pushed last would have them.
func (p plan) sharedTags(project *compose.Project) []error {
	var problems []error
	owner := map[image.Reference]string{}
	for _, one := range p.images {
		for _, reference := range p.references(one) {
			owner[reference] = cmp.Or(owner[reference], one.build.Service)
		}
	}
	for _, one := range p.images {
		for _, more := range one.more {
			other := cmp.Or(owner[more], one.build.Service)
			if other != one.build.Service {
				problems = append(problems, project.At(one.build.Service, fmt.Errorf(
					"services %q and %q would both be pushed as %s; remove it from build.tags of one", other, one.build.Service, more)))
			}
			owner[more] = other
		}
	}
	return problems
}
