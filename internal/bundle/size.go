package bundle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// perEntry is at most what a zip needs for an entry beside its content and,
// twice, its name.
const perEntry = 160

// CheckSize refuses a bundle of which the zip is larger than the limit, in
// bytes, and tells what is large in it. The bundle is zipped for it only if its
// contents do not show that it is small enough.
func (b *Bundle) CheckSize(ctx context.Context, limit int64) error {
	most := b.Size() + b.Size()/1000
	for _, e := range b.entries {
		most += int64(perEntry + 2*len(e.Path))
	}
	if most <= limit {
		return nil
	}
	err := b.WriteZip(ctx, &limited{io.Discard, limit})
	if errors.Is(err, errTooLarge) {
		return fmt.Errorf("the bundle is larger than %s, the most that Elastic Beanstalk takes; unpacked it has %s, most of it in %s: leave out what does not run there",
			megabytes(limit), megabytes(b.Size()), b.largest())
	}
	return err
}

var errTooLarge = errors.New("too large")

// limited fails once more than the bytes left are written.
type limited struct {
	io.Writer
	left int64
}

func (l *limited) Write(p []byte) (int, error) {
	if l.left -= int64(len(p)); l.left < 0 {
		return 0, errTooLarge
	}
	return l.Writer.Write(p)
}

// largest names the three tops that hold most.
func (b *Bundle) largest() string {
	sizes := map[string]int64{}
	for _, e := range b.entries {
		top, _, below := strings.Cut(e.Path, "/")
		if below {
			top += "/"
		}
		sizes[top] += e.Size
	}
	tops := slices.SortedFunc(maps.Keys(sizes), func(a, b string) int {
		return cmp.Or(cmp.Compare(sizes[b], sizes[a]), cmp.Compare(a, b))
	})
	var texts []string
	for _, top := range tops[:min(3, len(tops))] {
		texts = append(texts, fmt.Sprintf("%s (%s)", top, megabytes(sizes[top])))
	}
	return strings.Join(texts, ", ")
}

// megabytes counts as Beanstalk's limit does, in 1024².
func megabytes(bytes int64) string { return fmt.Sprintf("%d MB", bytes>>20) }
