package artifact

import (
	"archive/tar"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// Written counts what was written.
type Written struct {
	Files int
	Bytes int64
}

// Write writes a tar stream, of one file or one folder, to a path of the
// workspace. A path that ends in / gets it below its own name, and so does a
// folder a file; any other one becomes it, so that a folder that is written
// again goes where it went before. Links are made last, so that nothing is written
// through them. Limit is in bytes, 0 for none. What can't be written is told
// by name, and the rest is written.
func Write(stream io.Reader, workspace, to string, owner Owner, limit int64) (Written, error) {
	if err := Check(workspace, to); err != nil {
		return Written{}, err
	}
	root, err := os.OpenRoot(workspace)
	if err != nil {
		return Written{}, err
	}
	defer func() { _ = root.Close() }()
	w := &writer{root: root, to: path.Clean(to), owner: owner, limit: limit}
	w.into = strings.HasSuffix(to, "/") || w.to == "."
	err = w.all(tar.NewReader(stream))
	w.problems = append(w.problems, err)
	w.makeLinks()
	return w.written, errors.Join(w.problems...)
}

type writer struct {
	root *os.Root
	// to is the target; into puts the stream's top below it.
	to       string
	into     bool
	owner    Owner
	limit    int64
	written  Written
	links    []link
	problems []error
}

type link struct{ name, target string }

func (w *writer) all(entries *tar.Reader) error {
	for top := true; ; top = false {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the container's files: %w", err)
		}
		if top && header.Typeflag != tar.TypeDir {
			info, err := w.root.Stat(w.to)
			w.into = w.into || err == nil && info.IsDir()
		}
		name, err := w.place(header.Name)
		if err == nil {
			err = w.entry(name, header, entries)
		}
		if errors.Is(err, errLimit) {
			return err
		}
		if err != nil {
			w.problems = append(w.problems, fmt.Errorf("%s: %w", header.Name, err))
		}
	}
}

// place is where in the workspace an entry goes.
func (w *writer) place(name string) (string, error) {
	clean := path.Clean(name)
	if !filepath.IsLocal(clean) && clean != "." {
		return "", errors.New("has a name that leaves its folder")
	}
	if w.into {
		return path.Join(w.to, clean), nil
	}
	_, below, _ := strings.Cut(clean, "/")
	return path.Join(w.to, below), nil
}

func (w *writer) entry(name string, header *tar.Header, content io.Reader) error {
	switch header.Typeflag {
	case tar.TypeDir:
		return w.folder(name)
	case tar.TypeReg:
		return w.file(name, header, content)
	case tar.TypeSymlink:
		w.links = append(w.links, link{name, header.Linkname})
		return nil
	case tar.TypeLink:
		return w.hardLink(name, header.Linkname)
	}
	return errors.New("is neither file, folder nor link; it was left out")
}

// folder makes a folder with those above it.
func (w *writer) folder(name string) error {
	if name == "." {
		return nil
	}
	if info, err := w.root.Lstat(name); err == nil && info.IsDir() {
		return nil
	}
	if err := w.folder(path.Dir(name)); err != nil {
		return err
	}
	err := w.root.Mkdir(name, 0o755)
	if errors.Is(err, fs.ErrExist) {
		info, err := w.root.Stat(name)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%s in the workspace is no folder", name)
		}
		return nil
	}
	if err != nil {
		return err
	}
	return w.root.Lchown(name, w.owner.UID, w.owner.GID)
}

var errLimit = errors.New("too large")

// file writes a file whole or not at all.
func (w *writer) file(name string, header *tar.Header, content io.Reader) error {
	if w.limit > 0 && w.written.Bytes+header.Size > w.limit {
		return fmt.Errorf("%w: %s would be more than %d bytes", errLimit, header.Name, w.limit)
	}
	if err := w.folder(path.Dir(name)); err != nil {
		return err
	}
	partial := path.Join(path.Dir(name), ".travois-"+rand.Text())
	if err := w.fill(partial, header, content); err != nil {
		return errors.Join(err, w.root.Remove(partial))
	}
	if err := w.root.Rename(partial, name); err != nil {
		return errors.Join(err, w.root.Remove(partial))
	}
	w.written.Files++
	w.written.Bytes += header.Size
	return nil
}

func (w *writer) fill(name string, header *tar.Header, content io.Reader) error {
	file, err := w.root.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	err = errors.Join(err, file.Close())
	if err != nil {
		return err
	}
	mode := fs.FileMode(header.Mode).Perm() | 0o600
	return errors.Join(w.root.Chmod(name, mode), w.root.Lchown(name, w.owner.UID, w.owner.GID))
}

// hardLink makes a second name of a file that was in the stream before.
func (w *writer) hardLink(name, target string) error {
	from, err := w.place(target)
	if err != nil {
		return err
	}
	if err := w.folder(path.Dir(name)); err != nil {
		return err
	}
	if err := w.clear(name); err != nil {
		return err
	}
	return w.root.Link(from, name)
}

// clear makes room for a link.
func (w *writer) clear(name string) error {
	info, err := w.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && info.IsDir() {
		return fmt.Errorf("%s in the workspace is a folder", name)
	}
	if err != nil {
		return err
	}
	return w.root.Remove(name)
}

func (w *writer) makeLinks() {
	for _, one := range w.links {
		if err := w.makeLink(one); err != nil {
			w.problems = append(w.problems, fmt.Errorf("link %s to %s: %w", one.name, one.target, err))
		}
	}
	for _, one := range w.links {
		if _, err := w.root.Stat(one.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			if w.root.Remove(one.name) == nil {
				w.problems = append(w.problems, fmt.Errorf("link %s to %s: %w", one.name, one.target, errLeaves))
			}
		}
	}
}

var errLeaves = errors.New("leaves the workspace; it was left out")

func (w *writer) makeLink(one link) error {
	if path.IsAbs(one.target) || !filepath.IsLocal(path.Join(path.Dir(one.name), one.target)) {
		return errLeaves
	}
	if err := w.folder(path.Dir(one.name)); err != nil {
		return err
	}
	if err := w.clear(one.name); err != nil {
		return err
	}
	if err := w.root.Symlink(one.target, one.name); err != nil {
		return err
	}
	return w.root.Lchown(one.name, w.owner.UID, w.owner.GID)
}
