package bundle

import (
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/paths"
	"github.com/compose-spec/compose-go/v2/transform"
	"github.com/compose-spec/compose-go/v2/types"
)

// canonical is a value at a path of a Compose file as the library spells it,
// its paths taken from a folder. ok is false where it can't be spelt.
func canonical(at []string, value any, folder string) (spelt any, ok bool) {
	defer func() {
		if recover() != nil {
			spelt, ok = nil, false
		}
	}()
	whole := copyValue(value)
	for _, key := range slices.Backward(at) {
		whole = map[string]any{key: whole}
	}
	file, isMap := whole.(map[string]any)
	if !isMap {
		return nil, false
	}
	file, err := transform.Canonical(file, true)
	if err != nil || rebase(file, folder) != nil {
		return nil, false
	}
	spelt = file
	for _, key := range at {
		below, isMap := spelt.(map[string]any)
		if !isMap {
			return nil, false
		}
		spelt = below[key]
	}
	// The library's own types are written and read once, to be such as YAML has.
	n, err := nodeOf(spelt)
	if err != nil {
		return nil, false
	}
	return valueOf(n)
}

// rebase takes the paths of a file from a folder of the tree to its root.
func rebase(file map[string]any, folder string) error {
	if err := paths.ResolveRelativePaths(file, folder, nil); err != nil {
		return err
	}
	services, _ := file["services"].(map[string]any)
	for _, one := range services {
		service, _ := one.(map[string]any)
		volumes, _ := service["volumes"].([]any)
		for _, volume := range volumes {
			dotBind(volume)
		}
	}
	return nil
}

// dotBind has the source of a bind begin with a dot, without which Compose 1
// does not take it from the file's folder.
func dotBind(volume any) {
	bind, _ := volume.(map[string]any)
	source, _ := bind["source"].(string)
	if bind["type"] == types.VolumeTypeBind && source != "" && !strings.ContainsRune("./", rune(source[0])) {
		bind["source"] = "./" + source
	}
}
