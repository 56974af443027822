package bundle

import (
	"archive/zip"
	"io"
	"math"
	"strings"
	"unicode"
)

const (
	// flagDescriptor tells that sizes stand behind the content, flagUTF8 the
	// encoding of the name. Source: PKWARE's APPNOTE.TXT, 4.4.4.
	flagDescriptor = 1 << 3
	flagUTF8       = 1 << 11
	// zipVersion is the one of deflate and folders (4.4.3).
	zipVersion = 20
	// epoch is 1980-01-01, the earliest day that a zip can name (4.4.6). All
	// entries have it, so that a bundle does not change with the time of a
	// checkout.
	epoch = 1<<5 | 1
)

// writer puts pieces into an archive.
type writer struct {
	archive *zip.Writer
	header  *zip.FileHeader
	content io.Writer
}

func (w *writer) add(p *piece) error {
	if p.first {
		if err := w.begin(p); err != nil {
			return err
		}
	}
	n, err := w.content.Write(p.out.Bytes())
	if err != nil || p.whole() {
		return err
	}
	w.header.CompressedSize64 += uint64(n)
	if p.last {
		w.header.CRC32, w.header.UncompressedSize64 = p.crc, uint64(p.entry.Size)
		fill32(w.header)
	}
	return nil
}

// begin writes the header: with the sizes where they are known by now,
// otherwise they follow the content.
func (w *writer) begin(p *piece) (err error) {
	h := header(p.entry)
	if !p.stored {
		h.Method = zip.Deflate
	}
	if p.whole() {
		h.CRC32, h.CompressedSize64, h.UncompressedSize64 = p.crc, uint64(p.out.Len()), uint64(len(p.raw))
	} else {
		h.Flags |= flagDescriptor
	}
	w.header = h
	w.content, err = w.archive.CreateRaw(h)
	return err
}

func header(e *entry) *zip.FileHeader {
	h := &zip.FileHeader{Name: e.Path, CreatorVersion: zipVersion, ReaderVersion: zipVersion}
	h.SetMode(e.Mode)
	h.ModifiedDate = epoch //nolint:staticcheck // CreateRaw reads no other field.
	if strings.ContainsFunc(e.Path, func(r rune) bool { return r > unicode.MaxASCII }) {
		h.Flags |= flagUTF8
	}
	return h
}

// fill32 sets the fields that the archive's directory is written from.
func fill32(h *zip.FileHeader) {
	h.CompressedSize = uint32(min(h.CompressedSize64, math.MaxUint32))     //nolint:staticcheck // As CreateRaw does for known sizes.
	h.UncompressedSize = uint32(min(h.UncompressedSize64, math.MaxUint32)) //nolint:staticcheck // As above.
}
