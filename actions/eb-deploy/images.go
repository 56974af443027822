package ebdeploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/bundle"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/place"
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
	if err := repeated([]byte(text)); err != nil {
		problems = append(problems, action.BadInput(input, "%w", err))
	}
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
	if file.kind == bundle.Dockerfile {
		return nil, g.unwanted(file)
	}
	there, readable := bundle.Images(file.kind, file.source)
	if g.broken || !readable {
		return g.placeholders(file, there), nil
	}
	refs := map[string]image.Reference{}
	problems := g.floating(file, there)
	for _, service := range g.services() {
		ref, err := g.reference(service, there, file, registry)
		if err != nil {
			problems = append(problems, err)
		}
		refs[service] = ref
	}
	return refs, errors.Join(problems...)
}

// unwanted refuses images for a file that takes none.
func (g given) unwanted(file deployFile) error {
	if services := g.services(); len(services) > 0 {
		return place.At(file.path, 0, fmt.Errorf("images are given for %s, and a Dockerfile takes none, since the instances build it: write a %s that names them, or leave images, tags and digests out", strings.Join(services, ", "), composeName))
	}
	return nil
}

// unknownImage stands for an image that a reported problem keeps from being
// known, while the rest of the file is checked.
var unknownImage = image.Reference{Repository: "unknown"}

// placeholders are unknown images for all that may need one. Version 1 of
// Dockerrun.aws.json needs one under any name.
func (g given) placeholders(file deployFile, there map[string]bundle.Image) map[string]image.Reference {
	services := g.services()
	switch {
	case file.kind != bundle.DockerrunV1:
		services = slices.AppendSeq(services, maps.Keys(there))
	case len(services) == 0:
		services = []string{"image"}
	}
	refs := map[string]image.Reference{}
	for _, service := range services {
		refs[service] = unknownImage
	}
	return refs
}

// floating refuses images that are deployed as the file has them although it
// pins none: nobody could tell what runs then. Services with build are the
// renderer's to refuse.
func (g given) floating(file deployFile, there map[string]bundle.Image) []error {
	services := g.services()
	if file.kind == bundle.DockerrunV1 && len(services) > 0 {
		return nil
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(there)) {
		found := there[name]
		if found.Build || found.Text == "" || slices.Contains(services, name) || pinned(found.Text) {
			continue
		}
		problems = append(problems, place.At(file.path, found.Line, fmt.Errorf("no image is given for %s, and its image %q has neither tag nor digest, so it could be any image: "+
			"pass images, or tags and digests (an output that holds a secret's value arrives empty), or write a tag in the file", file.called(name), found.Text)))
	}
	return problems
}

// called is a service as the file's kind calls it.
func (f deployFile) called(service string) string {
	switch {
	case f.kind == bundle.Compose:
		return fmt.Sprintf("service %q", service)
	case service == "":
		return "the container"
	}
	return fmt.Sprintf("container %q", service)
}

var variable = regexp.MustCompile(`\$(\{[^}]*\}+|\w+)`)

// pinned tells whether the last part of an image's name has a tag or a digest,
// or a variable that may hold one.
func pinned(text string) bool {
	text = variable.ReplaceAllString(text, ":")
	return strings.ContainsAny(text[strings.LastIndex(text, "/")+1:], ":@")
}

func (g given) services() []string {
	all := slices.Concat(slices.Collect(maps.Keys(g.images)), slices.Collect(maps.Keys(g.tags)), slices.Collect(maps.Keys(g.digests)))
	slices.Sort(all)
	return slices.Compact(all)
}

func (g given) reference(service string, there map[string]bundle.Image, file deployFile, registry string) (image.Reference, error) {
	if text, ok := g.images[service]; ok {
		return image.Parse(text)
	}
	name := service
	if file.kind == bundle.DockerrunV1 {
		name = ""
	}
	found, ok := there[name]
	if !ok {
		return unknownImage, nil // no such service, or none that can be: the renderer says so
	}
	ref, err := repository(found.Text)
	if err != nil {
		return unknownImage, place.At(file.path, found.Line, fmt.Errorf("%s: %w; give the whole reference in the input images", file.called(name), err))
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

// written is a reference as the deploy file takes it: Compose reads tag and
// digest together, the agent behind Dockerrun.aws.json only one of them.
func written(kind bundle.Kind, ref image.Reference) string {
	if kind != bundle.Compose && ref.Digest != "" {
		ref.Tag = ""
	}
	return ref.String()
}
