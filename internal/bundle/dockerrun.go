package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/guk0/travois/internal/place"
)

// versionKey is written exactly so. Source: the Elastic Beanstalk guide,
// "Dockerrun.aws.json".
const versionKey = "AWSEBDockerrunVersion"

// RenderDockerrun writes images into a Dockerrun.aws.json. Version 2 takes
// them by the name of the container; version 1 has one image, whatever name it
// is given under. Version 3 names no images and is refused. Only the text of
// each image changes. The error reports every problem, each with its line.
func RenderDockerrun(filename string, src []byte, images map[string]string, opts ...Option) (Rendered, error) {
	root, err := parseJSON(filename, src)
	if root == nil {
		return Rendered{}, err
	}
	r := &dockerrun{file: filename, source: src, images: images, options: collect(opts)}
	r.add(err)
	r.render(root)
	rendered := Rendered{file: filename, needs: slices.Concat(namedByDockerrun(root), r.needs), pulled: r.pulled}
	if err := errors.Join(r.problems...); err != nil {
		return rendered, err
	}
	content, err := r.write()
	if err != nil {
		return Rendered{}, fmt.Errorf("internal error: render %s: %w", filename, err)
	}
	rendered.Content, rendered.Changes = content, r.changes
	return rendered, nil
}

// dockerrun is a Dockerrun.aws.json being examined.
type dockerrun struct {
	file     string
	source   []byte
	images   map[string]string
	options  options
	problems []error
	changes  []Change
	edits    []edit
	// needs and pulled are as in Rendered.
	needs  []named
	pulled bool
	// paths lead to what is edited, for the proof.
	paths [][]any
}

func (r *dockerrun) add(err error) {
	if err != nil {
		r.problems = append(r.problems, err)
	}
}

func (r *dockerrun) problem(line int, format string, args ...any) {
	r.add(place.At(r.file, line, fmt.Errorf(format, args...)))
}

func (r *dockerrun) render(root *value) {
	kind, err := dockerrunKind(r.file, root)
	r.add(err)
	switch kind {
	case DockerrunV1:
		r.version1(root)
		r.keys("", root, dockerrunKeys[kind])
	case DockerrunV2:
		r.version2(root)
		r.keys("", root, dockerrunKeys[kind])
	case DockerrunV3:
		r.problem(root.get(versionKey).line, "version 3 only tells a docker-compose.yml beside it how to log in; it names no image to deploy: pass the docker-compose.yml as the deploy file")
	}
}

func (r *dockerrun) version1(root *value) {
	if len(r.images) > 1 {
		r.problem(0, "version 1 runs one container; %d images are given: %s", len(r.images), list(slices.Collect(maps.Keys(r.images))))
	}
	image, name := root.get("Image"), root.get("Image").get("Name")
	if image == nil && r.options.built && len(r.images) == 0 {
		r.needs = append(r.needs, named{path: string(Dockerfile), line: root.line, what: "no Image is named, and"})
		return
	}
	if name.text() == "" {
		r.problem(lineOf(name, image, root), `Image.Name is %s; version 1 deploys the image it names: write "Image": {"Name": "guk0/app"}, or have the instances build a Dockerfile beside it, with bundle: source and no images given`, name.kind())
		return
	}
	r.pulled = true
	ports := root.get("Ports")
	if ports == nil || !ports.list || len(ports.members) == 0 || ports.members[0].value.get("ContainerPort") == nil {
		r.problem(lineOf(ports, root), `Ports names no ContainerPort, which Image requires: write "Ports": [{"ContainerPort": 80}]`)
	}
	for service, to := range r.images {
		r.add(unknownImages(r.file, "service", r.images, []string{service}))
		r.set(service, name, to, "Image", "Name")
		return
	}
}

func (r *dockerrun) version2(root *value) {
	definitions := root.get("containerDefinitions")
	if definitions == nil || !definitions.list || len(definitions.members) == 0 {
		r.problem(lineOf(definitions, root), "containerDefinitions is %s; write a list with an object for each container%s", definitions.kind(), misspelt(root, "containerDefinitions"))
		return
	}
	lines := map[string]int{}
	for i, m := range definitions.members {
		name := r.container(i, m.value)
		if first, twice := lines[name]; twice && name != "" {
			r.problem(m.value.line, "container %q is defined twice, first on line %d: give each its own name", name, first)
		}
		lines[name] = m.value.line
		if to, given := r.images[name]; given && m.value.get("image").text() != "" {
			r.set(name, m.value.get("image"), to, "containerDefinitions", i, "image")
		}
	}
	r.oneEssential(definitions)
	delete(lines, "")
	names := slices.Sorted(maps.Keys(lines))
	for _, m := range definitions.members {
		r.references(m.value, names, volumeNames(root))
	}
	r.add(unknownImages(r.file, "container", r.images, names))
}

// oneEssential refuses what ECS refuses: a task that nothing keeps up. A
// container is essential unless it says otherwise.
// Source: the Amazon ECS developer guide, "Task definition parameters".
func (r *dockerrun) oneEssential(definitions *value) {
	for _, m := range definitions.members {
		if m.value.get("essential") == nil || m.value.get("essential").scalar != false {
			return
		}
	}
	r.problem(definitions.line, `no container is essential, and ECS takes no task without one: write "essential": true in the one that the app cannot do without`)
}

// container checks what the ECS platform requires of each.
func (r *dockerrun) container(i int, c *value) string {
	if !c.object {
		r.problem(c.line, "containerDefinitions[%d] is %s; write an object with name, image and memory", i, c.kind())
		return ""
	}
	name := c.get("name").text()
	label := fmt.Sprintf("container %q", name)
	if name == "" {
		label = fmt.Sprintf("containerDefinitions[%d]", i)
		r.problem(lineOf(c.get("name"), c), "%s: name is %s; write a text", label, c.get("name").kind())
	}
	if c.get("image").text() == "" {
		r.problem(lineOf(c.get("image"), c), "%s: image is %s; write a text such as guk0/app", label, c.get("image").kind())
	}
	if c.get("memory") == nil && c.get("memoryReservation") == nil {
		r.problem(c.line, "%s has neither memory nor memoryReservation: add one of them, in MiB, such as \"memory\": 128", label)
	}
	for _, m := range c.members {
		if (m.key == "memory" || m.key == "memoryReservation") && !positive(m.value) {
			r.problem(m.keyLine, "%s: %s is %s; write a number of MiB, such as 128", label, m.key, m.value.kind())
		}
	}
	return name
}

func positive(v *value) bool {
	number, ok := v.scalar.(json.Number)
	if !ok {
		return false
	}
	n, err := number.Int64()
	return err == nil && n > 0
}

func misspelt(root *value, key string) string {
	if root.get(key) != nil {
		return ""
	}
	for _, m := range root.members {
		if didYouMean(m.key, []string{key}) != "" {
			return fmt.Sprintf("; is %q on line %d meant to be it?", m.key, m.keyLine)
		}
	}
	return ""
}

// set replaces a string value.
func (r *dockerrun) set(service string, v *value, to string, path ...any) {
	if v.text() == to {
		return
	}
	quoted, err := quoteJSON(to)
	if err != nil {
		r.add(err)
		return
	}
	r.edits = append(r.edits, edit{v.from, v.to, quoted})
	r.paths = append(r.paths, append(path, to))
	r.changes = append(r.changes, imageChange(v.line, service, v.text(), to))
}

func quoteJSON(s string) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(s)
	return string(bytes.TrimSuffix(out.Bytes(), []byte("\n"))), err
}

// write makes the edits and proves that nothing else changed.
func (r *dockerrun) write() ([]byte, error) {
	content, err := apply(r.source, r.edits)
	if err != nil {
		return nil, err
	}
	var want, got any
	if err := errors.Join(json.Unmarshal(bytes.TrimPrefix(r.source, bom), &want), json.Unmarshal(bytes.TrimPrefix(content, bom), &got)); err != nil {
		return nil, err
	}
	for _, path := range r.paths {
		assign(want, path)
	}
	if !reflect.DeepEqual(want, got) {
		return nil, errDiffers
	}
	return content, nil
}

// assign follows keys and indexes to a place and puts the path's last there.
func assign(v any, path []any) {
	for len(path) > 2 {
		switch step := path[0].(type) {
		case string:
			v = v.(map[string]any)[step]
		case int:
			v = v.([]any)[step]
		}
		path = path[1:]
	}
	v.(map[string]any)[path[0].(string)] = path[1]
}

// lineOf is the line of the first value that there is.
func lineOf(values ...*value) int {
	for _, v := range values {
		if v != nil {
			return v.line
		}
	}
	return 0
}
