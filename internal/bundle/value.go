package bundle

import (
	"fmt"
	"maps"
	"strings"

	"go.yaml.in/yaml/v3"
)

// copyValue is a deep copy, since the library changes what it is given.
func copyValue(value any) any {
	switch v := value.(type) {
	case map[string]any:
		all := maps.Clone(v)
		for key, one := range v {
			all[key] = copyValue(one)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, one := range v {
			all[i] = copyValue(one)
		}
		return all
	}
	return value
}

// unkept is a value without the protection of paths.
func unkept(value any) any {
	switch v := value.(type) {
	case map[string]any:
		all := map[string]any{}
		for key, one := range v {
			all[strings.ReplaceAll(key, kept, "")] = unkept(one)
		}
		return all
	case []any:
		all := make([]any, len(v))
		for i, one := range v {
			all[i] = unkept(one)
		}
		return all
	case string:
		return strings.ReplaceAll(v, kept, "")
	}
	return value
}

// valueOf decodes a node without aliases. A key that is no text is made one.
func valueOf(n *yaml.Node) (any, bool) {
	switch n.Kind {
	case yaml.MappingNode:
		all := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			value, ok := valueOf(n.Content[i+1])
			if !ok {
				return nil, false
			}
			all[n.Content[i].Value] = value
		}
		return all, true
	case yaml.SequenceNode:
		all := []any{}
		for _, item := range n.Content {
			value, ok := valueOf(item)
			if !ok {
				return nil, false
			}
			all = append(all, value)
		}
		return all, true
	}
	var value any
	if err := n.Decode(&value); err != nil {
		return nil, false
	}
	return value, true
}

// nodeOf writes a value as a node.
func nodeOf(value any) (*yaml.Node, error) {
	var n yaml.Node
	if err := n.Encode(value); err != nil {
		return nil, fmt.Errorf("write %v: %w", value, err)
	}
	return &n, nil
}
