package bundle

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"github.com/guk0/travois/internal/place"
)

func (c *collector) named(rendered Rendered) {
	for _, n := range rendered.needs {
		if err := c.take(n); err != nil {
			c.problems = append(c.problems, place.At(rendered.file, n.line, err))
		}
	}
}

// logFolder is where Elastic Beanstalk has the logs of containers on an instance
// (its guide, "Docker container customized logging").
var logFolder = regexp.MustCompile(`^\$(?:EB_LOG_BASE_DIR|\{EB_LOG_BASE_DIR\})(?:/|$)`)

// take adds what the deploy file names.
func (c *collector) take(n named) error {
	p, ok := n.ofBundle()
	if !ok {
		if strings.Contains(n.path, "$") && !logFolder.MatchString(n.path) {
			c.note(n, "%s %s is not in the bundle: its path has a variable", n.what, n.path)
		}
		return nil
	}
	if p == ".env" {
		return nil
	}
	err := c.find(p)
	var out *leftOutError
	switch isOut := errors.As(err, &out); {
	case isOut && n.mount && n.folderLike():
		c.note(n, "%s %s %v: an empty folder is created on the instance", n.what, n.path, out)
		return nil
	case isOut:
		return fmt.Errorf("%s %s %w: change the rule there, or take it out here", n.what, n.path, out)
	}
	missing := errors.Is(err, fs.ErrNotExist)
	if beside := c.beside(n.path); beside != "" && (missing || !fs.ValidPath(p)) {
		return fmt.Errorf("%s %s is not there: paths count from `source`, at whose root the file stands as %s in the bundle; there is %s: write ./%s",
			n.what, n.path, c.tree.Name, beside, beside)
	}
	if !missing {
		return wrapNamed(n, err)
	}
	switch {
	case n.optional:
		return nil
	case n.mount && n.folderLike():
		c.note(n, "%s %s does not exist in the tree: an empty folder is created on the instance", n.what, n.path)
		return nil
	case n.mount:
		return fmt.Errorf("%s %s does not exist, and a folder would be created in its place: add the file or take the mount out", n.what, n.path)
	}
	return fmt.Errorf("%s %s does not exist: add the file or take it out", n.what, n.path)
}

// beside is what stands at a path that is taken from the deploy file's folder,
// as its author may have meant it; empty where that is the tree's root, and
// where nothing stands there.
func (c *collector) beside(named string) string {
	folder := path.Dir(c.tree.File)
	if folder == "." || path.IsAbs(named) {
		return ""
	}
	p := path.Join(folder, named)
	if !c.exists(p) {
		return ""
	}
	return p
}

func wrapNamed(n named, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s %s: %w", n.what, n.path, err)
}

func (c *collector) note(n named, format string, args ...any) {
	c.changes = append(c.changes, Change{Line: n.line, Service: n.service, What: fmt.Sprintf(format, args...)})
}

// leftOutError is something that is there, but stays out of the bundle.
type leftOutError struct{ by string }

func (e *leftOutError) Error() string { return "is left out by " + e.by }

// has finds a file, a link or a folder among the entries, as an instance will.
func (c *collector) has(name string) error {
	for range maxLinks {
		if !fs.ValidPath(name) {
			return errOutside
		}
		to, isLink := c.linkIn(name)
		switch {
		case isLink:
			name = to
		case name == "." || c.holds(name):
			return nil
		case c.exists(name):
			return &leftOutError{c.ignoreName}
		default:
			return fs.ErrNotExist
		}
	}
	return fmt.Errorf("%s: more than %d links in a row", name, maxLinks)
}

func (c *collector) holds(name string) bool {
	_, file := c.entries[name]
	return file || c.folders[name]
}

// linkIn gives what a path is once the first link in it is followed.
func (c *collector) linkIn(name string) (string, bool) {
	parts := strings.Split(name, "/")
	for i := range parts {
		prefix := path.Join(parts[:i+1]...)
		if e, found := c.entries[prefix]; found && e.Mode&fs.ModeSymlink != 0 {
			return path.Join(append([]string{path.Dir(prefix), string(e.content)}, parts[i+1:]...)...), true
		}
	}
	return "", false
}

// foldersOfEntries notes what folders the entries are in.
func (c *collector) foldersOfEntries() {
	for name := range c.entries {
		for dir := path.Dir(name); dir != "." && !c.folders[dir]; dir = path.Dir(dir) {
			c.folders[dir] = true
		}
	}
}
