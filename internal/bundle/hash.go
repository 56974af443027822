package bundle

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// maxWorkers bounds the memory that working side by side takes.
const maxWorkers = 4

// readSize is how much is read at a time to be hashed.
const readSize = 128 << 10

func workers() int { return min(runtime.GOMAXPROCS(0), maxWorkers) }

// Hash is the sha256, in hex, over a line "mode path sha256(content)" for each
// file, sorted by path. Modes are written as git does: 100644, 100755, 120000,
// and 040000 for an empty folder. All files that can't be read are reported
// together. The files are read once, however often it is asked for.
func (b *Bundle) Hash(ctx context.Context) (string, error) {
	if b.hash != "" {
		return b.hash, nil
	}
	if err := b.sumAll(ctx); err != nil {
		return "", fmt.Errorf("hash bundle: %w", err)
	}
	total := sha256.New()
	for _, e := range b.entries {
		_, _ = fmt.Fprintf(total, "%s %s %x\n", gitMode(e.Mode), e.Path, e.sum) // A hash takes everything.
	}
	b.hash = hex.EncodeToString(total.Sum(nil))
	return b.hash, nil
}

// sumAll fills in each entry's sum.
func (b *Bundle) sumAll(ctx context.Context) (err error) {
	from, err := b.open()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	var next atomic.Int64
	problems := make([]error, len(b.entries))
	var group errgroup.Group
	for range workers() {
		group.Go(func() error {
			buffer := make([]byte, readSize)
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(b.entries) {
					return nil
				}
				problems[i] = b.entries[i].hashContent(from, buffer)
			}
			return ctx.Err()
		})
	}
	return errors.Join(group.Wait(), errors.Join(problems...))
}

// hashContent fills in the sum, and the size as it is by now.
func (e *entry) hashContent(from origin, buffer []byte) error {
	return e.read(from, func(content io.Reader) error {
		hash := sha256.New()
		size, err := io.CopyBuffer(hash, onlyReader{content}, buffer)
		e.Size = size
		hash.Sum(e.sum[:0])
		return err
	})
}

// onlyReader keeps a copy from passing its buffer by.
type onlyReader struct{ io.Reader }

func gitMode(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "040000"
	case mode&fs.ModeSymlink != 0:
		return "120000"
	case mode&0o111 != 0:
		return "100755"
	}
	return "100644"
}
