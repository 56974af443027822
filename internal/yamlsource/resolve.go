package yamlsource

import (
	"slices"

	"go.yaml.in/yaml/v3"
)

// Pair is an entry of a mapping.
type Pair struct {
	Key, Value *yaml.Node
	// Merge is the value of the << that the entry comes through, nil when the
	// mapping has it itself.
	Merge *yaml.Node
}

// Follow is the node that an alias stands for, or the node itself.
func Follow(n *yaml.Node) *yaml.Node {
	for n != nil && n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}

// IsMerge tells whether a key is YAML's merge key <<.
func IsMerge(key *yaml.Node) bool {
	return key.Kind == yaml.ScalarNode && key.Value == "<<" && key.ShortTag() == "!!merge"
}

// Pairs are the entries that a mapping has once its merge keys are followed:
// its own in their order, then the merged ones that it does not override. A
// node that is no mapping has none.
func Pairs(mapping *yaml.Node) []Pair {
	mapping = Follow(mapping)
	if mapping == nil || mapping.Kind != yaml.MappingNode {
		return nil
	}
	var own, merged []Pair
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		key, value := mapping.Content[i], mapping.Content[i+1]
		if !IsMerge(key) {
			own = append(own, Pair{Key: key, Value: value})
			continue
		}
		for _, source := range mergeSources(value) {
			merged = append(merged, through(value, Pairs(source))...)
		}
	}
	return firstOfEach(slices.Concat(own, merged))
}

func mergeSources(value *yaml.Node) []*yaml.Node {
	if target := Follow(value); target.Kind == yaml.SequenceNode {
		return target.Content
	}
	return []*yaml.Node{value}
}

func through(merge *yaml.Node, pairs []Pair) []Pair {
	for i := range pairs {
		pairs[i].Merge = merge
	}
	return pairs
}

func firstOfEach(pairs []Pair) []Pair {
	seen := map[string]bool{}
	return slices.DeleteFunc(pairs, func(p Pair) bool {
		key := Follow(p.Key)
		id := key.ShortTag() + " " + key.Value
		again := seen[id]
		seen[id] = true
		return again
	})
}

// Get is the entry of a mapping with the given key, merge keys followed.
func Get(mapping *yaml.Node, key string) (Pair, bool) {
	for _, pair := range Pairs(mapping) {
		if k := Follow(pair.Key); k.Value == key && k.ShortTag() == "!!str" {
			return pair, true
		}
	}
	return Pair{}, false
}

// MergeOf is the value of the << through which a mapping would have a key if it
// did not have it itself, nil when there is none.
func MergeOf(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if !IsMerge(mapping.Content[i]) {
			continue
		}
		for _, source := range mergeSources(mapping.Content[i+1]) {
			if _, found := Get(source, key); found {
				return mapping.Content[i+1]
			}
		}
	}
	return nil
}

// Lookup is the value of Get with its alias followed, nil when there is none.
func Lookup(mapping *yaml.Node, key string) *yaml.Node {
	pair, found := Get(mapping, key)
	if !found {
		return nil
	}
	return Follow(pair.Value)
}

// IsNull tells whether a node is absent or YAML's null.
func IsNull(n *yaml.Node) bool {
	return n == nil || n.Kind == 0 || (n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null")
}
