package bundle

import (
	"github.com/guk0/travois/internal/yamlsource"
)

// Image is what a deploy file says about the image of a service or container.
type Image struct {
	// Text is as the author wrote it, variables included; empty where the
	// service has build or extends instead.
	Text string
	// Line counts from 1 in the source.
	Line int
	// Build tells that the service has build.
	Build bool
}

// Images are those of a deploy file, by service or container; the single one
// of a Dockerrun.aws.json version 1 is under "". What the renderer refuses is
// left out. readable is false for a file that has no readable content, not even
// with tabs and placeholders seen as meant.
func Images(kind Kind, src []byte) (all map[string]Image, readable bool) {
	if kind != Compose {
		return dockerrunImages(kind, src)
	}
	repaired, ok := yamlsource.Repair(src)
	if !ok {
		return nil, false
	}
	d, err := yamlsource.Parse("", repaired)
	if err != nil {
		return nil, false
	}
	all = map[string]Image{}
	for _, pair := range yamlsource.Pairs(yamlsource.Lookup(d.Root, "services")) {
		if image, ok := composeImage(pair); ok {
			all[yamlsource.Follow(pair.Key).Value] = image
		}
	}
	return all, true
}

func composeImage(service yamlsource.Pair) (Image, bool) {
	image, hasImage := yamlsource.Get(service.Value, "image")
	_, build := yamlsource.Get(service.Value, "build")
	_, extends := yamlsource.Get(service.Value, "extends")
	if !hasImage {
		return Image{Line: service.Key.Line, Build: build}, build || extends
	}
	if !isText(image.Value) {
		return Image{}, false
	}
	return Image{Text: yamlsource.Follow(image.Value).Value, Line: image.Key.Line, Build: build}, true
}

func dockerrunImages(kind Kind, src []byte) (map[string]Image, bool) {
	root, _ := parseJSON("", src)
	if root == nil {
		return nil, false
	}
	all := map[string]Image{}
	add := func(name string, v *value) {
		if v.text() != "" {
			all[name] = Image{Text: v.text(), Line: v.line}
		}
	}
	if kind == DockerrunV1 {
		add("", root.get("Image").get("Name"))
		return all, true
	}
	if definitions := root.get("containerDefinitions"); definitions != nil {
		for _, m := range definitions.members {
			add(m.value.get("name").text(), m.value.get("image"))
		}
	}
	return all, true
}
