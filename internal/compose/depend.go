package compose

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// wanted are the selected services with all that they depend on, empty for all
// services.
func wanted(sources []source, selected []string) []string {
	all := slices.Clone(selected)
	for i := 0; i < len(all); i++ {
		for _, one := range sources {
			one.each(func(name string, _ int, service *yaml.Node) {
				if name != all[i] {
					return
				}
				for _, other := range dependsOn(service) {
					if !slices.Contains(all, other) {
						all = append(all, other)
					}
				}
			})
		}
	}
	return all
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
