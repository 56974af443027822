package eblocal

import (
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"
	"net/http"
	"net/http/httptest"
	"os"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3afero"
)

// wholeObjects keeps an object only when all of it has arrived, as S3 does.
type wholeObjects struct {
	*s3afero.MultiBucketBackend
	dir string
}

// incoming names the files of objects that have not arrived yet.
const incoming = ".incoming-*"

// PutObject receives an object beside the one of before.
func (o wholeObjects) PutObject(bucket, key string, meta map[string]string, input io.Reader, size int64, conditions *gofakes3.PutConditions) (gofakes3.PutObjectResult, error) {
	if _, ok := input.(*bytes.Reader); ok { // it has arrived
		return o.MultiBucketBackend.PutObject(bucket, key, meta, input, size, conditions)
	}
	f, err := os.CreateTemp(o.dir, incoming)
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	defer func() { _ = errors.Join(f.Close(), os.Remove(f.Name())) }()
	n, err := io.Copy(f, input)
	if err == nil && n != size {
		err = gofakes3.ErrIncompleteBody
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return gofakes3.PutObjectResult{}, err
	}
	return o.MultiBucketBackend.PutObject(bucket, key, meta, f, size, conditions)
}

// sums are the checksums that a request may bring, by their headers.
var sums = map[string]func() hash.Hash{
	"X-Amz-Checksum-Sha256":    sha256.New,
	"X-Amz-Checksum-Sha1":      sha1.New,
	"X-Amz-Checksum-Crc32":     func() hash.Hash { return crc32.NewIEEE() },
	"X-Amz-Checksum-Crc32c":    func() hash.Hash { return crc32.New(crc32.MakeTable(crc32.Castagnoli)) },
	"X-Amz-Checksum-Crc64nvme": func() hash.Hash { return crc64.New(crc64.MakeTable(crc64NVME)) },
}

// crc64NVME is the polynomial of CRC-64/NVME, its bits reversed.
const crc64NVME = 0x9a6c9329ac4bc9b5

// checkSums holds the body of a request against the checksum that it brings,
// which the answer repeats.
func checkSums(w http.ResponseWriter, r *http.Request) {
	for header, algorithm := range sums {
		if want := r.Header.Get(header); want != "" {
			w.Header().Set(header, want)
			r.Body = &summedBody{r.Body, algorithm(), want}
			return
		}
	}
}

// summedBody is a body that fails in the end if it has another checksum.
type summedBody struct {
	io.ReadCloser
	sum  hash.Hash
	want string
}

// Read reads, and compares at the end.
func (b *summedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.sum.Write(p[:n])
	if errors.Is(err, io.EOF) && base64.StdEncoding.EncodeToString(b.sum.Sum(nil)) != b.want {
		err = gofakes3.ErrBadDigest
	}
	return n, err
}

// minPart is the least size of the parts of an upload, save of the last one.
const minPart = 5 << 20

// tooSmall tells whether an upload has a part that S3 would not take.
func tooSmall(s3 http.Handler, r *http.Request) bool {
	ask := r.Clone(r.Context())
	ask.Method, ask.Body, ask.ContentLength = http.MethodGet, http.NoBody, 0
	answer := httptest.NewRecorder()
	s3.ServeHTTP(answer, ask)
	var parts struct {
		Part []struct{ Size int64 }
	}
	if answer.Code != http.StatusOK || xml.Unmarshal(answer.Body.Bytes(), &parts) != nil {
		return false // S3 says why
	}
	for n, p := range parts.Part {
		if n < len(parts.Part)-1 && p.Size < minPart {
			return true
		}
	}
	return false
}
