package migrate

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// deployFiles knows which service of the deploy file an image is for, since
// eb-deploy puts an image where its service's name is.
type deployFiles struct {
	// file is the one that names were taken from.
	file string
	// byImage and byContext are service names.
	byImage, byContext map[string]string
	services           []string
	// single tells that the file has one image, whatever its name.
	single bool
}

// readDeployFiles reads docker-compose.yml, else Dockerrun.aws.json, where they
// can be read.
func readDeployFiles(read func(string) ([]byte, bool)) deployFiles {
	d := deployFiles{byImage: map[string]string{}, byContext: map[string]string{}}
	for _, name := range []string{"docker-compose.yml", "docker-compose.yaml", "compose.yml", "compose.yaml", "Dockerrun.aws.json"} {
		content, ok := read(name)
		if !ok {
			continue
		}
		if mended, ok := yamlsource.Repair(content); ok {
			content = mended
		}
		// JSON is YAML.
		doc, err := yamlsource.Parse(name, content)
		if err != nil {
			continue
		}
		d.file = name
		d.compose(doc.Root)
		d.dockerrun(doc.Root)
		if len(d.services) > 0 || d.single {
			return d
		}
	}
	return d
}

func (d *deployFiles) compose(root *yaml.Node) {
	for _, pair := range yamlsource.Pairs(yamlsource.Lookup(root, "services")) {
		name := yamlsource.Follow(pair.Key).Value
		d.add(name, scalar(yamlsource.Lookup(pair.Value, "image")))
		build := yamlsource.Lookup(yamlsource.Follow(pair.Value), "build")
		context := scalar(build)
		if context == "" {
			context = scalar(yamlsource.Lookup(build, "context"))
		}
		if context != "" {
			d.byContext[path.Clean(context)] = name
		}
	}
}

func (d *deployFiles) dockerrun(root *yaml.Node) {
	definitions := yamlsource.Lookup(root, "containerDefinitions")
	if definitions == nil {
		d.single = yamlsource.Lookup(root, "Image") != nil
		return
	}
	for _, item := range definitions.Content {
		d.add(scalar(yamlsource.Lookup(item, "name")), scalar(yamlsource.Lookup(item, "image")))
	}
}

func (d *deployFiles) add(name, image string) {
	d.services = append(d.services, name)
	if image != "" {
		repository, _ := splitTag(literal(image))
		text, _ := repository.lit()
		d.byImage[strings.TrimPrefix(text, "docker.io/")] = name
	}
}

func scalar(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}

// splitTag splits an image's name into repository and tag.
func splitTag(image arg) (repository, tag arg) {
	for i := len(image) - 1; i >= 0; i-- {
		p := image[i]
		if p.expr != "" {
			continue
		}
		slash, colon := strings.LastIndexByte(p.text, '/'), strings.LastIndexByte(p.text, ':')
		if colon > slash {
			repository = append(append(arg{}, image[:i]...), part{text: p.text[:colon]})
			return joined(repository), joined(append(arg{{text: p.text[colon+1:]}}, image[i+1:]...))
		}
		if slash >= 0 {
			break
		}
	}
	return image, nil
}

// namer gives each service a name of its own.
type namer struct{ taken map[string]bool }

var notInName = regexp.MustCompile(`[^a-z0-9_-]+`)

func slug(text string) string {
	return strings.Trim(notInName.ReplaceAllString(strings.ToLower(text), "-"), "-_")
}

func (n *namer) unique(wishes ...string) string {
	if n.taken == nil {
		n.taken = map[string]bool{}
	}
	last := "app"
	for _, wish := range wishes {
		wish = slug(wish)
		if wish == "" {
			continue
		}
		last = wish
		if !n.taken[wish] {
			n.taken[wish] = true
			return wish
		}
	}
	for i := 2; ; i++ {
		if name := last + "-" + strconv.Itoa(i); !n.taken[name] {
			n.taken[name] = true
			return name
		}
	}
}

// folder is the last element of a context that says something.
func folder(context string) string {
	base := path.Base(path.Clean(context))
	if base == "." || base == ".." || base == "/" || strings.Contains(context, "://") {
		return ""
	}
	return base
}

// imageBase is the last element of a repository.
func imageBase(repository arg) string {
	text := repository.String()
	text = text[strings.LastIndex(text, "/")+1:]
	if strings.Contains(text, "${{") {
		return ""
	}
	return text
}
