package beanstalk_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

// large is a zip of several parts.
func large() []byte {
	content := make([]byte, 12<<20)
	random := rand.NewChaCha8([32]byte{})
	_, _ = random.Read(content) // It never fails.
	return content
}

// TestUploadInParts has the parts' checksums checked by the other end.
func TestUploadInParts(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		b, content := bundle("v1", hash), large()
		b.Write = func(_ context.Context, w io.Writer) error { _, err := w.Write(content); return err }
		wire.Fail(wiretest.Fault{Operation: "UploadPart", Status: 503, Times: 1})
		stored, err := c.EnsureVersion(t.Context(), b)
		if err != nil {
			t.Fatal(err)
		}
		object := wire.Buckets[bucket][stored.Key]
		if object == nil || !bytes.Equal(object.Body, content) || object.Meta["travois-content-sha256"] != hash {
			t.Error("the object is not what was uploaded")
		}
		again, err := c.EnsureVersion(t.Context(), b)
		if err != nil || again.Uploaded {
			t.Errorf("again: %+v, %v", again, err)
		}
	})
}

// TestUploadLeavesNothing breaks uploads after some of their parts.
func TestUploadLeavesNothing(t *testing.T) {
	for name, c := range map[string]struct {
		fault *wiretest.Fault
		write func(cancel context.CancelFunc, w io.Writer) error
		want  string
	}{
		"a file changed": {nil, func(context.CancelFunc, io.Writer) error { return errors.New("file changed") }, "file changed"},
		"refused":        {&wiretest.Fault{Operation: "UploadPart", Status: 403, Times: 9}, nil, "Forbidden"},
		"not completed":  {&wiretest.Fault{Operation: "CompleteMultipartUpload", Status: 403, Times: 9}, nil, "Forbidden"},
		"cancelled": {nil, func(cancel context.CancelFunc, w io.Writer) error {
			cancel()
			_, err := w.Write(large())
			return err
		}, "context canceled"},
	} {
		t.Run(name, func(t *testing.T) {
			wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, client *beanstalk.Client) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				b := bundle("v1", hash)
				b.Write = func(_ context.Context, w io.Writer) error {
					_, err := w.Write(large())
					if err == nil && c.write != nil {
						err = c.write(cancel, w)
					}
					return err
				}
				if c.fault != nil {
					wire.Fail(*c.fault)
				}
				_, err := client.EnsureVersion(ctx, b)
				wantError(t, err, "upload the bundle to s3://"+bucket, c.want)
				if !slices.Contains(wire.Calls(), "CreateMultipartUpload") || !slices.Contains(wire.Calls(), "AbortMultipartUpload") || wire.Uploads() > 0 || len(wire.Buckets[bucket])+len(wire.Versions[app]) > 0 {
					t.Errorf("%d uploads are left, %d objects, %d versions: %v", wire.Uploads(), len(wire.Buckets[bucket]), len(wire.Versions[app]), wire.Calls())
				}
			})
		})
	}
}

// TestUploadTooLarge ends when the limit is passed, whatever comes after.
func TestUploadTooLarge(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, c *beanstalk.Client) {
		b, piece := bundle("v1", hash), make([]byte, 16<<20)
		b.Write = func(_ context.Context, w io.Writer) error {
			for {
				if _, err := w.Write(piece); err != nil {
					return err
				}
			}
		}
		_, err := c.EnsureVersion(t.Context(), b)
		wantError(t, err, "larger than the 500 MB")
		if wire.Uploads() > 0 {
			t.Error("an upload is left")
		}
	})
}
