package bundle

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sync/errgroup"
)

// WriteZip streams the bundle as a zip: the same bytes for the same content,
// wherever and whenever it was checked out, and on however many processors. It
// holds a few pieces of the files in memory, never all. A file that is not as
// Hash found it is an error.
func (b *Bundle) WriteZip(ctx context.Context, w io.Writer) error {
	if _, err := b.Hash(ctx); err != nil {
		return err
	}
	if err := b.writeZip(ctx, w); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	return nil
}

func (b *Bundle) writeZip(ctx context.Context, w io.Writer) (err error) {
	from, err := b.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	group, ctx := errgroup.WithContext(ctx)
	line := newLine(workers())
	for range workers() {
		group.Go(func() error { return line.pack(from) })
	}
	group.Go(func() error { return line.feed(ctx, from, b.entries) })
	group.Go(func() error { return line.write(zip.NewWriter(w), len(b.entries)) })
	return group.Wait()
}

// line is the way of the pieces: fed in order, packed side by side, written in
// order again. There are only so many pieces, which go round.
type line struct {
	free, toPack, toWrite chan *piece
}

func newLine(workers int) line {
	count := 2*workers + 1
	l := line{make(chan *piece, count), make(chan *piece, count), make(chan *piece, count)}
	for range count {
		l.free <- &piece{packed: make(chan error, 1)}
	}
	return l
}

// feed sends small files as they are, for a packer to read, and the pieces of
// larger ones one after the other.
func (l line) feed(ctx context.Context, from origin, entries []entry) error {
	defer close(l.toPack)
	defer close(l.toWrite)
	for i := range entries {
		feed := l.feedSmall
		if entries[i].Size > pieceSize {
			feed = l.feedLarge
		}
		if err := feed(ctx, from, &entries[i]); err != nil {
			return err
		}
	}
	return nil
}

func (l line) feedSmall(ctx context.Context, _ origin, e *entry) error {
	p, err := l.take(ctx, e)
	if err != nil {
		return err
	}
	p.first, p.last = true, true
	l.send(p)
	return nil
}

func (l line) feedLarge(ctx context.Context, from origin, e *entry) error {
	return e.read(from, func(content io.Reader) error {
		check := newChecker(e)
		for at := int64(0); at < e.Size; at += pieceSize {
			p, err := l.take(ctx, e)
			if err != nil {
				return err
			}
			p.raw = grown(p.raw, int(min(pieceSize, e.Size-at)))
			if err := check.next(content, p.raw); err != nil {
				return err
			}
			p.first, p.last = at == 0, at+pieceSize >= e.Size
			if p.last {
				if err := check.end(content); err != nil {
					return err
				}
				p.crc = check.crc
			}
			l.send(p)
		}
		return nil
	})
}

func (l line) take(ctx context.Context, e *entry) (*piece, error) {
	select {
	case p := <-l.free:
		p.entry = e
		return p, ctx.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (l line) send(p *piece) {
	l.toPack <- p
	l.toWrite <- p
}

func (l line) pack(from origin) error {
	packer, err := newPacker(from)
	if err != nil {
		return err
	}
	for p := range l.toPack {
		p.packed <- packer.pack(p)
	}
	return nil
}

// write ends the archive once all entries are in it. If the line ends before,
// whoever ended it tells why.
func (l line) write(archive *zip.Writer, entries int) error {
	out := writer{archive: archive}
	for p := range l.toWrite {
		if err := <-p.packed; err != nil {
			return err
		}
		if err := out.add(p); err != nil {
			return err
		}
		if p.last {
			entries--
		}
		l.free <- p
	}
	if entries > 0 {
		return nil
	}
	return archive.Close()
}
