package bundle

import (
	"path"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// appFolder is where Beanstalk unpacks a bundle on an instance.
// Source: the Elastic Beanstalk guide, "Extending Elastic Beanstalk Linux
// platforms".
const appFolder = "/var/app/current/"

// envFile is the key of files of variables.
const envFile = "env_file"

// named is a path that a deploy file names.
type named struct {
	path    string
	line    int
	service string
	// what it is named as, such as env_file.
	what string
	// optional tells that a missing one is no error.
	optional bool
	// raw is an env_file that is taken as it is, line by line.
	raw bool
	// mount is set for what an engine would create as a folder if missing.
	mount bool
}

// ofBundle makes a path relative to the bundle. It is false for what the
// bundle cannot hold: a path of the host, or one with a variable in it.
func (n named) ofBundle() (string, bool) {
	p := n.path
	if strings.HasPrefix(p+"/", appFolder) {
		p = "./" + strings.TrimPrefix(p+"/", appFolder)
	}
	if p == "" || strings.Contains(p, "$") || p[0] == '/' || p[0] == '~' {
		return "", false
	}
	return path.Clean(p), true
}

// folderLike tells whether a missing mount may be meant as a folder, which an
// engine creates: one without an extension, or with that of folders of
// settings.
func (n named) folderLike() bool {
	extension := path.Ext(strings.TrimLeft(path.Base(n.path), "."))
	return strings.HasSuffix(n.path, "/") || extension == "" || extension == ".d"
}

// namedByCompose lists what a Compose file needs beside itself once the intents
// are carried out.
func namedByCompose(d *yamlsource.Document, intents map[string]intent) []named {
	var all []named
	for _, pair := range yamlsource.Pairs(yamlsource.Lookup(d.Root, "services")) {
		name := yamlsource.Follow(pair.Key).Value
		for _, n := range namedByService(pair.Value, intents[name]) {
			n.service = name
			all = append(all, n)
		}
	}
	for _, section := range []string{"configs", "secrets"} {
		for _, pair := range yamlsource.Pairs(yamlsource.Lookup(d.Root, section)) {
			if file, found := yamlsource.Get(pair.Value, "file"); found {
				all = append(all, named{path: yamlsource.Follow(file.Value).Value, line: file.Key.Line, what: section + ": file"})
			}
		}
	}
	return all
}

func namedByService(service *yaml.Node, in intent) []named {
	var all []named
	for _, key := range []string{envFile, "label_file"} {
		all = append(all, files(key, yamlsource.Lookup(service, key))...)
	}
	volumes := yamlsource.Lookup(service, "volumes")
	if volumes == nil || volumes.Kind != yaml.SequenceNode || in.drops("volumes") {
		return all
	}
	for i, item := range volumes.Content {
		if m := parseMount(item); m.bind && !in.mounts[i] {
			all = append(all, named{path: m.source, line: item.Line, what: "volume", mount: !m.mustExist})
		}
	}
	return all
}

// files reads a text, a list of texts, or a list of path and required.
func files(what string, n *yaml.Node) []named {
	switch {
	case yamlsource.IsNull(n):
		return nil
	case n.Kind == yaml.ScalarNode:
		return []named{{path: n.Value, line: n.Line, what: what}}
	case n.Kind == yaml.MappingNode:
		return []named{{path: text(n, "path"), line: n.Line, what: what, optional: text(n, "required") == "false", raw: text(n, "format") == "raw"}}
	}
	var all []named
	for _, item := range n.Content {
		all = append(all, files(what, yamlsource.Follow(item))...)
	}
	return all
}

// namedByDockerrun lists the folders of the bundle that containers mount by
// the path that they have on an instance.
func namedByDockerrun(root *value) []named {
	var all []named
	for _, section := range []string{"volumes", "Volumes"} {
		list := root.get(section)
		if list == nil {
			continue
		}
		for _, m := range list.members {
			for _, v := range []*value{m.value.get("host").get("sourcePath"), m.value.get("HostDirectory")} {
				if v.text() != "" {
					all = append(all, named{path: v.text(), line: v.line, what: "volume", mount: true})
				}
			}
		}
	}
	return all
}
