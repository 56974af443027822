package bundle

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// mount is an entry of a service's volumes.
type mount struct {
	node *yaml.Node
	// source is empty for an anonymous volume.
	source, target string
	// bind is a mount of a path of the host.
	bind bool
	// mustExist is create_host_path: false of the long syntax.
	mustExist bool
}

func (m mount) String() string {
	if m.source == "" {
		return m.target
	}
	return m.source + ":" + m.target
}

func parseMount(n *yaml.Node) mount {
	n = yamlsource.Follow(n)
	m := mount{node: n}
	if n.Kind == yaml.MappingNode {
		m.source, m.target = text(n, "source"), text(n, "target")
		kind := text(n, "type")
		m.bind = kind == "bind"
		if kind != "bind" && kind != "volume" {
			m.target = ""
		}
		if options := yamlsource.Lookup(n, "bind"); options != nil {
			m.mustExist = text(options, "create_host_path") == "false"
		}
		return m
	}
	parts := splitMount(n.Value)
	if len(parts) == 1 {
		m.target = parts[0]
		return m
	}
	m.source, m.target = parts[0], parts[1]
	m.bind = strings.HasPrefix(m.source, "$") || strings.ContainsRune("./~", firstRune(m.source))
	return m
}

func firstRune(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}

// text is a scalar entry of a mapping, empty when there is none.
func text(mapping *yaml.Node, key string) string {
	n := yamlsource.Lookup(mapping, key)
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// splitMount splits at the colons outside of ${…}.
func splitMount(s string) []string {
	var parts []string
	depth, from := 0, 0
	for i, c := range s {
		switch {
		case c == '{':
			depth++
		case c == '}':
			depth--
		case c == ':' && depth <= 0:
			parts = append(parts, s[from:i])
			from = i + 1
		}
	}
	return append(parts, s[from:])
}

// mounts finds the volumes that would hide the image: those of the service's
// own build context, and the anonymous ones below them.
func (x *examination) mounts(in *intent, name string, service *yaml.Node) {
	volumes, found := yamlsource.Get(service, "volumes")
	context, ok := x.context(service, 0)
	if !found || !ok || x.keepMounts {
		return
	}
	items := yamlsource.Follow(volumes.Value)
	if items.Kind != yaml.SequenceNode {
		x.problem(volumes.Key, "volumes of service %q is %s; write a list", name, kindName(items))
		return
	}
	gone, why := hiding(items, context)
	for i, item := range items.Content {
		if gone[i] {
			x.changed(item, name, "volume %s removed: %s", parseMount(item), why[i])
		}
	}
	switch {
	case len(gone) > 0 && len(gone) == len(items.Content):
		in.drop = append(in.drop, "volumes")
	case len(gone) > 0:
		in.mounts = gone
	}
}

func hiding(items *yaml.Node, context string) (gone map[int]bool, why map[int]string) {
	gone, why = map[int]bool{}, map[int]string{}
	var binds []mount
	for i, item := range items.Content {
		if m := parseMount(item); m.bind && within(context, m.source) {
			gone[i], why[i] = true, "it would hide the image"
			binds = append(binds, m)
		}
	}
	for i, item := range items.Content {
		m := parseMount(item)
		if m.bind || m.source != "" || m.target == "" {
			continue
		}
		for _, bind := range binds {
			if within(bind.target, m.target) {
				gone[i], why[i] = true, "it belongs to "+bind.String()
			}
		}
	}
	return gone, why
}

// context is the path of a service's build context, taken from a service of
// the same file that it extends when it has none itself.
func (x *examination) context(service *yaml.Node, depth int) (string, bool) {
	if pair, found := yamlsource.Get(service, "build"); found {
		return contextPath(yamlsource.Follow(pair.Value))
	}
	base := x.extended(service)
	if base == nil || depth > len(x.services) {
		return "", false
	}
	return x.context(base, depth+1)
}

func (x *examination) extended(service *yaml.Node) *yaml.Node {
	extends := yamlsource.Lookup(service, "extends")
	if extends == nil {
		return nil
	}
	name := extends.Value
	if extends.Kind == yaml.MappingNode {
		name = text(extends, "service")
	}
	return yamlsource.Lookup(yamlsource.Lookup(x.Root, "services"), name)
}

// contextPath is false for a context that is no path, such as a repository's
// address.
func contextPath(build *yaml.Node) (string, bool) {
	context := build.Value
	if build.Kind == yaml.MappingNode {
		context = text(build, "context")
		if context == "" {
			context = "."
		}
	}
	remote := strings.Contains(context, "://") || strings.HasPrefix(context, "git@") || strings.HasPrefix(context, "github.com/")
	return context, context != "" && !remote
}

// within tells whether a path is a folder or lies below it. A leading variable
// is compared as text.
func within(folder, p string) bool {
	folder, p = rooted(folder), rooted(p)
	return p == folder || strings.HasPrefix(p, strings.TrimSuffix(folder, "/")+"/")
}

// rooted makes a relative path absolute below a deep folder, so that .. means
// something in both of two paths.
func rooted(p string) string {
	switch firstRune(p) {
	case '/', '~', '$':
		return path.Clean(p)
	}
	return path.Join("/.tree/.tree/.tree/.tree/.tree/.tree/.tree/.tree", p)
}
