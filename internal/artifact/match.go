package artifact

import (
	"archive/tar"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Match calls a function with the content of every file of a tar stream that a
// pattern names. The stream is of Root(pattern), as the engine gives it.
func Match(stream io.Reader, pattern string, each func(name string, content io.Reader) error) error {
	folder := path.Dir(Root(pattern))
	if Root(pattern) == "/" {
		folder = "/"
	}
	wanted := strings.Split(path.Clean(pattern), "/")
	var problems []error
	for entries := tar.NewReader(stream); ; {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return errors.Join(problems...)
		}
		if err != nil {
			return errors.Join(append(problems, fmt.Errorf("read the container's files: %w", err))...)
		}
		name := path.Join(folder, header.Name)
		if !fits(wanted, strings.Split(name, "/")) {
			continue
		}
		switch header.Typeflag {
		case tar.TypeReg:
			problems = append(problems, each(name, entries))
		case tar.TypeSymlink:
			problems = append(problems, fmt.Errorf("%s is a link to %s; name that", name, header.Linkname))
		}
	}
}

// fits matches a path, in parts, with a pattern in parts.
func fits(pattern, name []string) bool {
	if len(pattern) == 0 {
		return len(name) == 0
	}
	if pattern[0] == "**" {
		return fits(pattern[1:], name) || len(name) > 0 && fits(pattern, name[1:])
	}
	if len(name) == 0 {
		return false
	}
	matched, err := path.Match(pattern[0], name[0])
	return err == nil && matched && fits(pattern[1:], name[1:])
}
