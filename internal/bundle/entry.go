package bundle

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Bundle is what is to be zipped: a list of files of which the contents stay
// where they are. It is for one user at a time.
type Bundle struct {
	// open opens what the contents are in, for one pass over them.
	open     func() (origin, error)
	entries  []entry
	hash     string
	changes  []Change
	warnings []error
}

// origin is what contents are read from, by several at a time.
type origin interface {
	// Open gives a file's content. It leads to nothing outside of the origin,
	// whatever became of the file since it was listed.
	Open(name string) (io.ReadCloser, error)
	io.Closer
}

// File is one entry of a bundle.
type File struct {
	// Path is relative, with slashes. That of an empty folder ends with one.
	Path string
	// Mode is 0644, 0755, a link's or a folder's.
	Mode fs.FileMode
	// Size is in bytes, of a link that of its target.
	Size int64
}

// entry is a file with its content, where that is not in the origin.
type entry struct {
	File
	content []byte
	sum     [sha256.Size]byte
}

func newBundle(open func() (origin, error), entries map[string]entry, changes []Change) *Bundle {
	sorted := slices.SortedFunc(maps.Values(entries), func(a, b entry) int { return cmp.Compare(a.Path, b.Path) })
	return &Bundle{open: open, entries: sorted, changes: changes}
}

// Files lists the bundle, sorted by path.
func (b *Bundle) Files() []File {
	files := make([]File, 0, len(b.entries))
	for _, e := range b.entries {
		files = append(files, e.File)
	}
	return files
}

// Size is that of all contents, unpacked, in bytes.
func (b *Bundle) Size() int64 {
	var total int64
	for _, e := range b.entries {
		total += e.Size
	}
	return total
}

// Changes tells what the tree has or names but the bundle does not hold.
func (b *Bundle) Changes() []Change { return slices.Clone(b.changes) }

// Warnings tell what is in the bundle and may not do what its author expects.
func (b *Bundle) Warnings() []error { return slices.Clone(b.warnings) }

// reader gives an entry's content.
func (e *entry) reader(from origin) (io.ReadCloser, error) {
	if e.content != nil || !e.Mode.IsRegular() {
		return io.NopCloser(bytes.NewReader(e.content)), nil
	}
	return from.Open(e.Path)
}

// read hands an entry's content to use. The error names the entry.
func (e *entry) read(from origin, use func(io.Reader) error) error {
	content, err := e.reader(from)
	if err == nil {
		err = errors.Join(use(content), content.Close())
	}
	if err != nil {
		return fmt.Errorf("%s: %w", e.Path, err)
	}
	return nil
}

// folder is a tree on disk as origin. The folder of the last file stays open,
// since the next one mostly is in it too.
type folder struct {
	root *os.Root

	mu   sync.Mutex
	dir  string
	last *os.Root
}

func openFolder(dir string) func() (origin, error) {
	return func() (origin, error) {
		root, err := os.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		return &folder{root: root, dir: ".", last: root}, nil
	}
}

func (f *folder) Open(name string) (io.ReadCloser, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir, base := path.Split(name)
	if dir = path.Clean(dir); dir != f.dir {
		next, err := f.root.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		if err := f.closeLast(); err != nil {
			return nil, errors.Join(err, next.Close())
		}
		f.dir, f.last = dir, next
	}
	return f.last.Open(base)
}

func (f *folder) closeLast() error {
	if f.last == f.root {
		return nil
	}
	return f.last.Close()
}

func (f *folder) Close() error { return errors.Join(f.closeLast(), f.root.Close()) }

func regularMode(mode fs.FileMode) fs.FileMode {
	if mode&0o111 != 0 {
		return 0o755
	}
	return 0o644
}

// checkName refuses what a zip or the list for the hash could not carry
// unambiguously.
func checkName(name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) || strings.Contains(name, `\`) {
		return fmt.Errorf("file name %q: a bundle's names are UTF-8 without control characters and backslashes: rename it", name)
	}
	return nil
}
