package eblocal

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3afero"
	"github.com/spf13/afero"
)

// store is S3: buckets and objects in a directory.
type store struct {
	backend wholeObjects
	region  string
}

func newStore(dir, region string) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("create object store: %w", err)
	}
	cut, err := filepath.Glob(filepath.Join(dir, incoming)) // of a process that was killed
	if err != nil {
		return nil, err
	}
	for _, path := range cut {
		if err := os.Remove(path); err != nil {
			return nil, fmt.Errorf("clear object store: %w", err)
		}
	}
	backend, err := s3afero.MultiBucket(afero.NewBasePathFs(afero.NewOsFs(), dir))
	if err != nil {
		return nil, fmt.Errorf("open object store %s: %w", dir, err)
	}
	return &store{wholeObjects{backend, dir}, region}, nil
}

// handler serves S3 by the server's clock, which requests are held against.
func (s *store) handler(c clock) http.Handler {
	next := gofakes3.New(s.backend, gofakes3.WithTimeSource(timeSource{c})).Server()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		bucketFromHost(r)
		w.Header().Set("X-Amz-Bucket-Region", s.region)
		if r.Method == http.MethodGet && r.URL.Query().Has("location") {
			s.location(w, r)
			return
		}
		if s3Operation(r) == "CompleteMultipartUpload" && tooSmall(next, r) {
			writeS3Error(w, http.StatusBadRequest, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
			return
		}
		checkSums(w, r)
		next.ServeHTTP(w, r)
	})
}

// timeSource is a clock as gofakes3 wants it.
type timeSource struct{ clock }

func (t timeSource) Now() time.Time                   { return t.now().UTC() }
func (t timeSource) Since(at time.Time) time.Duration { return t.now().Sub(at) }

// bucketFromHost puts the bucket of bucket.localhost into the path, where a
// client that knows the endpoint by that name leaves it out.
func bucketFromHost(r *http.Request) {
	host, _, _ := strings.Cut(r.Host, ":")
	if bucket, ok := strings.CutSuffix(host, ".localhost"); ok && bucket != "s3" {
		r.URL.Path = "/" + bucket + r.URL.Path
	}
}

type bucketLocation struct {
	XMLName struct{} `xml:"http://s3.amazonaws.com/doc/2006-03-01/ LocationConstraint"`
	Region  string   `xml:",chardata"`
}

func (s *store) location(w http.ResponseWriter, r *http.Request) {
	bucket, _, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if found, err := s.backend.BucketExists(bucket); err != nil || !found {
		http.Error(w, `<Error><Code>NoSuchBucket</Code><Message>The specified bucket does not exist</Message></Error>`, http.StatusNotFound)
		return
	}
	region := s.region
	if region == defaultRegion {
		region = "" // S3's own name for it
	}
	w.Header().Set("Content-Type", "application/xml")
	writeXML(w, bucketLocation{Region: region})
}

func (s *store) ensureBucket(name string) error {
	found, err := s.backend.BucketExists(name)
	if err == nil && !found {
		err = s.backend.CreateBucket(name)
	}
	if err != nil {
		return fmt.Errorf("bucket %q: %w", name, err)
	}
	return nil
}

func (s *store) exists(bucket, key string) bool {
	o, err := s.backend.HeadObject(bucket, key)
	if err != nil {
		return false
	}
	return o.Contents == nil || o.Contents.Close() == nil
}

func (s *store) get(bucket, key string) ([]byte, error) {
	o, err := s.backend.GetObject(bucket, key, nil)
	if err != nil {
		return nil, fmt.Errorf("s3://%s/%s: %w", bucket, key, err)
	}
	data, err := io.ReadAll(o.Contents)
	return data, errors.Join(err, o.Contents.Close())
}

func (s *store) put(bucket, key string, data []byte) error {
	if _, err := s.backend.PutObject(bucket, key, map[string]string{"Content-Type": "text/plain"}, bytes.NewReader(data), int64(len(data)), nil); err != nil {
		return fmt.Errorf("s3://%s/%s: %w", bucket, key, err)
	}
	return nil
}

func (s *store) remove(bucket, key string) error {
	if _, err := s.backend.DeleteObject(bucket, key); err != nil {
		return fmt.Errorf("s3://%s/%s: %w", bucket, key, err)
	}
	return nil
}
