package bundle

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/compose-spec/compose-go/v2/schema"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"

	"github.com/guk0/travois/internal/place"
	"github.com/guk0/travois/internal/yamlsource"
)

// Invalid holds a Compose file against the Compose specification, and against
// what Docker Compose loads besides, as it does on an instance, when it would be
// too late. The error reports every key that does not exist, every value of a
// wrong type or that can't be read, and every name of what is not declared, each
// with its line, but none of what known tells of a line already, nor what a
// rendering takes out.
func Invalid(ctx context.Context, filename string, src []byte, known error) error {
	repaired, ok := yamlsource.Repair(src)
	if !ok {
		return nil
	}
	d, err := yamlsource.Parse(filename, repaired)
	if err != nil {
		return nil //nolint:nilerr // The rendering reports it.
	}
	content, ok := valueOf(plain(d.Root))
	if !ok {
		return nil
	}
	text, err := json.Marshal(unkept(content))
	if err != nil {
		return nil //nolint:nilerr // JSON has no such number, which is none of a Compose file's keys.
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(text)))
	if err != nil {
		return fmt.Errorf("internal error: check %s: %w", filename, err)
	}
	compiled, err := composeSchema()
	if err != nil {
		return fmt.Errorf("internal error: the Compose specification: %w", err)
	}
	v := violations{Document: d, lines: linesOf(known)}
	var found *jsonschema.ValidationError
	if errors.As(compiled.Validate(instance), &found) {
		v.collect(found)
	}
	v.lines = linesOf(errors.Join(append(v.problems, known)...))
	if file, is := unkept(content).(map[string]any); is {
		v.refused(ctx, file)
	}
	slices.SortStableFunc(v.problems, byLine)
	return errors.Join(v.problems...)
}

var composeSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	text, err := jsonschema.UnmarshalJSON(strings.NewReader(schema.Schema))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	if err := compiler.AddResource("compose-spec.json", text); err != nil {
		return nil, err
	}
	return compiler.Compile("compose-spec.json")
})

// violations are what of a file the specification does not allow.
type violations struct {
	*yamlsource.Document
	// lines have a problem already.
	lines    map[int]bool
	problems []error
}

// collect takes all that is wrong, and of alternatives the one that the file
// comes closest to.
func (v *violations) collect(found *jsonschema.ValidationError) {
	switch found.ErrorKind.(type) {
	case *kind.OneOf, *kind.AnyOf:
		if len(found.Causes) > 0 {
			v.collect(slices.MaxFunc(found.Causes, func(a, b *jsonschema.ValidationError) int { return depth(a) - depth(b) }))
			return
		}
	}
	for _, cause := range found.Causes {
		v.collect(cause)
	}
	if len(found.Causes) == 0 && !rendered(found.InstanceLocation) {
		v.report(found)
	}
}

// depth is how far into the file an error gets. An unknown key is one further.
func depth(found *jsonschema.ValidationError) int {
	deepest := len(found.InstanceLocation)
	if _, unknown := found.ErrorKind.(*kind.AdditionalProperties); unknown {
		deepest++
	}
	for _, cause := range found.Causes {
		deepest = max(deepest, depth(cause))
	}
	return deepest
}

// rendered tells what is not in the bundle as it is in the file, or is the
// rendering's to check.
func rendered(at []string) bool {
	return len(at) > 2 && at[0] == "services" && (at[2] == "build" || at[2] == "image")
}

func (v *violations) report(found *jsonschema.ValidationError) {
	at := found.InstanceLocation
	node, where := v.node(at)
	switch what := found.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, key := range what.Properties {
			v.unknown(at, key, found.SchemaURL)
		}
	case *kind.FalseSchema:
		// A key that is known is refused this way where something below is wrong.
		url, unevaluated := strings.CutSuffix(found.SchemaURL, "/unevaluatedProperties")
		if key := at[len(at)-1]; unevaluated && !slices.Contains(keysAt(url), key) {
			v.unknown(at[:len(at)-1], key, url)
		}
	case *kind.Type:
		v.add(where, "%s is %s; Compose takes %s", called(at), kindName(node), strings.Join(typeNames(what.Want), " or "))
	default:
		v.add(where, "%s: Compose takes it otherwise: %s", called(at), what.LocalizedString(message.NewPrinter(language.English)))
	}
}

func (v *violations) unknown(at []string, key, url string) {
	mapping, where := v.node(at)
	if pair, found := yamlsource.Get(mapping, key); found {
		where = pair.Key
	}
	v.add(where, "%s has a key %q, which Compose does not know%s", called(at), key, didYouMean(key, keysAt(url)))
}

func called(at []string) string {
	if len(at) == 0 {
		return "the file"
	}
	return strings.Join(at, ".")
}

func (v *violations) add(n *yaml.Node, format string, args ...any) {
	if n == nil || v.lines[n.Line] {
		return
	}
	v.problems = append(v.problems, v.Errorf(n, format, args...))
}

// node is what stands at a place in the file, and the key or item that it
// stands at.
func (v *violations) node(at []string) (value, where *yaml.Node) {
	value, where = v.Root, v.Root
	for _, step := range at {
		i, err := strconv.Atoi(step)
		switch pair, found := yamlsource.Get(value, step); {
		case found:
			value, where = yamlsource.Follow(pair.Value), pair.Key
		case value.Kind == yaml.SequenceNode && err == nil && i < len(value.Content):
			where = value.Content[i]
			value = yamlsource.Follow(where)
		default:
			return value, where
		}
	}
	return value, where
}

// typeNames are what people call the types of JSON.
func typeNames(types []string) []string {
	called := map[string]string{"object": "a mapping", "array": "a list", "string": "a text", "number": "a number", "integer": "a whole number", "boolean": "true or false", "null": "nothing"}
	var names []string
	for _, one := range types {
		names = append(names, called[one])
	}
	return names
}

// specification is the Compose specification as it is written.
var specification = sync.OnceValue(func() any {
	var whole any
	if err := json.Unmarshal([]byte(schema.Schema), &whole); err != nil {
		return nil
	}
	return whole
})

// keysAt are the keys that the specification has at a place of it.
func keysAt(url string) []string {
	_, pointer, _ := strings.Cut(url, "#")
	at := specification()
	for _, step := range strings.FieldsFunc(pointer, func(r rune) bool { return r == '/' }) {
		below, _ := at.(map[string]any)
		at = below[step]
	}
	here, _ := at.(map[string]any)
	properties, _ := here["properties"].(map[string]any)
	keys := slices.Sorted(maps.Keys(properties))
	parts, _ := here["allOf"].([]any)
	for _, one := range parts {
		part, _ := one.(map[string]any)
		if ref, _ := part["$ref"].(string); ref != "" {
			keys = append(keys, keysAt(ref)...)
		}
	}
	return keys
}

func linesOf(err error) map[int]bool {
	lines := map[int]bool{}
	var visit func(error)
	visit = func(err error) {
		if joined, ok := err.(interface{ Unwrap() []error }); ok {
			for _, one := range joined.Unwrap() {
				visit(one)
			}
		}
		var at *place.Error
		if errors.As(err, &at) {
			lines[at.Line] = true
		}
	}
	visit(err)
	return lines
}

func byLine(a, b error) int {
	var x, y *place.Error
	if !errors.As(a, &x) || !errors.As(b, &y) {
		return 0
	}
	return cmp.Or(x.Line-y.Line, strings.Compare(a.Error(), b.Error()))
}
