package compose

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// declarations are the top-level volumes and networks that inline services
// name, since an input that is the body of `services:` has no place for them.
func declarations(services *yaml.Node) string {
	volumes, networks := map[string]bool{}, map[string]bool{}
	source{services: services}.each(func(_ string, _ int, service *yaml.Node) {
		for _, name := range namedVolumes(child(service, "volumes")) {
			volumes[name] = true
		}
		if node := child(service, "networks"); node != nil {
			for _, name := range listed(resolved(node)) {
				networks[name] = name != "default"
			}
		}
	})
	return declaration("volumes", volumes) + declaration("networks", networks)
}

func declaration(key string, names map[string]bool) string {
	maps.DeleteFunc(names, func(_ string, wanted bool) bool { return !wanted })
	if len(names) == 0 {
		return ""
	}
	var text strings.Builder
	fmt.Fprintf(&text, "\n%s:\n", key)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		fmt.Fprintf(&text, "%s%q: {}\n", indent, name)
	}
	return text.String()
}

// volumeName is how a named volume begins; a path begins otherwise.
var volumeName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]*$`)

func namedVolumes(volumes *yaml.Node) []string {
	if volumes == nil {
		return nil
	}
	var names []string
	for _, one := range resolved(volumes).Content {
		one = resolved(one)
		name, _, mounted := strings.Cut(one.Value, ":")
		if kind := child(one, "type"); kind != nil && kind.Value == "volume" && child(one, "source") != nil {
			name, mounted = child(one, "source").Value, true
		}
		if mounted && volumeName.MatchString(name) {
			names = append(names, name)
		}
	}
	return names
}
