package compose

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/template"
	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/place"
	"github.com/guk0/travois/internal/yamlsource"
)

// source is one text of services.
type source struct {
	// name is what a user calls it: a path in the workspace or InlineInput.
	name string
	// path is absolute. An inline source has the path of a file that could be
	// in the workspace.
	path string
	// text is a whole Compose file.
	text []byte
	// services is the mapping node below `services:`, nil if there is none.
	services *yaml.Node
}

// indent is what an inline source is moved by to stand below `services:`.
const indent = "  "

func parseInline(text, workspace string) (source, error) {
	body := withoutMarker(text)
	document, err := yamlsource.Parse(InlineInput, []byte(body))
	if err != nil {
		return source{}, err
	}
	if document.Root.Kind != yaml.MappingNode {
		return source{}, fmt.Errorf("%s is no mapping; write it as the body of Compose's `services:`, a name and its build, image or command", InlineInput)
	}
	if line := lineOf(document.Root, "services"); line > 0 && len(document.Root.Content) == 2 {
		return source{}, place.At(InlineInput, line, errors.New("holds a key `services:`; write what stands below it without it"))
	}
	var whole bytes.Buffer
	whole.WriteString("services:\n")
	for line := range strings.Lines(body) {
		if strings.TrimSpace(line) != "" {
			whole.WriteString(indent)
		}
		whole.WriteString(line)
	}
	whole.WriteString(declarations(document.Root))
	return source{
		name: InlineInput, path: filepath.Join(workspace, "services.yml"), text: whole.Bytes(), services: document.Root,
	}, nil
}

// marker is a document marker that a snippet was pasted with.
var marker = regexp.MustCompile(`^(\s*)(?:---|\.\.\.)[ \t\r]*(\n|$)`)

// withoutMarker blanks a leading marker. The lines keep their numbers.
func withoutMarker(text string) string { return marker.ReplaceAllString(text, "$1$2") }

func parseFile(name, path string, text []byte) (source, error) {
	text = []byte(withoutMarker(string(text)))
	document, err := yamlsource.Parse(name, text)
	if err != nil {
		return source{}, err
	}
	one := source{name: name, path: path, text: text, services: child(document.Root, "services")}
	if one.services == nil || one.services.Kind != yaml.MappingNode {
		return source{}, place.At(name, 0, errors.New("is no Compose file: it has no mapping `services:`"))
	}
	return one, nil
}

// problems are what the parser would not report with a place.
func (s source) problems(from Source, used use) []error {
	var all []error
	s.each(func(name string, _ int, service *yaml.Node) {
		for i := 0; i+1 < len(service.Content); i += 2 {
			key := service.Content[i].Value
			if from.uses(key) && used.has(name, key) {
				all = append(all, s.missing(name, key, service.Content[i+1], from.Vars)...)
			}
		}
	})
	return all
}

// missing are the ${NAME} below a node that have neither value nor default.
func (s source) missing(service, key string, node *yaml.Node, vars map[string]string) []error {
	if node.Kind == yaml.AliasNode {
		return s.missing(service, key, node.Alias, vars)
	}
	var all []error
	for _, one := range append([]*yaml.Node{node}, node.Content...) {
		if one != node {
			all = append(all, s.missing(service, key, one, vars)...)
			continue
		}
		for name, variable := range template.ExtractVariables(map[string]any{"": one.Value}, template.DefaultPattern) {
			if _, given := vars[name]; given || variable.DefaultValue != "" || variable.PresenceValue != "" || !strings.Contains(one.Value, "$") {
				continue
			}
			if strings.Contains(one.Value, "${"+name+":-}") || strings.Contains(one.Value, "${"+name+"-}") {
				continue
			}
			all = append(all, place.At(s.name, one.Line, fmt.Errorf(
				"service %q: %s: ${%s} has no value; give the input vars a line %s=…, or write $$%s for the container's own", service, key, name, name, name)))
		}
	}
	return all
}

// each calls a function with every service that is a mapping.
func (s source) each(do func(name string, line int, service *yaml.Node)) {
	if s.services == nil {
		return
	}
	for i := 0; i+1 < len(s.services.Content); i += 2 {
		key, value := s.services.Content[i], s.services.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		if value.Kind == yaml.MappingNode {
			do(key.Value, key.Line, value)
		}
	}
}

// hollow reports the services that have nothing to run, in any of the sources.
func hollow(sources []source) []error {
	filled := map[string]bool{}
	for _, one := range sources {
		one.each(func(name string, _ int, service *yaml.Node) {
			for _, key := range []string{"image", "build", "extends", "provider", "<<"} {
				filled[name] = filled[name] || child(service, key) != nil
			}
		})
	}
	var all []error
	for _, name := range names(sources) {
		if !filled[name] {
			all = append(all, at(sources, name, fmt.Errorf("service %q has neither image nor build; give it one of them", name)))
		}
	}
	return all
}

func names(sources []source) []string {
	var all []string
	for _, one := range sources {
		if one.services == nil {
			continue
		}
		for i := 0; i+1 < len(one.services.Content); i += 2 {
			if name := one.services.Content[i].Value; !slices.Contains(all, name) {
				all = append(all, name)
			}
		}
	}
	gone := taken(sources)
	return slices.DeleteFunc(all, func(name string) bool { return slices.Contains(gone, name) })
}

// resetTag marks what a file takes away from those before it. Source: the Compose
// specification, 13-merge.md.
const resetTag = "!reset"

// taken are the services that the last file which has them takes away.
func taken(sources []source) []string {
	var all []string
	for _, one := range sources {
		for i := 0; one.services != nil && i+1 < len(one.services.Content); i += 2 {
			name := one.services.Content[i].Value
			all = slices.DeleteFunc(all, func(other string) bool { return other == name })
			if one.services.Content[i+1].Tag == resetTag {
				all = append(all, name)
			}
		}
	}
	return all
}

func at(sources []source, service string, err error) error {
	for _, one := range slices.Backward(sources) {
		if one.services == nil {
			continue
		}
		if line := lineOf(one.services, service); line > 0 {
			return place.At(one.name, line, err)
		}
	}
	return err
}

var inMessage = regexp.MustCompile(`services\.([A-Za-z0-9_.-]+?)(?:[.:\s]|$)|service "([^"]+)"|'services\[([^\]]+)\]`)

// decoding begins the parser's errors about values of a wrong kind.
const decoding = "decoding failed due to the following error(s):\n\n"

// locate gives the parser's error the place of the service that it names, and
// the user's name for the file.
func locate(sources []source, err error) error {
	text := strings.TrimPrefix(err.Error(), decoding)
	for _, one := range sources {
		text = strings.ReplaceAll(text, one.path, one.name)
		text = strings.TrimPrefix(text, "validating "+one.name+": ")
	}
	message := errors.New(text)
	if found := inMessage.FindStringSubmatch(text); found != nil {
		return at(sources, found[1]+found[2]+found[3], message)
	}
	if len(sources) == 1 {
		return place.At(sources[0].name, 0, message)
	}
	return message
}

func child(node *yaml.Node, key string) *yaml.Node {
	for i := 0; node != nil && node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return resolved(node.Content[i+1])
		}
	}
	return nil
}

func lineOf(node *yaml.Node, key string) int {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i].Line
		}
	}
	return 0
}
