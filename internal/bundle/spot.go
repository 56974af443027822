package bundle

import (
	"errors"

	"github.com/guk0/travois/internal/place"
)

// spot is where something stands that was merged.
type spot struct {
	file string
	line int
}

// spots are by the line of the merged file, which counts from 1.
type spots []spot

// At gives an error about a line of the merged file the place that the line
// comes from.
func (m Merged) At(line int, err error) error {
	if line <= 0 || line >= len(m.spots) || m.spots[line] == (spot{}) {
		return place.At(m.Name, 0, err)
	}
	return place.At(m.spots[line].file, m.spots[line].line, err)
}

// Place gives all errors in one that are about lines of the merged file the
// places that the lines come from.
func (m Merged) Place(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, one := range joined.Unwrap() {
			all = append(all, m.Place(one))
		}
		return errors.Join(all...)
	}
	var at *place.Error
	if !errors.As(err, &at) || at.Error() != err.Error() || at.File != m.Name {
		return err
	}
	return m.At(at.Line, at.Err)
}
