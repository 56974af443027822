package bundle

import (
	"archive/zip"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Bundle is what is to be zipped: a list of files of which the contents stay on
// disk.
type Bundle struct {
	dir     string
	entries []entry
	changes []Change
}

// File is one entry of a bundle.
type File struct {
	// Path is relative, with slashes.
	Path string
	// Mode is 0644, 0755, or a link's.
	Mode fs.FileMode
	// Size is in bytes, of a link that of its target.
	Size int64
}

// entry is a file with its content, where that is not the one on disk.
type entry struct {
	File
	content []byte
}

// epoch is the earliest time that a zip can name. All entries have it, so that
// a bundle does not change with the time of a checkout.
var epoch = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

func newBundle(dir string, entries map[string]entry, changes []Change) *Bundle {
	sorted := slices.SortedFunc(maps.Values(entries), func(a, b entry) int { return cmp.Compare(a.Path, b.Path) })
	return &Bundle{dir: dir, entries: sorted, changes: changes}
}

// Files lists the bundle, sorted by path.
func (b *Bundle) Files() []File {
	files := make([]File, 0, len(b.entries))
	for _, e := range b.entries {
		files = append(files, e.File)
	}
	return files
}

// Changes tells what the tree has or names but the bundle does not hold.
func (b *Bundle) Changes() []Change { return slices.Clone(b.changes) }

// Hash is the sha256, in hex, over a line "mode path sha256(content)" for each
// file, sorted by path. Modes are written as git does: 100644, 100755, 120000.
func (b *Bundle) Hash() (string, error) {
	total := sha256.New()
	err := b.each(func(e entry, content io.Reader) error {
		one := sha256.New()
		if _, err := io.Copy(one, content); err != nil {
			return err
		}
		_, err := fmt.Fprintf(total, "%s %s %x\n", gitMode(e.Mode), e.Path, one.Sum(nil))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("hash bundle: %w", err)
	}
	return hex.EncodeToString(total.Sum(nil)), nil
}

func gitMode(mode fs.FileMode) string {
	switch {
	case mode&fs.ModeSymlink != 0:
		return "120000"
	case mode&0o111 != 0:
		return "100755"
	}
	return "100644"
}

// WriteZip streams the bundle as a zip: the same bytes for the same content,
// wherever and whenever it was checked out.
func (b *Bundle) WriteZip(w io.Writer) error {
	archive := zip.NewWriter(w)
	err := b.each(func(e entry, content io.Reader) error {
		header := &zip.FileHeader{Name: e.Path, Method: zip.Deflate, Modified: epoch}
		header.SetMode(e.Mode)
		out, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, content)
		return err
	})
	if err := errors.Join(err, archive.Close()); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}

// each opens one file after the other, below the tree whatever became of it
// since it was listed.
func (b *Bundle) each(use func(entry, io.Reader) error) (err error) {
	root, err := os.OpenRoot(b.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	for _, e := range b.entries {
		if err := useOne(root, e, use); err != nil {
			return fmt.Errorf("%s: %w", e.Path, err)
		}
	}
	return nil
}

func useOne(root *os.Root, e entry, use func(entry, io.Reader) error) (err error) {
	if e.content != nil {
		return use(e, bytes.NewReader(e.content))
	}
	file, err := root.Open(e.Path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	return use(e, file)
}

// checkName refuses what a zip or the list for the hash could not carry
// unambiguously.
func checkName(name string) error {
	if !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) || strings.Contains(name, `\`) {
		return fmt.Errorf("file name %q: a bundle's names are UTF-8 without control characters and backslashes: rename it", name)
	}
	return nil
}
