package action

import (
	"errors"
	"fmt"
)

// Problems are the single errors that errors.Join put together, in order, at
// any depth. Wrapped errors stay whole, so that each keeps its subject.
func Problems(err error) []error {
	if err == nil {
		return nil
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	if wrapsAround(err, joined.Unwrap()) {
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, Problems(one)...)
	}
	return all
}

// wrapsAround tells fmt.Errorf with several %w, whose text is more than its
// parts, from errors.Join.
func wrapsAround(err error, parts []error) bool {
	return err.Error() != errors.Join(parts...).Error()
}

// Located is an error that knows its place in a file of the repository. Its
// annotation is shown there.
type Located interface {
	error
	// Location is a path relative to the workspace and a line from 1; 0 is
	// the whole file. An empty path is no place in a file.
	Location() (file string, line int)
}

// BadInput is a problem with an input: its name as in action.yml, what was
// found and what to do.
func BadInput(name, format string, args ...any) error {
	return fmt.Errorf("input %s: %w", name, fmt.Errorf(format, args...))
}
