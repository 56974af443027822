package compose

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
)

// imageOf begins, in a loaded project, a named context that is another
// service's image. The parser itself takes "service:" for services with a
// build alone, and knows nothing of the order that it makes.
const imageOf = "image-of:"

// load parses sources. Of the services it keeps those that are reached from the
// selected ones, before the parser looks for what others lack.
func load(ctx context.Context, details types.ConfigDetails, selected []string, options ...func(*loader.Options)) (*types.Project, error) {
	model, err := loader.LoadModelWithContext(ctx, details, options...)
	if err != nil {
		return nil, err
	}
	services := mapping(model["services"])
	for _, service := range services {
		contexts := contextsIn(service)
		for name, from := range contexts {
			if other, is := strings.CutPrefix(text(from), types.ServicePrefix); is {
				contexts[name] = imageOf + other
			}
		}
	}
	if kept := reached(services, selected); len(kept) > 0 {
		maps.DeleteFunc(services, func(name string, _ any) bool { return !slices.Contains(kept, name) })
	}
	return loader.ModelToProject(model, loader.ToOptions(&details, options), details)
}

// reached are the selected services that exist, with all that they depend on
// and whose images they start from.
func reached(services map[string]any, selected []string) []string {
	var all []string
	next := slices.Clone(selected)
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		service, exists := services[name]
		if !exists || slices.Contains(all, name) {
			continue
		}
		all = append(all, name)
		next = slices.AppendSeq(next, maps.Keys(mapping(mapping(service)["depends_on"])))
		for _, from := range contextsIn(service) {
			if other, is := strings.CutPrefix(text(from), imageOf); is {
				next = append(next, other)
			}
		}
	}
	return all
}

func contextsIn(service any) map[string]any {
	return mapping(mapping(mapping(service)["build"])["additional_contexts"])
}

func mapping(value any) map[string]any {
	found, _ := value.(map[string]any)
	return found
}

func text(value any) string {
	found, _ := value.(string)
	return found
}

// StartsFrom are the services whose images are named contexts of a service's
// build, sorted. They need not exist.
func StartsFrom(service types.ServiceConfig) []string {
	if service.Build == nil {
		return nil
	}
	var all []string
	for _, one := range service.Build.AdditionalContexts {
		if other, is := strings.CutPrefix(one, imageOf); is && !slices.Contains(all, other) {
			all = append(all, other)
		}
	}
	slices.Sort(all)
	return all
}

// circle is the way from a service over the images that they start from back
// to it, "a", "b", "a", nil if there is none.
func (p *Project) circle(service string) []string {
	seen := map[string]bool{}
	var search func(way []string) []string
	search = func(way []string) []string {
		for _, other := range StartsFrom(p.Services[way[len(way)-1]]) {
			further := append(slices.Clone(way), other)
			if other == service {
				return further
			}
			if seen[other] {
				continue
			}
			seen[other] = true
			if found := search(further); found != nil {
				return found
			}
		}
		return nil
	}
	return search([]string{service})
}
