package bundle

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// RenderCompose writes images into a Compose file and takes out what cannot be
// deployed: build, and the mounts of a service's own build context, which would
// hide the image. images maps a service to the whole text to write. filename is
// for messages. The error reports every problem of the file and of images, each
// with its line.
func RenderCompose(filename string, src []byte, images map[string]string, opts ...Option) (Rendered, error) {
	d, err := yamlsource.Parse(filename, src)
	if err != nil {
		r, more := examineBroken(filename, src, images, opts)
		return r, errors.Join(err, more)
	}
	plan := examine(d, images, collect(opts))
	r := Rendered{file: filename, needs: namedByCompose(d, plan.intents)}
	if err := errors.Join(plan.problems...); err != nil {
		return r, err
	}
	content, err := rewrite(d, plan.intents)
	if err != nil {
		return Rendered{}, fmt.Errorf("internal error: render %s: %w", filename, err)
	}
	r.Content, r.Changes = content, plan.changes
	return r, nil
}

// examineBroken checks the rest of a file that does not parse, where it does
// once its tabs and placeholders are seen as meant.
func examineBroken(filename string, src []byte, images map[string]string, opts []Option) (Rendered, error) {
	repaired, ok := yamlsource.Repair(src)
	if !ok {
		return Rendered{}, nil
	}
	d, err := yamlsource.Parse(filename, repaired)
	if err != nil {
		return Rendered{}, err
	}
	plan := examine(d, images, collect(opts))
	return Rendered{file: filename, needs: namedByCompose(d, plan.intents)}, errors.Join(plan.problems...)
}

// intent is what is to change in one service.
type intent struct {
	// image is the text to write, empty to leave the image.
	image string
	// drop are the keys to take out.
	drop []string
	// mounts are the indexes of the volumes to take out, if some stay.
	mounts map[int]bool
}

func (in intent) empty() bool { return in.image == "" && len(in.drop) == 0 && len(in.mounts) == 0 }

func (in intent) drops(key string) bool { return slices.Contains(in.drop, key) }

// plan is what examining a file comes to.
type plan struct {
	intents  map[string]intent
	changes  []Change
	problems []error
}

// examination looks at a Compose file with the images given for it.
type examination struct {
	*yamlsource.Document
	options
	images   map[string]string
	services []yamlsource.Pair
	plan
}

func examine(d *yamlsource.Document, images map[string]string, o options) plan {
	x := &examination{Document: d, options: o, images: images, plan: plan{intents: map[string]intent{}}}
	if !x.findServices() {
		return x.plan
	}
	var names []string
	for _, pair := range x.services {
		name := yamlsource.Follow(pair.Key).Value
		names = append(names, name)
		if in := x.service(name, pair); !in.empty() {
			x.intents[name] = in
		}
	}
	if err := unknownImages(d.File, "service", images, names); err != nil {
		x.problems = append(x.problems, err)
	}
	slices.SortStableFunc(x.changes, func(a, b Change) int { return a.Line - b.Line })
	return x.plan
}

func (x *examination) problem(n *yaml.Node, format string, args ...any) {
	x.problems = append(x.problems, x.Errorf(n, format, args...))
}

func (x *examination) changed(n *yaml.Node, service, format string, args ...any) {
	x.changes = append(x.changes, Change{Line: n.Line, Service: service, What: fmt.Sprintf(format, args...)})
}

func (x *examination) findServices() bool {
	if x.Root.Kind != yaml.MappingNode {
		x.problem(x.Root, "a Compose file is a mapping with services: in it; found %s", kindName(x.Root))
		return false
	}
	if include, found := yamlsource.Get(x.Root, "include"); found {
		x.problem(include.Key, "include: reads files that are not rendered: write them into one with `docker compose config`")
	}
	pair, found := yamlsource.Get(x.Root, "services")
	if !found {
		x.problem(x.Root, "no services: in the file; put the services below it")
		return false
	}
	x.services = yamlsource.Pairs(pair.Value)
	if len(x.services) == 0 {
		x.problem(pair.Key, "services: is %s; put a name for each service below it", kindName(yamlsource.Follow(pair.Value)))
		return false
	}
	return true
}

// service checks one service and finds what is to change in it.
func (x *examination) service(name string, pair yamlsource.Pair) intent {
	if key := yamlsource.Follow(pair.Key); key.ShortTag() != "!!str" {
		x.problem(pair.Key, "a service's name is a text; found %s: quote it", kindName(key))
		return intent{}
	}
	service := yamlsource.Follow(pair.Value)
	if service.Kind != yaml.MappingNode {
		x.problem(pair.Key, "service %q is %s; write a mapping with image or build", name, kindName(service))
		return intent{}
	}
	extended := x.extends(name, service)
	image, hasImage := yamlsource.Get(service, "image")
	build, hasBuild := yamlsource.Get(service, "build")
	given, isGiven := x.images[name]
	switch {
	case hasBuild && !isGiven:
		x.problem(build.Key, "service %q has build, and no image is given for it (given: %s): build and push it, and pass its image", name, list(slices.Collect(maps.Keys(x.images))))
	case !hasBuild && !hasImage && !extended:
		x.problem(pair.Key, "service %q has neither image nor build: add one of them", name)
	}
	var in intent
	if hasImage && !isText(image.Value) {
		x.problem(image.Key, "the image of service %q is %s; write a text such as nginx:1.27", name, kindName(yamlsource.Follow(image.Value)))
		x.mounts(&in, name, service)
		return in
	}
	x.setImage(&in, name, pair, image, given, isGiven)
	if hasBuild {
		in.drop = append(in.drop, "build")
		x.changed(build.Key, name, "build removed")
	}
	x.pullPolicy(&in, name, service)
	x.mounts(&in, name, service)
	return in
}

func (x *examination) setImage(in *intent, name string, service, image yamlsource.Pair, given string, isGiven bool) {
	if !isGiven {
		return
	}
	if image.Value == nil {
		in.image = given
		x.changed(service.Key, name, "image %q added", given)
		return
	}
	if was := yamlsource.Follow(image.Value).Value; was != given {
		in.image = given
		x.changes = append(x.changes, imageChange(image.Key.Line, name, was, given))
	}
}

// pullPolicy takes out pull_policy: build, which without build is an error.
func (x *examination) pullPolicy(in *intent, name string, service *yaml.Node) {
	policy, found := yamlsource.Get(service, "pull_policy")
	if found && yamlsource.Follow(policy.Value).Value == "build" {
		in.drop = append(in.drop, "pull_policy")
		x.changed(policy.Key, name, "pull_policy: build removed")
	}
}

// extends tells whether a service takes its settings from another one. One in
// another file is refused, since that file may build.
func (x *examination) extends(name string, service *yaml.Node) bool {
	pair, found := yamlsource.Get(service, "extends")
	if !found {
		return false
	}
	if yamlsource.Lookup(pair.Value, "file") != nil {
		x.problem(pair.Key, "service %q extends one of another file, which is not rendered: write them into one with `docker compose config`", name)
	}
	return true
}

func isText(n *yaml.Node) bool {
	n = yamlsource.Follow(n)
	return n.Kind == yaml.ScalarNode && n.ShortTag() == "!!str" && n.Value != ""
}

func kindName(n *yaml.Node) string {
	switch {
	case yamlsource.IsNull(n):
		return "empty"
	case n.Kind == yaml.MappingNode && len(n.Content) == 0:
		return "an empty mapping"
	case n.Kind == yaml.MappingNode:
		return "a mapping"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	default:
		return fmt.Sprintf("%q", n.Value)
	}
}
