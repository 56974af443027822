package eblocal_test

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/eblocal"
)

func TestOperation(t *testing.T) {
	for request, want := range map[string]string{
		"HEAD /bucket":                            "HeadBucket",
		"GET /bucket?location":                    "GetBucketLocation",
		"GET /bucket?uploads&prefix=app":          "ListMultipartUploads",
		"GET /bucket/key":                         "GetObject",
		"PUT /bucket/key":                         "PutObject",
		"POST /bucket/key?uploads":                "CreateMultipartUpload",
		"PUT /bucket/key?uploadId=1&partNumber=1": "UploadPart",
		"GET /bucket/key?uploadId=1":              "ListParts",
		"POST /bucket/key?uploadId=1":             "CompleteMultipartUpload",
		"DELETE /bucket/key?uploadId=1":           "AbortMultipartUpload",
		"DELETE /bucket/key":                      "DeleteObject",
	} {
		method, target, _ := strings.Cut(request, " ")
		if got := eblocal.Operation(httptest.NewRequest(method, target, nil)); got != want {
			t.Errorf("%s is %q, want %q", request, got, want)
		}
	}
}
