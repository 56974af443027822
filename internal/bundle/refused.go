package bundle

import (
	"context"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// refusals find what Docker Compose refuses beyond the schema: values that it
// can't read, and names of nothing that is declared. The library that it loads a
// file with judges, and stops at the first problem; so a file that it refuses is
// given to it in pieces, each among stand-ins for the rest.
type refusals struct {
	*violations
	// file is what Docker Compose would load; what is refused is taken out.
	file map[string]any
}

// anyImage stands for those that are rendered or looked up elsewhere.
const anyImage = "image"

func (v *violations) refused(ctx context.Context, content map[string]any) {
	r := refusals{violations: v, file: content}
	maps.DeleteFunc(content, func(key string, value any) bool {
		_, section := value.(map[string]any)
		return !section || !slices.Contains(keysAt("#"), key)
	})
	for _, service := range r.services() {
		delete(service, "build")
		service["image"] = anyImage
		if base, _ := service["extends"].(map[string]any); base["file"] != nil {
			delete(service, "extends")
		}
	}
	if loads(ctx, content) == nil {
		return
	}
	for _, section := range slices.Sorted(maps.Keys(content)) {
		if section != "services" {
			r.section(ctx, section)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.services())) {
		r.service(ctx, name)
	}
	r.together(ctx)
}

func (r refusals) services() map[string]map[string]any {
	all := map[string]map[string]any{}
	declared, _ := r.file["services"].(map[string]any)
	for name, one := range declared {
		if service, is := one.(map[string]any); is {
			all[name] = service
		}
	}
	return all
}

// section takes each of the networks, volumes, configs or secrets by itself.
func (r refusals) section(ctx context.Context, section string) {
	declared := r.file[section].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(declared)) {
		alone := map[string]any{section: map[string]any{name: declared[name]}, "services": map[string]any{"service": map[string]any{"image": anyImage}}}
		if err := loads(ctx, alone); err != nil {
			r.refuse([]string{section, name}, err)
			// Whoever uses it is not to be told that it is not there.
			declared[name] = standIn(section)
		}
	}
}

// standIn is a volume, network, config or secret with nothing to refuse.
func standIn(section string) any {
	switch section {
	case "configs", "secrets":
		return map[string]any{"external": true}
	case "models":
		return map[string]any{"model": "model"}
	}
	return nil
}

// service takes each key of a service by itself, then all that is left.
func (r refusals) service(ctx context.Context, name string) {
	service := r.services()[name]
	if r.with(ctx, name, service) == nil {
		return
	}
	for _, key := range slices.Sorted(maps.Keys(service)) {
		if key == "image" {
			continue
		}
		at := []string{"services", name, key}
		if err := r.with(ctx, name, map[string]any{key: service[key]}); err != nil {
			r.part(ctx, at, service[key], err, func(one any) error { return r.with(ctx, name, map[string]any{key: one}) })
			delete(service, key)
		}
	}
	if err := r.with(ctx, name, r.known(name)); err != nil {
		r.report([]string{"services", name}, err)
		clear(service)
		service["image"] = anyImage
	}
}

// with loads a service that has these keys, among stand-ins for the others.
func (r refusals) with(ctx context.Context, name string, keys map[string]any) error {
	services := map[string]any{}
	for other := range r.services() {
		services[other] = map[string]any{"image": anyImage}
	}
	own := maps.Clone(keys)
	own["image"] = anyImage
	services[name] = own
	file := maps.Clone(r.file)
	file["services"] = services
	return loads(ctx, file)
}

// part goes down into a value that is refused, to the items or entries that are.
func (r refusals) part(ctx context.Context, at []string, value any, why error, load func(any) error) {
	found := false
	below := func(step string, item any, wrap func(any) any) {
		inner := func(one any) error { return load(wrap(one)) }
		if err := inner(item); err != nil && (independent(at) || err.Error() == why.Error()) {
			found = true
			r.part(ctx, append(slices.Clone(at), step), item, err, inner)
		}
	}
	switch v := value.(type) {
	case []any:
		if !independent(at) && !slices.ContainsFunc(v, func(item any) bool { return load([]any{item}) == nil }) {
			break // it is about the whole list
		}
		for i, item := range v {
			below(strconv.Itoa(i), item, func(one any) any { return []any{one} })
		}
	case map[string]any:
		if len(at) == 4 && undeclared.MatchString(why.Error()) {
			break // its name is what is refused
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			below(key, v[key], func(one any) any { return map[string]any{key: one} })
		}
	}
	if !found {
		r.refuse(at, why)
	}
}

// whole are the keys of a service of which no entry says something by itself.
var whole = []string{"blkio_config", "provider", "credential_spec", "develop", "extends"}

// independent tells that each entry at a key of a service says something by
// itself.
func independent(at []string) bool { return len(at) == 3 && !slices.Contains(whole, at[2]) }

// together finds what only the whole file shows, such as services that wait for
// each other.
func (r refusals) together(ctx context.Context) {
	services := map[string]any{}
	for name := range r.services() {
		services[name] = r.known(name)
	}
	r.file["services"] = services
	err := loads(ctx, r.file)
	if err == nil {
		return
	}
	at := []string{"services"}
	if found := namedInError.FindStringSubmatch(err.Error()); found != nil {
		if name := found[1] + found[2] + found[3]; services[name] != nil {
			at = append(at, name)
		}
	}
	r.report(at, err)
}

var namedInError = regexp.MustCompile(`services\.([A-Za-z0-9_-]+)|service "([^"]+)"|cycle detected: (\S+) ->`)

// refuse reports a part, unless it is known already, or its value is not, since
// it has a variable.
func (r refusals) refuse(at []string, err error) {
	value, where := r.node(at)
	told := r.lines[where.Line]
	yamlsource.Walk(value, func(n *yaml.Node) { told = told || r.lines[n.Line] || varies(n.Value) })
	if !told {
		r.report(at, err)
	}
}

func (r refusals) report(at []string, err error) {
	_, where := r.node(at)
	r.add(where, "%s: Docker Compose refuses it: %s", called(at), r.plainly(err))
}

func varies(text string) bool { return strings.Contains(strings.ReplaceAll(text, "$$", ""), "$") }

// known are the keys of a service without a variable in their values.
func (r refusals) known(name string) map[string]any {
	keys := map[string]any{}
	for key, value := range r.services()[name] {
		varied := false
		node, _ := r.node([]string{"services", name, key})
		yamlsource.Walk(node, func(n *yaml.Node) { varied = varied || varies(n.Value) })
		if !varied || key == "image" {
			keys[key] = value
		}
	}
	return keys
}

var (
	// aroundReason is what the library says besides: where it was, which is told
	// already.
	aroundReason = regexp.MustCompile(`^validating \S+: |^error while interpolating \S+: |failed to cast to expected type: |decoding failed due to the following error\(s\): |'services\[[^']*' |^[\w.\[\]-]+\.[\w.\[\]-]+: |: invalid compose project$`)
	undeclared   = regexp.MustCompile(`undefined (service|network|volume|config|secret|model) "?([^"\s:]+)"?`)
)

// plainly is what the library says, on one line, with what may be meant.
func (r refusals) plainly(err error) string {
	text := aroundReason.ReplaceAllString(strings.Join(strings.Fields(err.Error()), " "), "")
	found := undeclared.FindStringSubmatch(text)
	if found == nil {
		return text
	}
	section := found[1] + "s"
	declared, _ := r.file[section].(map[string]any)
	if hint := didYouMean(found[2], slices.Sorted(maps.Keys(declared))); hint != "" {
		return text + hint
	}
	return fmt.Sprintf("%s; declare it in %s: of the file, or take it out here", text, section)
}

// loads tells what Docker Compose has against a file.
func loads(ctx context.Context, file map[string]any) (err error) {
	defer func() {
		if r := recover(); r != nil { // by a type that the schema has reported
			err = fmt.Errorf("it can't be read: %v", r)
		}
	}()
	logrus.SetOutput(io.Discard)
	details := types.ConfigDetails{WorkingDir: "/", Environment: types.Mapping{}}
	details.ConfigFiles = []types.ConfigFile{{Filename: dockerComposeName, Config: copyValue(file).(map[string]any)}}
	_, err = loader.LoadWithContext(ctx, details, func(o *loader.Options) {
		o.SetProjectName("travois", true)
		o.ResolvePaths = false
		o.SkipResolveEnvironment, o.SkipResolveLabels = true, true
		o.Profiles = []string{"*"} // a property COMPOSE_PROFILES may choose any
	})
	return err
}
