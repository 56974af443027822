package eblocal

import (
	"context"
	"net/http"
	"strings"
	"time"
)

// Operation names what a request asks for as AWS does: "UpdateEnvironment",
// "GetCallerIdentity", "PutObject".
func Operation(r *http.Request) string {
	if serviceOf(r) == serviceS3 {
		return s3Operation(r)
	}
	return r.FormValue("Action")
}

// s3Operations are the operations by method, and whether they are on an object.
var s3Operations = map[string][2]string{
	http.MethodHead:   {"HeadBucket", "HeadObject"},
	http.MethodGet:    {"ListObjects", "GetObject"},
	http.MethodPut:    {"CreateBucket", "PutObject"},
	http.MethodDelete: {"DeleteBucket", "DeleteObject"},
	http.MethodPost:   {"DeleteObjects", "PostObject"},
}

func s3Operation(r *http.Request) string {
	query := r.URL.Query()
	switch {
	case r.Method == http.MethodGet && query.Has("location"):
		return "GetBucketLocation"
	case query.Has("uploads") && r.Method == http.MethodGet:
		return "ListMultipartUploads"
	case query.Has("uploads"):
		return "CreateMultipartUpload"
	case query.Has("uploadId"):
		return map[string]string{
			http.MethodGet: "ListParts", http.MethodPut: "UploadPart",
			http.MethodPost: "CompleteMultipartUpload", http.MethodDelete: "AbortMultipartUpload",
		}[r.Method]
	}
	names := s3Operations[r.Method]
	if _, key, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/"); key != "" {
		return names[1]
	}
	return names[0]
}

type s3Error struct {
	XMLName   struct{} `xml:"Error"`
	Code      string
	Message   string
	RequestID string `xml:"RequestId"`
}

func writeS3Error(w http.ResponseWriter, status int, code, message string) {
	id := newRequestID()
	w.Header().Set("X-Amz-Request-Id", id)
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	writeXML(w, s3Error{Code: code, Message: message, RequestID: id})
}

// sleep waits, and tells whether nobody stopped it.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
