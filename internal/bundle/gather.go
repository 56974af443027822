package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/place"
	"github.com/guk0/travois/internal/yamlsource"
)

// doc is a Compose file that goes into a merge.
type doc struct {
	*yamlsource.Document
	// path is the file's in the tree, folder where its paths count from.
	path, folder string
	// root is what it says, without aliases, merge keys and resets.
	root *yaml.Node
}

// gathering reads the files that are named, and those that they name.
type gathering struct {
	Merge
	// named are in the order of Merge.Files. docs are all whose sections count,
	// the later over the earlier. extended are read for single services.
	named, docs []*doc
	extended    map[string]*doc
	read        []string
	problems    []error
}

func newGathering(m Merge) *gathering {
	return &gathering{Merge: m, extended: map[string]*doc{}}
}

func (g *gathering) all() {
	folder := path.Dir(g.Files[0])
	for _, file := range g.Files {
		d, err := g.open(file, folder)
		if err != nil {
			g.problems = append(g.problems, err)
			continue
		}
		g.named = append(g.named, d)
		g.follow(d, nil)
	}
}

// open reads a file of the tree.
func (g *gathering) open(file, folder string) (*doc, error) {
	src, err := fs.ReadFile(g.Tree, file)
	if err != nil {
		return nil, err
	}
	parsed, err := yamlsource.Parse(path.Join(g.Name, file), src)
	if err != nil {
		return nil, err
	}
	if parsed.Root.Kind != yaml.MappingNode {
		return nil, parsed.Errorf(parsed.Root, "a Compose file is a mapping with services: in it; found %s", kindName(parsed.Root))
	}
	if !slices.Contains(g.read, file) {
		g.read = append(g.read, file)
	}
	return &doc{Document: parsed, path: file, folder: folder, root: plain(parsed.Root)}, nil
}

// follow takes the files that a file includes, then the file itself, and opens
// those whose services it extends.
func (g *gathering) follow(d *doc, through []string) {
	through = append(slices.Clone(through), d.path)
	if includes := yamlsource.Lookup(d.Root, "include"); includes != nil {
		for _, one := range includes.Content {
			g.include(d, yamlsource.Follow(one), through)
		}
	}
	g.docs = append(g.docs, d)
	g.extend(d, through)
}

// include takes an entry of include: a path, or a mapping with one or several.
func (g *gathering) include(from *doc, n *yaml.Node, through []string) {
	list := []*yaml.Node{n}
	project := ""
	if n.Kind == yaml.MappingNode {
		project = text(n, "project_directory")
		list = nil
		if at := yamlsource.Lookup(n, "path"); at != nil {
			list = []*yaml.Node{at}
			if at.Kind == yaml.SequenceNode {
				list = at.Content
			}
		}
	}
	folder := ""
	for i, at := range list {
		file, ok := g.other(from, "include", yamlsource.Follow(at), from.folder)
		if !ok || g.cycle(from, "include", at, file, through) {
			continue
		}
		if i == 0 {
			folder = path.Dir(file)
			if project != "" {
				folder = path.Join(from.folder, project)
			}
		}
		if d := g.openOther(from, "include", at, file, folder); d != nil {
			g.follow(d, through)
		}
	}
}

// extend opens the files that the services of one extend. Their names count
// from the folder that the paths of the file do.
func (g *gathering) extend(d *doc, through []string) {
	for _, service := range yamlsource.Pairs(yamlsource.Lookup(d.Root, "services")) {
		extends := yamlsource.Lookup(service.Value, "extends")
		at := yamlsource.Lookup(extends, "file")
		if at == nil {
			continue
		}
		file, ok := g.other(d, "extends", at, d.folder)
		if !ok || g.extended[file] != nil {
			continue
		}
		if other := g.openOther(d, "extends", at, file, path.Dir(file)); other != nil {
			g.extended[file] = other
			g.extend(other, append(slices.Clone(through), file))
		}
	}
}

// other is the path in the tree of a file that another one names.
func (g *gathering) other(from *doc, key string, at *yaml.Node, folder string) (string, bool) {
	name := at.Value
	switch {
	case at.Kind != yaml.ScalarNode:
		g.problem(from, at, "%s: the path is %s; write a text", key, kindName(at))
	case strings.Contains(name, "$"):
		g.problem(from, at, "%s: %s has a variable, whose value is only known on the instances: write the path", key, name)
	case strings.Contains(name, "://") || strings.HasPrefix(name, "oci:") || strings.HasPrefix(name, "git@"):
		g.problem(from, at, "%s: %s is no file of the tree: put it there", key, name)
	case path.IsAbs(name) || !fs.ValidPath(path.Join(folder, name)):
		g.problem(from, at, "%s: %s leaves the folder that is deployed from: put the file into it", key, name)
	default:
		return path.Join(folder, name), true
	}
	return "", false
}

func (g *gathering) cycle(from *doc, key string, at *yaml.Node, file string, through []string) bool {
	if !slices.Contains(through, file) {
		return false
	}
	g.problem(from, at, "%s: %s comes to itself: %s", key, file, strings.Join(append(through, file), " → "))
	return true
}

func (g *gathering) openOther(from *doc, key string, at *yaml.Node, file, folder string) *doc {
	d, err := g.open(file, folder)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		g.problem(from, at, "%s: there is no file %s: paths count from the folder %q", key, file, from.folder)
	case err != nil:
		g.problems = append(g.problems, err)
	}
	return d
}

func (g *gathering) problem(d *doc, n *yaml.Node, format string, args ...any) {
	g.problems = append(g.problems, d.Errorf(n, format, args...))
}

// names are what people call the files.
func (g *gathering) names() string {
	var all []string
	for _, d := range g.named {
		all = append(all, d.File)
	}
	return strings.Join(all, ", ")
}

// changes tell what is in the bundle's file besides what was named.
func (g *gathering) changes() []Change {
	var all []Change
	for _, file := range g.read {
		if !slices.Contains(g.Files, file) {
			all = append(all, Change{What: file + " is written into " + dockerComposeName})
		}
	}
	return all
}

var serviceInError = regexp.MustCompile(`services\.([A-Za-z0-9_-]+)|service "([^"]+)"`)

// located gives an error of the library the place of the service that it names,
// in the last file that has it, and takes the folder that it read from out.
func (g *gathering) located(dir string, err error) error {
	text := strings.ReplaceAll(strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), ""), kept, "")
	reason := errors.New(text)
	if found := serviceInError.FindStringSubmatch(text); found != nil {
		for _, d := range slices.Backward(g.docs) {
			if pair, has := yamlsource.Get(yamlsource.Lookup(d.Root, "services"), found[1]+found[2]); has {
				return d.Errorf(pair.Key, "%w", reason)
			}
		}
	}
	return place.At(g.names(), 0, fmt.Errorf("can't be merged: %w", reason))
}
