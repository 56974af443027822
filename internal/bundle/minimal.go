package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// companions go into every bundle that has them.
// Source: the Elastic Beanstalk guide, ".ebextensions" and "platform hooks".
var companions = []string{".ebextensions", ".platform"}

// dockerrunName is the only name that Beanstalk reads a Dockerrun file by.
const dockerrunName = "Dockerrun.aws.json"

// Tree is what a bundle is made from.
type Tree struct {
	// Dir is the folder on disk whose content a bundle may hold.
	Dir string
	// File is where the deploy file stands in it, with slashes; empty for one
	// that is Merged of several.
	File string
	// Merged are the files that stay out since the deploy file is merged of them.
	Merged []string
	// Name is what the deploy file is called at the root of the bundle.
	Name string
	// Companion is the Dockerrun.aws.json beside a Compose file, in place of the
	// tree's own; nil for that.
	Companion []byte
}

// from names what the deploy file comes from.
func (t Tree) from() string { return strings.Join(append(slices.Clone(t.Merged), t.File), ", ") }

// Minimal makes a bundle of the rendered deploy file and of what it needs from
// the tree: .ebextensions, .platform, a Dockerrun.aws.json of version 3 beside
// a Compose file, and the files and folders that it names. Its paths count from
// the tree's root, wherever the file stands, since in the bundle it stands
// there. An .env never goes in, since Beanstalk then would not write its own.
// What is missing, leaves the tree or is no file is an error with the line that
// names it; all are reported together. Files are read only by Hash and WriteZip.
func Minimal(ctx context.Context, tree Tree, rendered Rendered) (*Bundle, error) {
	root, err := os.OpenRoot(tree.Dir)
	if err != nil {
		return nil, fmt.Errorf("bundle of %s: %w", tree.from(), err)
	}
	c := newCollector(ctx, root, tree, rendered)
	c.find = func(name string) error { return c.add(name, 0) }
	c.companions()
	c.named(rendered)
	c.dockerrunV3()
	if err := errors.Join(errors.Join(c.problems...), root.Close()); err != nil {
		return nil, err
	}
	return newBundle(openFolder(tree.Dir), c.entries, c.changes), nil
}

// collector gathers a bundle's entries.
type collector struct {
	ctx  context.Context
	root *os.Root
	// find takes what the deploy file names into the bundle, or finds it there.
	find func(name string) error
	// exists tells whether something is there, be it in the bundle or not.
	exists func(name string) bool
	// ignoreName is the file whose rules leave something out, if any.
	ignoreName string

	tree     Tree
	entries  map[string]entry
	folders  map[string]bool
	changes  []Change
	problems []error
	warnings []error
}

func newCollector(ctx context.Context, root *os.Root, tree Tree, rendered Rendered) *collector {
	c := &collector{ctx: ctx, root: root, tree: tree, entries: map[string]entry{}, folders: map[string]bool{}}
	c.exists = func(name string) bool {
		_, err := root.Stat(name)
		return err == nil
	}
	c.put(tree.Name, append([]byte{}, rendered.Content...))
	if tree.Companion != nil {
		c.put(dockerrunName, tree.Companion)
	}
	return c
}

// put is for files that come from us, in the place of any of the tree.
func (c *collector) put(name string, content []byte) {
	c.entries[name] = entry{File: File{Path: name, Mode: 0o644, Size: int64(len(content))}, content: content}
}

func (c *collector) leave(name, why string) {
	c.changes = append(c.changes, Change{What: name + " left out: " + why})
}

func (c *collector) companions() {
	for _, name := range companions {
		if err := c.add(name, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.problems = append(c.problems, err)
		}
	}
}

// dockerrunV3 adds the file that tells a Compose deployment how to log in to
// its registry. One of another version belongs to another platform.
func (c *collector) dockerrunV3() {
	if _, there := c.entries[dockerrunName]; there {
		return
	}
	content, err := c.root.ReadFile(dockerrunName)
	if errors.Is(err, fs.ErrNotExist) {
		return
	}
	if why := noCompanion(content, err); why != "" {
		c.leave(dockerrunName, why)
	} else if err := c.add(dockerrunName, 0); err != nil {
		c.problems = append(c.problems, err)
	}
}

// noCompanion tells why a Dockerrun.aws.json does not go with a Compose file.
func noCompanion(content []byte, err error) string {
	var kind Kind
	if err == nil {
		kind, err = DeployFileKind(dockerrunName, content)
	}
	switch {
	case err != nil:
		return err.Error()
	case kind != DockerrunV3:
		return "only version 3 goes with a Compose file"
	}
	return ""
}

var errOutside = errors.New("leaves the tree, from whose root paths count: put it into the tree")

// maxLinks is how many links in a row are followed, as many as Linux does.
const maxLinks = 40

// add takes a file, a link with what it points to, or a folder with all below.
func (c *collector) add(name string, links int) error {
	if err := c.ctx.Err(); err != nil {
		return err
	}
	if err := checkName(name); err != nil {
		return err
	}
	if !fs.ValidPath(name) {
		return errOutside
	}
	if path.Base(name) == ".env" {
		return fmt.Errorf("%s is not put into a bundle, since it holds local settings: rename it, or set environment properties", name)
	}
	if links > maxLinks {
		return fmt.Errorf("%s: more than %d links in a row", name, maxLinks)
	}
	parts := strings.Split(name, "/")
	for i := range parts {
		prefix := path.Join(parts[:i+1]...)
		info, err := c.root.Lstat(prefix)
		if err != nil {
			return err
		}
		if info.Mode()&fs.ModeSymlink != 0 {
			return c.addLink(prefix, path.Join(parts[i+1:]...), links)
		}
		if i == len(parts)-1 {
			return c.addFound(name, info, links)
		}
	}
	return nil
}

func (c *collector) addFound(name string, info fs.FileInfo, links int) error {
	switch {
	case info.IsDir():
		return c.addFolder(name, links)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is neither file, folder nor link", name)
	}
	c.record(entry{File: File{Path: name, Mode: regularMode(info.Mode()), Size: info.Size()}})
	return nil
}

// leftOut are the names that no folder brings along.
var leftOut = map[string]string{
	".env": "it holds local settings",
	".git": "it holds the history",
}

func (c *collector) addFolder(name string, links int) error {
	if c.folders[name] {
		return nil
	}
	c.folders[name] = true
	folder, err := c.root.Open(name)
	if err != nil {
		return err
	}
	children, err := folder.ReadDir(-1)
	if err := errors.Join(err, folder.Close()); err != nil {
		return fmt.Errorf("folder %s: %w", name, err)
	}
	slices.SortFunc(children, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	var problems []error
	for _, child := range children {
		below := path.Join(name, child.Name())
		if why, out := leftOut[child.Name()]; out {
			c.leave(below, why)
			continue
		}
		problems = append(problems, c.add(below, links))
	}
	return errors.Join(problems...)
}

// addLink takes a link as it is, and what it points to, so that it points to
// something on the instance too.
func (c *collector) addLink(name, rest string, links int) error {
	target, err := c.root.Readlink(name)
	if err != nil {
		return err
	}
	there, err := leadsTo(name, target)
	if err != nil {
		return err
	}
	if there == "." || strings.HasPrefix(name, there+"/") {
		return fmt.Errorf("link %s points to a folder that holds it (%s): link to what is needed", name, target)
	}
	c.record(linkEntry(name, target))
	if err := c.add(path.Join(there, rest), links+1); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("link %s points to %s, which is not in the tree: put the file there", name, target)
	} else if err != nil {
		return err
	}
	return nil
}

// leadsTo is where a link leads to, by its text alone.
func leadsTo(name, target string) (string, error) {
	there := path.Join(path.Dir(name), target)
	if path.IsAbs(target) || !fs.ValidPath(there) {
		return "", fmt.Errorf("link %s leaves the tree (it points to %s): put the file in its place", name, target)
	}
	return there, nil
}

func linkEntry(name, target string) entry {
	return entry{File: File{Path: name, Mode: fs.ModeSymlink | 0o777, Size: int64(len(target))}, content: []byte(target)}
}

// record keeps the first entry of a name: the rendered deploy file stays, also
// where the tree has another one.
func (c *collector) record(e entry) {
	if _, there := c.entries[e.Path]; !there {
		c.entries[e.Path] = e
	}
}
