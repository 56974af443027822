package bundle

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress"
	"github.com/klauspost/compress/flate"
)

const (
	// pieceSize is how much is packed at a time. It is part of the zip's bytes.
	pieceSize = 512 << 10
	// level packs to within a few hundredths of the size that zip's default
	// gives, in less than a third of the time. It is part of the zip's bytes.
	level = 5
	// packable is the estimate from which on packing is tried; media and
	// archives are below it, texts far above.
	packable = 0.05
	// sampleSize is enough for an estimate.
	sampleSize = 4 << 10
	// glimpseSize is enough to know a text by, for which the estimate is surely
	// or above.
	glimpseSize = 512
	surely      = 0.25
)

// piece is a small file, or a part of a larger one.
type piece struct {
	entry       *entry
	first, last bool
	// raw is the content; of a small file only the packer reads it.
	raw []byte
	// out is the content as it stands in the zip, stored or deflated.
	out    bytes.Buffer
	stored bool
	// crc is that of the whole file, known with the last piece.
	crc uint32
	// packed receives once per use.
	packed chan error
}

// whole tells that all of the file is in this piece.
func (p *piece) whole() bool { return p.first && p.last }

// grown is a buffer of that size, the given one where it is large enough.
func grown(buffer []byte, size int) []byte {
	if cap(buffer) < size {
		return make([]byte, size)
	}
	return buffer[:size]
}

// packer packs one piece after the other.
type packer struct {
	from           origin
	deflate, plain *flate.Writer
}

func newPacker(from origin) (*packer, error) {
	deflate, err := flate.NewWriter(io.Discard, level)
	if err != nil {
		return nil, err
	}
	plain, err := flate.NewWriter(io.Discard, flate.NoCompression)
	return &packer{from, deflate, plain}, err
}

func (k *packer) pack(p *piece) error {
	p.out.Reset()
	if !p.whole() {
		return k.packPart(p)
	}
	if err := p.readWhole(k.from); err != nil {
		return err
	}
	if packs(p.raw) {
		if err := packInto(k.deflate, p); err != nil {
			return err
		}
	}
	if p.stored = p.out.Len() == 0 || p.out.Len() >= len(p.raw); p.stored {
		p.out.Reset()
		p.out.Write(p.raw)
	}
	return nil
}

// packPart makes a part of a deflate stream that ends on a whole byte, so that
// the parts can stand one behind the other.
func (k *packer) packPart(p *piece) error {
	p.stored = false
	if packs(p.raw) {
		return packInto(k.deflate, p)
	}
	return packInto(k.plain, p)
}

// packs tells whether it is worth while to pack, by three samples if the
// beginning is not plainly a text's.
func packs(raw []byte) bool {
	if compress.Estimate(raw[:min(glimpseSize, len(raw))]) >= surely {
		return true
	}
	size := min(sampleSize, len(raw))
	for _, at := range []int{0, (len(raw) - size) / 2, len(raw) - size} {
		if size > 0 && compress.Estimate(raw[at:at+size]) >= packable {
			return true
		}
	}
	return false
}

func packInto(w *flate.Writer, p *piece) error {
	w.Reset(&p.out)
	_, err := w.Write(p.raw)
	if p.last {
		return errors.Join(err, w.Close())
	}
	return errors.Join(err, w.Flush())
}

func (p *piece) readWhole(from origin) error {
	return p.entry.read(from, func(content io.Reader) error {
		p.raw = grown(p.raw, int(p.entry.Size))
		check := newChecker(p.entry)
		if err := check.next(content, p.raw); err != nil {
			return err
		}
		p.crc = check.crc
		return check.end(content)
	})
}

// checker holds what is read against what was hashed.
type checker struct {
	entry *entry
	sum   hash.Hash
	crc   uint32
}

func newChecker(e *entry) *checker { return &checker{entry: e, sum: sha256.New()} }

var errChanged = errors.New("the file changed while the bundle was made; let nothing write to it meanwhile, and run again")

// next fills the buffer.
func (c *checker) next(from io.Reader, into []byte) error {
	_, err := io.ReadFull(from, into)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errChanged
	}
	c.sum.Write(into)
	c.crc = crc32.Update(c.crc, crc32.IEEETable, into)
	return err
}

// end wants no more content, and the sum that Hash found.
func (c *checker) end(from io.Reader) error {
	n, err := io.ReadFull(from, make([]byte, 1))
	switch {
	case n > 0 || !bytes.Equal(c.sum.Sum(nil), c.entry.sum[:]):
		return errChanged
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("read to the end: %w", err)
	}
	return nil
}
