package engine

import (
	"io"
	"sync/atomic"

	"github.com/tonistiigi/fsutil"
)

// counted is a folder that counts the bytes which are read out of its files.
type counted struct {
	fsutil.FS
	bytes *atomic.Int64
}

func (c counted) Open(name string) (io.ReadCloser, error) {
	file, err := c.FS.Open(name)
	if err != nil {
		return nil, err
	}
	return countedFile{file, c.bytes}, nil
}

type countedFile struct {
	io.ReadCloser
	bytes *atomic.Int64
}

func (c countedFile) Read(buffer []byte) (int, error) {
	n, err := c.ReadCloser.Read(buffer)
	c.bytes.Add(int64(n))
	return n, err
}
