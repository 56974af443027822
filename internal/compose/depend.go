package compose

import (
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

// use is what of the services will be used. The zero value is all of all.
type use struct {
	// whole are the selected services with all that they depend on, images the
	// further ones of which only the image is; gone are never.
	whole, images, gone []string
}

// wanted is the use of selected services, as far as the text tells it.
func wanted(sources []source, selected []string) use {
	all := use{whole: slices.Clone(selected), gone: taken(sources)}
	for i := 0; i < len(all.whole); i++ {
		all.whole = appendNew(all.whole, related(sources, all.whole[i], dependsOn)...)
	}
	for _, name := range all.whole {
		all.images = appendNew(all.images, related(sources, name, startsFrom)...)
	}
	for i := 0; i < len(all.images); i++ {
		all.images = appendNew(all.images, related(sources, all.images[i], startsFrom)...)
	}
	return all
}

// has tells whether a key of a service will be used.
func (u use) has(service, key string) bool {
	if slices.Contains(u.gone, service) {
		return false
	}
	if len(u.whole) == 0 || slices.Contains(u.whole, service) {
		return true
	}
	return slices.Contains(u.images, service) && (key == "build" || key == "image")
}

// related are the services that a service's text names, in any of the sources.
func related(sources []source, service string, in func(*yaml.Node) []string) []string {
	var all []string
	for _, one := range sources {
		one.each(func(name string, _ int, node *yaml.Node) {
			if name == service {
				all = append(all, in(node)...)
			}
		})
	}
	return all
}

func appendNew(all []string, more ...string) []string {
	for _, one := range more {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}

// startsFrom are the services whose images are named contexts of a build.
func startsFrom(service *yaml.Node) []string {
	var names []string
	for i := 0; i+1 < len(service.Content); i += 2 {
		key, value := service.Content[i].Value, resolved(service.Content[i+1])
		switch {
		case key == "build":
			names = append(names, startsFrom(value)...)
		case key == "additional_contexts":
			names = append(names, servicesIn(value)...)
		case key == "<<" && value.Kind == yaml.MappingNode:
			names = append(names, startsFrom(value)...)
		case key == "<<":
			for _, one := range value.Content {
				names = append(names, startsFrom(resolved(one))...)
			}
		}
	}
	return names
}

// servicesIn are the services of "name: service:x" and "name=service:x".
func servicesIn(contexts *yaml.Node) []string {
	var names []string
	for _, one := range contexts.Content {
		value := resolved(one).Value
		if contexts.Kind == yaml.SequenceNode {
			_, value, _ = strings.Cut(value, "=")
		}
		if name, is := strings.CutPrefix(value, types.ServicePrefix); is {
			names = append(names, name)
		}
	}
	return names
}

// dependsOn are the services that a service can't be without, as the text says
// it.
func dependsOn(service *yaml.Node) []string {
	var names []string
	for i := 0; i+1 < len(service.Content); i += 2 {
		value := resolved(service.Content[i+1])
		switch service.Content[i].Value {
		case "depends_on":
			names = append(names, listed(value)...)
		case "links", "volumes_from":
			for _, one := range listed(value) {
				name, _, _ := strings.Cut(one, ":")
				names = append(names, name)
			}
		case "<<":
			names = append(names, inherited(value)...)
		}
	}
	return names
}

func inherited(value *yaml.Node) []string {
	if value.Kind == yaml.MappingNode {
		return dependsOn(value)
	}
	var names []string
	for _, one := range value.Content {
		names = append(names, dependsOn(resolved(one))...)
	}
	return names
}

// listed are a sequence's entries, or a mapping's keys.
func listed(node *yaml.Node) []string {
	step := 1
	if node.Kind == yaml.MappingNode {
		step = 2
	}
	var all []string
	for i := 0; i < len(node.Content); i += step {
		all = append(all, node.Content[i].Value)
	}
	return all
}

func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}
