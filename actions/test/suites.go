package test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
)

// suiteNames are the services that are suites. Inline they need not be named:
// they are what is built and what nothing else depends on or, without a command
// of its own, starts from.
func suiteNames(c config, project *compose.Project) ([]string, error) {
	if len(c.Suites) > 0 {
		return known(c.Suites, project)
	}
	if c.Services == "" {
		return nil, action.BadInput("suites", "is empty; name the services of the Compose file that are test suites, one a line; there are: %s", strings.Join(project.Names, ", "))
	}
	depended := map[string]bool{}
	for _, service := range project.Services {
		for name := range service.DependsOn {
			depended[name] = true
		}
		for _, name := range compose.StartsFrom(service) {
			base := project.Services[name]
			depended[name] = depended[name] || len(base.Command)+len(base.Entrypoint) == 0
		}
	}
	var built, others []string
	for _, name := range project.Names {
		switch {
		case depended[name]:
		case project.Services[name].Build != nil:
			built = append(built, name)
		default:
			others = append(others, name)
		}
	}
	if len(built) == 0 {
		return others, nil
	}
	return built, nil
}

func known(wanted []string, project *compose.Project) ([]string, error) {
	var names []string
	var problems []error
	_, err := project.Select("suites", wanted)
	problems = append(problems, err)
	for _, name := range wanted {
		if _, ok := project.Services[name]; !ok {
			continue
		}
		if slices.Contains(names, name) {
			problems = append(problems, action.BadInput("suites", "%q is given twice", name))
			continue
		}
		names = append(names, name)
	}
	return names, errors.Join(problems...)
}

// closure is all that a service depends on, what is needed first first. The
// parser has refused cycles.
func closure(project *compose.Project, name string) []string {
	var all []string
	for _, other := range slices.Sorted(maps.Keys(project.Services[name].DependsOn)) {
		for _, one := range append(closure(project, other), other) {
			if _, exists := project.Services[one]; exists && !slices.Contains(all, one) {
				all = append(all, one)
			}
		}
	}
	return all
}

// bases are the services that the images of others start from, through any
// number of them, less these others themselves.
func bases(project *compose.Project, members []string) []string {
	all := slices.Clone(members)
	for i := 0; i < len(all); i++ {
		for _, name := range compose.StartsFrom(project.Services[all[i]]) {
			if project.Services[name].Build != nil && !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	return all[len(members):]
}

// unused are the inline services that no suite depends on.
func unused(p plan, project *compose.Project) []string {
	var notes []string
	for _, name := range project.Names {
		if _, used := p.services[name]; !used {
			notes = append(notes, fmt.Sprintf("%s: is not started, since no suite depends on it", name))
			continue
		}
		if !slices.Contains(p.members(), name) {
			notes = append(notes, fmt.Sprintf("%s: is built and not started, since suites start from its image and none depends on it", name))
		}
	}
	return notes
}

// members are the services that have a container in a suite, in the source's
// order.
func (p plan) members() []string {
	var all []string
	for _, name := range p.order {
		if slices.ContainsFunc(p.suites, func(one suite) bool { return slices.Contains(one.members(), name) }) {
			all = append(all, name)
		}
	}
	return all
}
