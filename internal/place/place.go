// Package place owns the position of a problem in a file of the user's.
package place

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Error is a problem at a place. Its text begins with file:line.
type Error struct {
	// File is a path relative to the workspace, or "input NAME".
	File string
	// Line counts from 1; 0 is the whole file.
	Line int
	Err  error
}

// At gives an error its place.
func At(file string, line int, err error) error {
	return &Error{File: file, Line: line, Err: err}
}

// Within gives an error its place in a file at a path. A file that is not in the
// workspace, which is at an absolute path, is named, and is no place.
func Within(workspace, path string, line int, err error) error {
	inside, relErr := filepath.Rel(workspace, path)
	switch {
	case relErr == nil && filepath.IsLocal(inside):
		return At(inside, line, err)
	case line == 0:
		return err
	}
	return fmt.Errorf("%s:%d: %w", path, line, err)
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// Location is the file and the line; the file is empty for an input's text.
func (e *Error) Location() (string, int) {
	if strings.HasPrefix(e.File, "input ") {
		return "", e.Line
	}
	return e.File, e.Line
}
