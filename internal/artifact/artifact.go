// Package artifact owns files that leave a container: tar streams written into
// the workspace, and the files of a stream that a pattern names. Nothing
// outside the workspace is written, whatever the stream or links in the
// workspace say.
package artifact

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
)

// Owner is who files belong to.
type Owner struct{ UID, GID int }

// OwnerOf is the owner of a folder.
func OwnerOf(dir string) (Owner, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return Owner{}, err
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return Owner{}, fmt.Errorf("%s: the system does not tell its owner", dir)
	}
	return Owner{int(stat.Uid), int(stat.Gid)}, nil
}

// Check tells why something can't be written to a path of the workspace: it is
// absolute, or leaves the workspace, by itself or through a link.
func Check(workspace, to string) error {
	if to == "" || path.IsAbs(to) {
		return fmt.Errorf("%q is no path in the workspace; give one relative to it", to)
	}
	if !filepath.IsLocal(to) {
		return fmt.Errorf("%s leaves the workspace; give a path inside", to)
	}
	root, err := os.OpenRoot(workspace)
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	for at := path.Clean(to); at != "."; at = path.Dir(at) {
		_, err := root.Stat(at)
		if err == nil {
			return nil
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ENOTDIR) {
			return fmt.Errorf("%s leaves the workspace through a link; give a path inside", to)
		}
	}
	return nil
}

// CheckPattern tells why a pattern names no files of a container. It is an
// absolute path with *, ?, […] and ** for any folders.
func CheckPattern(pattern string) error {
	if !path.IsAbs(pattern) {
		return fmt.Errorf("%s is no absolute path; write it from the container's root, as /app/reports/*.xml", pattern)
	}
	for part := range strings.SplitSeq(pattern, "/") {
		if part == ".." {
			return fmt.Errorf("%s leaves its folder by ..; write it without", pattern)
		}
		if _, err := path.Match(part, ""); err != nil {
			return fmt.Errorf("%s: %q is malformed; a [ needs its ], or a \\ before it", pattern, part)
		}
	}
	if Root(pattern) == "/" && path.Clean(pattern) == "/" {
		return fmt.Errorf("%s is the whole container; name files", pattern)
	}
	return nil
}

// Root is the deepest path of a pattern without a wildcard.
func Root(pattern string) string {
	parts := strings.Split(path.Clean(pattern), "/")
	for i, part := range parts {
		if strings.ContainsAny(part, `*?[\`) {
			return "/" + path.Join(parts[:i]...)
		}
	}
	return path.Clean(pattern)
}
