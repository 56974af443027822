package bundle

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/place"
)

// Ready is a zip that someone made before. Its file stays open as long as the
// value is in use.
type Ready struct {
	name    string
	archive *zip.ReadCloser
	entries map[string]entry
	files   map[string]*zip.File
}

// flagEncrypted is set for content that needs a password. Source: PKWARE's
// APPNOTE.TXT, 4.4.4.
const flagEncrypted = 1 << 0

// OpenReady reads what is in a zip; name is what people call it. All entries
// that Elastic Beanstalk could not unpack safely, or that could not be read,
// are reported together.
func OpenReady(name, file string) (*Ready, error) {
	archive, err := zip.OpenReader(file)
	if errors.Is(err, zip.ErrFormat) {
		return nil, place.At(name, 0, errors.New("is no zip, or not all of one: look at the step that makes it"))
	}
	if err != nil {
		return nil, place.At(name, 0, err)
	}
	r := &Ready{name: name, archive: archive, entries: map[string]entry{}, files: map[string]*zip.File{}}
	if err := r.readAll(); err != nil {
		return nil, errors.Join(err, archive.Close())
	}
	return r, nil
}

func (r *Ready) readAll() error {
	var problems []error
	var folders []string
	for _, f := range r.archive.File {
		name := strings.TrimPrefix(f.Name, "./")
		if strings.HasSuffix(name, "/") {
			folders = append(folders, name)
		}
		if name == "" {
			continue
		}
		if err := r.read(name, f); err != nil {
			problems = append(problems, place.At(r.name, 0, err))
		}
	}
	problems = append(problems, r.crossing(folders)...)
	r.keepEmpty(folders)
	return errors.Join(problems...)
}

func (r *Ready) read(name string, f *zip.File) error {
	folder := strings.HasSuffix(name, "/")
	if err := checkPacked(strings.TrimSuffix(name, "/"), f); err != nil || folder {
		return err
	}
	if _, twice := r.files[name]; twice {
		return fmt.Errorf("%s is in it twice: make it anew, since programs differ in which one they unpack", name)
	}
	r.files[name] = f
	e := entry{File: File{Path: name, Mode: regularMode(f.Mode()), Size: int64(f.UncompressedSize64)}}
	switch {
	case f.Mode()&fs.ModeSymlink != 0:
		target, err := contentOf(f)
		if err != nil {
			return err
		}
		if _, err := leadsTo(name, target); err != nil {
			return err
		}
		e = linkEntry(name, target)
	case !f.Mode().IsRegular():
		return fmt.Errorf("%s is neither file, folder nor link: leave it out", name)
	}
	r.entries[name] = e
	return nil
}

// checkPacked refuses names that lead elsewhere, and content that can't be read.
func checkPacked(name string, f *zip.File) error {
	drive := len(name) > 1 && name[1] == ':'
	switch {
	case strings.Contains(name, `\`):
		return fmt.Errorf("name %q: it has a backslash, as some programs on Windows write for a slash: make the zip with another one", f.Name)
	case path.IsAbs(name) || drive:
		return fmt.Errorf("name %q is absolute: names count from the app's folder; make the zip in it", f.Name)
	case !fs.ValidPath(name):
		return fmt.Errorf("name %q leads elsewhere than it says: make the zip without such names", f.Name)
	case f.Flags&flagEncrypted != 0:
		return fmt.Errorf("%s is encrypted, which Elastic Beanstalk can't unpack: make the zip without a password", name)
	case f.Method != zip.Store && f.Method != zip.Deflate:
		return fmt.Errorf("%s is packed by method %d; only stored and deflated files can be unpacked everywhere: make the zip with those", name, f.Method)
	}
	return checkName(name)
}

// maxTarget is more than Linux allows a path.
const maxTarget = 4096

func contentOf(f *zip.File) (string, error) {
	in, err := f.Open()
	if err != nil {
		return "", err
	}
	content, err := io.ReadAll(io.LimitReader(in, maxTarget))
	return string(content), errors.Join(err, in.Close())
}

// crossing finds names that are of a file and of a folder.
func (r *Ready) crossing(folders []string) []error {
	found := map[string]bool{}
	for _, name := range folders {
		if r.files[path.Clean(name)] != nil {
			found[path.Clean(name)] = true
		}
	}
	for name := range r.files {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if r.files[dir] != nil {
				found[dir] = true
			}
		}
	}
	var problems []error
	for name := range found {
		problems = append(problems, place.At(r.name, 0, fmt.Errorf("%s is both a file and a folder: make the zip anew", name)))
	}
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	return problems
}

// keepEmpty keeps the folders that nothing in the zip brings about.
func (r *Ready) keepEmpty(folders []string) {
	filled := map[string]bool{}
	for _, name := range folders {
		filled[path.Dir(path.Clean(name))] = true
	}
	for name := range r.files {
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			filled[dir] = true
		}
	}
	for _, name := range folders {
		if !filled[path.Clean(name)] {
			r.entries[name] = entry{File: File{Path: name, Mode: fs.ModeDir | 0o755}}
		}
	}
}

// Open makes the zip a file system.
func (r *Ready) Open(name string) (fs.File, error) { return r.archive.Open(name) }

// Wrapper is the one folder that all is in; empty where there is none.
func (r *Ready) Wrapper() string {
	wrapper := ""
	for name := range r.files {
		top, _, below := strings.Cut(name, "/")
		if !below || wrapper != "" && wrapper != top {
			return ""
		}
		wrapper = top
	}
	return wrapper
}

// Bundle is the zip's content with the rendered deploy file in the place of the
// one it came from; all else is as it was, its time apart. What the deploy file
// names must be in it.
func (r *Ready) Bundle(ctx context.Context, tree Tree, rendered Rendered) (*Bundle, error) {
	c := newCollector(ctx, nil, tree, rendered)
	c.find, c.exists = c.has, c.holds
	for name, e := range r.entries {
		switch {
		case slices.Contains(tree.Merged, name):
			c.leave(name, "it goes in, merged, as "+tree.Name)
		case name == tree.File && name != tree.Name:
			c.leave(name, "it goes in, rendered, as "+tree.Name)
		default:
			c.record(e)
		}
	}
	if _, there := r.entries[tree.Name]; there && tree.File != tree.Name && len(tree.Merged) == 0 {
		c.leave(tree.Name, "another file goes in under its name")
	}
	c.foldersOfEntries()
	c.named(rendered)
	c.warnOfEnv()
	c.warnOfRivals()
	if _, there := c.entries[string(Dockerfile)]; there && rendered.pulled {
		c.problems = append(c.problems, place.At(r.name, 0, fmt.Errorf("its Dockerfile would be built in the place of the image that %s names: take the Dockerfile out of the zip or, to have it built, Image out of the file", tree.Name)))
	}
	if err := errors.Join(c.problems...); err != nil {
		return nil, err
	}
	b := newBundle(func() (origin, error) { return packed(r.files), nil }, c.entries, c.changes)
	b.warnings = c.warnings
	return b, nil
}

// warnOfRivals tells of files in a ready zip, from which nothing is taken, that
// may be read in the place of the rendered one.
func (c *collector) warnOfRivals() {
	for _, name := range rivals {
		if _, there := c.entries[name]; there && name != c.tree.Name {
			c.warnings = append(c.warnings, fmt.Errorf("%s is in the bundle: Docker Compose may read it beside or instead of %s; take it out of the zip", name, c.tree.Name))
		}
	}
}

// packed is a zip's files as origin.
type packed map[string]*zip.File

func (p packed) Open(name string) (io.ReadCloser, error) { return p[name].Open() }

func (packed) Close() error { return nil }
