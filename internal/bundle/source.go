package bundle

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// dockerComposeName is the only name that Beanstalk reads a Compose file by.
const dockerComposeName = "docker-compose.yml"

// rivals are what Docker Compose would read at the root instead of the deploy
// file or on top of it, which would undo the rendering.
// Source: the Compose manual, "How Compose works".
var rivals = []string{
	"compose.yaml", "compose.yml", dockerComposeName, "docker-compose.yaml",
	"compose.override.yaml", "compose.override.yml", "docker-compose.override.yml", "docker-compose.override.yaml",
}

// Source makes a bundle of the whole tree with the rendered deploy file in the
// place of the one it came from. What .ebignore at the tree's root leaves out,
// or without one .gitignore, also those above the tree, stays out, as git reads
// them; .git is never in it. Modes and links are kept. Links that leave the tree
// are an error, as is a file that the deploy file names and that is not in the
// bundle; all are reported together. Contents are read only by Hash and
// WriteZip.
func Source(ctx context.Context, tree Tree, rendered Rendered) (*Bundle, error) {
	root, err := os.OpenRoot(tree.Dir)
	if err != nil {
		return nil, fmt.Errorf("bundle of %s: %w", tree.from(), err)
	}
	c := newCollector(ctx, root, tree, rendered)
	c.find = c.has
	w := &walk{collector: c, skip: originals(c)}
	if rendered.pulled {
		w.skip[string(Dockerfile)] = "Elastic Beanstalk would build it in the place of the image that " + tree.Name + " names"
	}
	if err := errors.Join(w.run(rendered), root.Close()); err != nil {
		return nil, err
	}
	b := newBundle(openFolder(tree.Dir), c.entries, c.changes)
	b.warnings = c.warnings
	return b, nil
}

// walk goes through a tree.
type walk struct {
	*collector
	// skip tells by path why something stays out.
	skip map[string]string
	// ignored counts what an ignore file leaves out, with the first few.
	ignored int
	few     []string
}

func (w *walk) run(rendered Rendered) error {
	ignore, err := w.chooseIgnore()
	if err != nil {
		return err
	}
	if err := w.folder("", ignore); err != nil {
		return err
	}
	w.foldersOfEntries()
	w.named(rendered)
	w.warnOfEnv()
	if w.ignored > len(w.few) {
		w.few = append(w.few, "…")
	}
	if w.ignored > 0 {
		w.changes = append(w.changes, Change{What: fmt.Sprintf("%d left out by %s: %s", w.ignored, w.ignoreName, strings.Join(w.few, ", "))})
	}
	return errors.Join(w.problems...)
}

// originals are the files in whose place the rendered one stands.
func originals(c *collector) map[string]string {
	skip := map[string]string{}
	for _, name := range rivals {
		skip[name] = "Docker Compose would read it beside or instead of " + c.tree.Name
	}
	if c.tree.Name == dockerrunName {
		skip[dockerrunName] = "another file goes in under its name"
	}
	skip[c.tree.Name] = "another file goes in under its name"
	if c.tree.Companion != nil {
		skip[dockerrunName] = "it goes in with the login in it"
	}
	for _, name := range c.tree.Merged {
		c.skipWith(skip, name, "it goes in, merged, as "+c.tree.Name)
	}
	c.skipWith(skip, c.tree.File, "it goes in, rendered, as "+c.tree.Name)
	return skip
}

// skipWith leaves a file out, with the links that lead to it.
func (c *collector) skipWith(skip map[string]string, name, why string) {
	for range maxLinks {
		skip[name] = why
		target, err := c.root.Readlink(name)
		if err != nil {
			return
		}
		name = path.Join(path.Dir(name), target)
	}
}

func (c *collector) warnOfEnv() {
	if _, there := c.entries[".env"]; there {
		c.warnings = append(c.warnings, errors.New(".env is in the bundle: Elastic Beanstalk then does not write the environment's properties there, and no container gets them; leave it out, and set what it holds as environment properties"))
	}
}

// chooseIgnore finds out which ignore files count, and reads those above.
func (w *walk) chooseIgnore() (*ignoreFile, error) {
	for _, w.ignoreName = range ignoreNames {
		if _, err := w.root.Lstat(w.ignoreName); err == nil {
			break
		}
	}
	if w.ignoreName != ".gitignore" {
		return nil, nil
	}
	return ignoresAbove(w.tree.Dir)
}

// ignoresAbove reads the .gitignore files from the repository's root to the
// folder above the tree.
func ignoresAbove(dir string) (*ignoreFile, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	repository := dir
	for {
		if _, err := os.Lstat(filepath.Join(repository, ".git")); err == nil {
			break
		}
		if repository == filepath.Dir(repository) {
			return nil, nil
		}
		repository = filepath.Dir(repository)
	}
	var chain *ignoreFile
	at := repository
	for at != dir {
		below, err := filepath.Rel(at, dir)
		if err != nil {
			return nil, err
		}
		below = filepath.ToSlash(below)
		content, err := os.ReadFile(filepath.Join(at, ".gitignore"))
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		chain = &ignoreFile{below: below, rules: parseIgnore(content), above: chain}
		first, _, _ := strings.Cut(below, "/")
		at = filepath.Join(at, first)
	}
	return chain, nil
}

// folder takes what is in a folder; problems with single files are gathered.
func (w *walk) folder(dir string, ignore *ignoreFile) error {
	if err := w.ctx.Err(); err != nil {
		return err
	}
	children, err := w.list(dir)
	if err != nil {
		return err
	}
	for _, child := range children {
		if child.Name() != w.ignoreName || !child.Type().IsRegular() && !w.linksToRules(child) {
			continue
		}
		content, err := w.root.ReadFile(path.Join(dir, child.Name()))
		if err != nil {
			return fmt.Errorf("read what is left out: %w", err)
		}
		ignore = &ignoreFile{dir: dir, rules: parseIgnore(content), above: ignore}
	}
	for _, child := range children {
		if err := w.child(path.Join(dir, child.Name()), child, ignore); err != nil {
			return err
		}
	}
	return nil
}

// linksToRules tells a link to a file of rules, as .ebignore to .dockerignore. Git
// does not follow such a .gitignore.
func (w *walk) linksToRules(child fs.DirEntry) bool {
	return child.Type()&fs.ModeSymlink != 0 && child.Name() == ".ebignore"
}

func (w *walk) list(dir string) (children []fs.DirEntry, err error) {
	open, err := w.root.Open(path.Join(".", dir))
	if err != nil {
		return nil, err
	}
	children, err = open.ReadDir(-1)
	if err := errors.Join(err, open.Close()); err != nil {
		return nil, fmt.Errorf("folder %s: %w", dir, err)
	}
	slices.SortFunc(children, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return children, nil
}

func (w *walk) child(name string, child fs.DirEntry, ignore *ignoreFile) error {
	if child.Name() == ".git" {
		return nil
	}
	if why, out := w.skip[name]; out {
		if name != w.tree.Name || name != w.tree.File && !slices.Contains(w.tree.Merged, name) {
			w.leave(name, why)
		}
		return nil
	}
	if ignore.ignores(name, child.IsDir()) {
		if w.ignored++; w.ignored <= 5 {
			w.few = append(w.few, name)
		}
		return nil
	}
	if child.IsDir() {
		return w.folder(name, ignore)
	}
	if err := w.file(name, child); err != nil {
		w.problems = append(w.problems, err)
	}
	return nil
}

func (w *walk) file(name string, child fs.DirEntry) error {
	if err := checkName(name); err != nil {
		return err
	}
	switch {
	case child.Type()&fs.ModeSymlink != 0:
		return w.link(name)
	case !child.Type().IsRegular():
		return fmt.Errorf("%s is neither file, folder nor link: leave it out in .ebignore", name)
	case name == dockerrunName:
		content, err := w.root.ReadFile(name)
		if why := noCompanion(content, err); why != "" {
			w.leave(name, why)
			return nil
		}
	}
	info, err := child.Info()
	if err != nil {
		return err
	}
	w.entries[name] = entry{File: File{Path: name, Mode: regularMode(info.Mode()), Size: info.Size()}}
	return nil
}

// link takes a link as it is. It may lead to nothing, but not out of the tree,
// also not by way of other links.
func (w *walk) link(name string) error {
	target, err := w.root.Readlink(name)
	if err != nil {
		return err
	}
	if _, err := leadsTo(name, target); err != nil {
		return err
	}
	if _, err := w.root.Stat(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("link %s can't be followed within the tree (it points to %s): put the file in its place", name, target)
	}
	w.entries[name] = linkEntry(name, target)
	return nil
}
