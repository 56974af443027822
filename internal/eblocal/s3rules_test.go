package eblocal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// object is the content of an object, "" if there is none.
func (b *bench) object(key string) string {
	b.t.Helper()
	out, err := b.s3.GetObject(b.t.Context(), &s3.GetObjectInput{Bucket: aws.String(b.Bucket()), Key: aws.String(key)})
	var none *s3types.NoSuchKey
	if errors.As(err, &none) {
		return ""
	}
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = out.Body.Close() }()
	data, err := io.ReadAll(out.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return string(data)
}

// TestBrokenUpload has clients that go away in the middle of an object.
func TestBrokenUpload(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	b.upload("before", []byte("before"))
	for _, key := range []string{"before", "fresh"} {
		conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
		if err != nil {
			t.Fatal(err)
		}
		_, err = fmt.Fprintf(conn, "PUT /%s/%s HTTP/1.1\r\nHost: aws.test\r\nContent-Length: 100\r\n\r\nafter", b.Bucket(), key)
		if err == nil {
			err = conn.(*net.TCPConn).CloseWrite()
		}
		if err == nil {
			_, err = io.ReadAll(conn) // until the server is done with it
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = conn.Close()
	}
	if got := b.object("before"); got != "before" {
		t.Errorf("an object after a broken upload: %q, expected that it is as before", got)
	}
	if got := b.object("fresh"); got != "" {
		t.Errorf("a broken upload left %q", got)
	}
}

func TestChecksums(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	for _, algorithm := range []s3types.ChecksumAlgorithm{"SHA256", "SHA1", "CRC32", "CRC32C", "CRC64NVME"} {
		in := &s3.PutObjectInput{Bucket: aws.String(b.Bucket()), Key: aws.String(string(algorithm)), Body: strings.NewReader("body"), ChecksumAlgorithm: algorithm}
		if _, err := b.s3.PutObject(t.Context(), in); err != nil {
			t.Errorf("%s: %v", algorithm, err)
		}
		if got := b.object(string(algorithm)); got != "body" {
			t.Errorf("%s: the object is %q", algorithm, got)
		}
	}
	in := &s3.PutObjectInput{Bucket: aws.String(b.Bucket()), Key: aws.String("SHA256"), Body: strings.NewReader("other")}
	in.ChecksumSHA256 = aws.String("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
	_, err := b.s3.PutObject(t.Context(), in)
	mustRefuse(t, err, "BadDigest", "")
	if got := b.object("SHA256"); got != "body" {
		t.Errorf("a refused upload left %q", got)
	}
}

func TestPartsHaveAMinimum(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	for name, c := range map[string]struct {
		sizes []int
		code  string
	}{
		"all but the last are large": {[]int{minPart, 1}, ""},
		"one alone":                  {[]int{1}, ""},
		"the first is too small":     {[]int{minPart - 1, minPart}, "EntityTooSmall"},
	} {
		t.Run(name, func(t *testing.T) {
			key := aws.String(name)
			made, err := b.s3.CreateMultipartUpload(t.Context(), &s3.CreateMultipartUploadInput{Bucket: aws.String(b.Bucket()), Key: key, Metadata: map[string]string{"sha": "abc"}})
			if err != nil {
				t.Fatal(err)
			}
			var parts []s3types.CompletedPart
			for n, size := range c.sizes {
				number := aws.Int32(int32(n + 1))
				part, err := b.s3.UploadPart(t.Context(), &s3.UploadPartInput{Bucket: aws.String(b.Bucket()), Key: key, UploadId: made.UploadId, PartNumber: number,
					Body: bytes.NewReader(make([]byte, size)), ChecksumAlgorithm: "SHA256"})
				if err != nil {
					t.Fatal(err)
				}
				if part.ChecksumSHA256 == nil {
					t.Error("the answer to a part lacks its checksum")
				}
				parts = append(parts, s3types.CompletedPart{PartNumber: number, ETag: part.ETag})
			}
			done, err := b.s3.CompleteMultipartUpload(t.Context(), &s3.CompleteMultipartUploadInput{Bucket: aws.String(b.Bucket()), Key: key, UploadId: made.UploadId,
				MultipartUpload: &s3types.CompletedMultipartUpload{Parts: parts}})
			if c.code != "" {
				mustRefuse(t, err, c.code, "smaller")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if etag := aws.ToString(done.ETag); !strings.HasSuffix(etag, fmt.Sprintf(`-%d"`, len(parts))) || len(etag) != 36 {
				t.Errorf("ETag %s, expected that of an upload by parts", etag)
			}
			head, err := b.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(b.Bucket()), Key: key})
			if err != nil || head.Metadata["sha"] != "abc" {
				t.Errorf("metadata: %v, %v", head, err)
			}
		})
	}
	if status, _ := fetch(t, b.url+"/"+b.Bucket()+"/absent"); status != http.StatusNotFound {
		t.Errorf("an object that is not there: status %d", status)
	}
}

// TestCutUploadsAreCleared starts on what a process left that was killed.
func TestCutUploadsAreCleared(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	left := filepath.Join(dir, strings.Replace(incoming, "*", "7", 1))
	if err := os.WriteFile(left, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := newStore(dir, "us-east-1"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(left); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is left: %v", left, err)
	}
}
