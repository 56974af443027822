package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/bundle"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/yamlsource"
)

// given is what the inputs say about images, by service.
type given struct {
	images, tags, digests map[string]string
	// broken tells that an input could not be read. The problem is reported by
	// then, and must not make it look as if services had no image.
	broken bool
}

// images reads the three inputs and holds each entry against the rules.
func (c config) images() (given, error) {
	var g given
	var problems []error
	for _, one := range []struct {
		input, text string
		into        *map[string]string
		check       func(string) error
	}{
		{"images", c.Images, &g.images, checkReference},
		{"tags", c.Tags, &g.tags, image.CheckTag},
		{"digests", c.Digests, &g.digests, image.CheckDigest},
	} {
		var err error
		if *one.into, err = parseServices(one.input, one.text, one.check); err != nil {
			problems = append(problems, err)
			g.broken = true
		}
	}
	if len(g.images) > 0 && len(g.tags)+len(g.digests) > 0 {
		problems = append(problems, action.BadInput("images", "is given beside tags or digests; "+
			"give whole references in images, or tags and digests for the repositories in the deploy file"))
	}
	return g, errors.Join(problems...)
}

func parseServices(input, text string, check func(string) error) (map[string]string, error) {
	if text == "" {
		return nil, nil
	}
	var entries map[string]string
	if err := json.Unmarshal([]byte(text), &entries); err != nil {
		return nil, action.BadInput(input, "%q is no JSON object of texts by service, such as {\"frontend\":\"…\"}: %w", shortened(text), err)
	}
	var problems []error
	for _, service := range slices.Sorted(maps.Keys(entries)) {
		if err := check(entries[service]); err != nil {
			problems = append(problems, action.BadInput(input, "service %q: %w", service, err))
		}
	}
	return entries, errors.Join(problems...)
}

func shortened(text string) string {
	if runes := []rune(text); len(runes) > 80 {
		return string(runes[:80]) + "…"
	}
	return text
}

func checkReference(text string) error {
	ref, err := image.Parse(text)
	if err == nil && ref.Tag == "" && ref.Digest == "" {
		return fmt.Errorf("%q has neither tag nor digest, so it could be any image; write repository:tag or, better, repository:tag@sha256:…", text)
	}
	return err
}

// references are the images to be written into the file, by service. What
// services the file has is the renderer's to check: a name that is not in it
// is passed on for that.
func (g given) references(file deployFile, registry string) (map[string]image.Reference, error) {
	there, readable := file.images()
	refs := map[string]image.Reference{}
	if g.broken || !readable {
		for _, service := range slices.Concat(slices.Collect(maps.Keys(there)), g.services()) {
			refs[service] = unknownImage
		}
		return refs, nil
	}
	var problems []error
	for _, service := range g.services() {
		ref, err := g.reference(service, there, file, registry)
		if err != nil {
			problems = append(problems, err)
		}
		refs[service] = ref
	}
	return refs, errors.Join(problems...)
}

// unknownImage stands for an image that a reported problem keeps from being
// known, while the rest of the file is checked.
var unknownImage = image.Reference{Repository: "unknown"}

func (g given) services() []string {
	all := slices.Concat(slices.Collect(maps.Keys(g.images)), slices.Collect(maps.Keys(g.tags)), slices.Collect(maps.Keys(g.digests)))
	slices.Sort(all)
	return slices.Compact(all)
}

func (g given) reference(service string, there map[string]string, file deployFile, registry string) (image.Reference, error) {
	if text, ok := g.images[service]; ok {
		return image.Parse(text)
	}
	text, ok := there[service]
	if file.kind == bundle.DockerrunV1 {
		text, ok = there[""], true
	}
	if !ok {
		return unknownImage, nil // no such service: the renderer says so
	}
	ref, err := repository(text)
	if err != nil {
		return unknownImage, fmt.Errorf("%s: service %q: %w; give the whole reference in the input images", file.path, service, err)
	}
	if registry != image.DockerHub {
		ref = ref.In(registry)
	}
	return ref.WithTag(g.tags[service]).WithDigest(g.digests[service]), nil
}

// repository reads the image of a deploy file without its tag, which may hold
// a variable, since it is replaced.
func repository(text string) (image.Reference, error) {
	if text == "" {
		return image.Reference{}, errors.New("has no image whose repository the tag could go onto")
	}
	name := text
	if variable := strings.Index(text, "$"); variable >= 0 {
		tag := strings.LastIndex(text[:variable], ":")
		if tag <= strings.LastIndex(text[:variable], "/") {
			return image.Reference{}, fmt.Errorf("its image %q has a variable in the repository", text)
		}
		name = text[:tag]
	}
	return image.Parse(name)
}

// images are those that the file names, by service; under "" for the single
// one of a Dockerrun.aws.json v1. A service without one has "". readable is
// false for a file whose problems the renderer is to tell.
func (f deployFile) images() (there map[string]string, readable bool) {
	var content struct {
		Services map[string]struct {
			Image string `yaml:"image"`
		} `yaml:"services"`
		Containers []struct {
			Name  string `yaml:"name"`
			Image string `yaml:"image"`
		} `yaml:"containerDefinitions"`
		Image struct {
			Name string `yaml:"Name"`
		} `yaml:"Image"`
	}
	source, readable := yamlsource.Repair(f.source)
	if !readable || yaml.Unmarshal(source, &content) != nil {
		return nil, false
	}
	there = map[string]string{}
	for name, service := range content.Services {
		there[name] = service.Image
	}
	for _, container := range content.Containers {
		there[container.Name] = container.Image
	}
	if f.kind == bundle.DockerrunV1 {
		there[""] = content.Image.Name
	}
	return there, true
}

// written is a reference as the deploy file takes it: Compose reads tag and
// digest together, the agent behind Dockerrun.aws.json only one of them.
func written(kind bundle.Kind, ref image.Reference) string {
	if kind != bundle.Compose && ref.Digest != "" {
		ref.Tag = ""
	}
	return ref.String()
}
