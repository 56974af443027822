package bundle

import (
	"bytes"
	"fmt"
	"slices"
)

// edit puts text in the place of the bytes from..to.
type edit struct {
	from, to int
	text     string
}

// apply makes all edits at once. Edits that overlap are a fault of ours.
func apply(source []byte, edits []edit) ([]byte, error) {
	slices.SortStableFunc(edits, func(a, b edit) int { return a.from - b.from })
	var out bytes.Buffer
	at := 0
	for _, e := range edits {
		if e.from < at || e.to < e.from || e.to > len(source) {
			return nil, fmt.Errorf("edit %d-%d does not fit behind %d of %d bytes", e.from, e.to, at, len(source))
		}
		out.Write(source[at:e.from])
		out.WriteString(e.text)
		// Behind a bracket or a quote a comment needs no space, but behind
		// other text it does.
		if e.text != "" && e.to < len(source) && source[e.to] == '#' {
			out.WriteByte(' ')
		}
		at = e.to
	}
	out.Write(source[at:])
	return out.Bytes(), nil
}
