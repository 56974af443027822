package wiretest

import (
	"bytes"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// serveS3 answers path-style requests.
func (a *AWS) serveS3(w http.ResponseWriter, r *http.Request) error {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	name := s3Operation(r, key)
	if f := a.called(name); f != nil {
		if f.Status == 0 {
			return errBroken
		}
		w.WriteHeader(f.Status)
		return nil
	}
	switch name {
	case "HeadBucket":
		a.headBucket(w, bucket)
	case "HeadObject":
		a.headObject(w, bucket, key)
	case "PutBucket":
		if a.Buckets[bucket] == nil {
			a.Buckets[bucket] = map[string]*Object{}
		}
	case "GetObject":
		return a.getObject(w, r, bucket, key)
	case "PutObject":
		return a.putObject(w, r, bucket, key)
	default:
		return a.servePart(w, r, name, bucket, key)
	}
	return nil
}

// s3Operation names what a request asks for.
func s3Operation(r *http.Request, key string) string {
	query := r.URL.Query()
	switch {
	case query.Has("uploads") && r.Method == http.MethodGet:
		return "ListMultipartUploads"
	case key == "":
		return map[string]string{http.MethodPut: "PutBucket", http.MethodHead: "HeadBucket"}[r.Method]
	case query.Has("uploads"):
		return "CreateMultipartUpload"
	case query.Has("uploadId"):
		return map[string]string{http.MethodPut: "UploadPart", http.MethodPost: "CompleteMultipartUpload", http.MethodDelete: "AbortMultipartUpload"}[r.Method]
	}
	return map[string]string{http.MethodPut: "PutObject", http.MethodHead: "HeadObject", http.MethodGet: "GetObject"}[r.Method]
}

func (a *AWS) headBucket(w http.ResponseWriter, bucket string) {
	if a.Buckets[bucket] == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	region := a.Region
	if other := a.BucketRegion[bucket]; other != "" {
		region = other
	}
	w.Header().Set("X-Amz-Bucket-Region", region)
}

func (a *AWS) headObject(w http.ResponseWriter, bucket, key string) {
	o := a.Buckets[bucket][key]
	if o == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(o.Body)))
	for name, value := range o.Meta {
		w.Header().Set("X-Amz-Meta-"+name, value)
	}
}

// getObject answers ranges too.
func (a *AWS) getObject(w http.ResponseWriter, r *http.Request, bucket, key string) error {
	o := a.Buckets[bucket][key]
	if o == nil {
		w.WriteHeader(http.StatusNotFound)
		return nil
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(o.Body))
	return nil
}

func (a *AWS) putObject(w http.ResponseWriter, r *http.Request, bucket, key string) error {
	if a.Buckets[bucket] == nil {
		w.WriteHeader(http.StatusNotFound)
		return nil
	}
	body, err := checkedBody(r)
	if err != nil {
		return err
	}
	a.Buckets[bucket][key] = &Object{Body: body, Meta: metaOf(r), Encryption: r.Header.Get("X-Amz-Server-Side-Encryption")}
	w.Header().Set("ETag", `"0"`)
	return nil
}

func metaOf(r *http.Request) map[string]string {
	all := map[string]string{}
	for name := range r.Header {
		if meta, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-meta-"); ok {
			all[meta] = r.Header.Get(name)
		}
	}
	return all
}

// serveTail answers the address that RetrieveEnvironmentInfo gave.
func (a *AWS) serveTail(w http.ResponseWriter, r *http.Request) error {
	a.called("GetTail")
	id := strings.TrimPrefix(r.URL.Path, "/tail/")
	for _, envs := range a.Apps {
		for _, e := range envs {
			if text, ok := e.Tail[id]; ok && !slices.Contains(e.TailLost, id) {
				_, err := io.WriteString(w, text)
				return err
			}
		}
	}
	w.WriteHeader(http.StatusForbidden)
	return nil
}
