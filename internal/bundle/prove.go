package bundle

import (
	"reflect"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// prove parses the result and compares it with what the source means once the
// intents are carried out on its meaning instead of its bytes.
func prove(original *yamlsource.Document, intents map[string]intent, content []byte) error {
	result, err := yamlsource.Parse(original.File, content)
	if err != nil {
		return err
	}
	want := meaning(original.Root)
	carryOut(want, intents)
	if !reflect.DeepEqual(want, meaning(result.Root)) {
		return errDiffers
	}
	return nil
}

// meaning is what a YAML node says to its reader: mappings by key with merges
// followed, lists, and scalars as "tag value". Style and order of keys are not
// part of it.
func meaning(n *yaml.Node) any {
	n = yamlsource.Follow(n)
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for _, pair := range yamlsource.Pairs(n) {
			m[scalarMeaning(yamlsource.Follow(pair.Key))] = meaning(pair.Value)
		}
		return m
	case yaml.SequenceNode:
		items := []any{}
		for _, item := range n.Content {
			items = append(items, meaning(item))
		}
		return items
	default:
		return scalarMeaning(n)
	}
}

// scalarMeaning takes all ways to write null for one.
func scalarMeaning(n *yaml.Node) string {
	if yamlsource.IsNull(n) {
		return "!!null"
	}
	return n.ShortTag() + " " + n.Value
}

const str = "!!str "

func carryOut(file any, intents map[string]intent) {
	services, _ := file.(map[string]any)[str+"services"].(map[string]any)
	for name, in := range intents {
		service, ok := services[str+name].(map[string]any)
		if !ok {
			continue
		}
		for _, key := range in.drop {
			delete(service, str+key)
		}
		if in.image != "" {
			service[str+"image"] = str + in.image
		}
		if items, ok := service[str+"volumes"].([]any); ok && len(in.mounts) > 0 {
			service[str+"volumes"] = without(items, in.mounts)
		}
	}
}

func without(items []any, gone map[int]bool) []any {
	left := []any{}
	for i, item := range items {
		if !gone[i] {
			left = append(left, item)
		}
	}
	return left
}
