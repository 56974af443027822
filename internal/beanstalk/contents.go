package beanstalk

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

const (
	// blockSize is how much of a bundle is read at a time. The directory of a
	// zip is at its end, so that few blocks are needed.
	blockSize = 256 << 10
	// maxText is how large a deploy file may be that is read out of a bundle.
	maxText = 1 << 20
)

// ReadFile reads one of the named files at the root of a version's bundle: the
// first that is there. Only the parts of the bundle that are needed are
// fetched. It fails with fs.ErrNotExist where there is none of them.
func (c *Client) ReadFile(ctx context.Context, at Stored, names ...string) (name string, text []byte, err error) {
	if at.Bucket == "" {
		return "", nil, errors.New("the version has no bundle in S3")
	}
	head, err := c.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &at.Bucket, Key: &at.Key})
	if err != nil {
		return "", nil, failed(err, "look up the bundle %s", at.URI())
	}
	size := aws.ToInt64(head.ContentLength)
	archive, err := zip.NewReader(&blocks{ctx: ctx, client: c, at: at, size: size, read: map[int64][]byte{}}, size)
	if err != nil {
		return "", nil, fmt.Errorf("read the bundle %s: %w", at.URI(), err)
	}
	for _, name := range names {
		file, err := archive.Open(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", nil, fmt.Errorf("read %s in %s: %w", name, at.URI(), err)
		}
		text, err := io.ReadAll(io.LimitReader(file, maxText))
		if err := errors.Join(err, file.Close()); err != nil {
			return "", nil, fmt.Errorf("read %s in %s: %w", name, at.URI(), err)
		}
		return name, text, nil
	}
	return "", nil, fmt.Errorf("%s holds none of %v: %w", at.URI(), names, fs.ErrNotExist)
}

// blocks is an object that is read by ranges.
type blocks struct {
	ctx    context.Context
	client *Client
	at     Stored
	size   int64
	read   map[int64][]byte
}

// ReadAt fetches the blocks that are needed, each once.
func (b *blocks) ReadAt(into []byte, from int64) (int, error) {
	n := 0
	for n < len(into) && from < b.size {
		block, err := b.block(from / blockSize)
		if err != nil {
			return n, err
		}
		copied := copy(into[n:], block[min(int(from%blockSize), len(block)):])
		if copied == 0 {
			return n, io.ErrUnexpectedEOF
		}
		n += copied
		from += int64(copied)
	}
	if n < len(into) {
		return n, io.EOF
	}
	return n, nil
}

func (b *blocks) block(i int64) ([]byte, error) {
	if block, there := b.read[i]; there {
		return block, nil
	}
	span := fmt.Sprintf("bytes=%d-%d", i*blockSize, min((i+1)*blockSize, b.size)-1)
	out, err := b.client.s3.GetObject(b.ctx, &s3.GetObjectInput{Bucket: &b.at.Bucket, Key: &b.at.Key, Range: &span})
	if err != nil {
		return nil, failed(err, "read the bundle %s", b.at.URI())
	}
	block, err := io.ReadAll(io.LimitReader(out.Body, blockSize))
	if err := errors.Join(err, out.Body.Close()); err != nil {
		return nil, fmt.Errorf("read the bundle %s: %w", b.at.URI(), err)
	}
	b.read[i] = slices.Clip(block)
	return block, nil
}
