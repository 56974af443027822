package engine_test

import (
	"errors"
	"testing"

	"github.com/guk0/travois/internal/engine"
)

func TestTransient(t *testing.T) {
	for _, c := range []struct {
		text               string
		transient, crowded bool
	}{
		{"received unexpected HTTP status: 503 Service Unavailable", true, true},
		{"received unexpected HTTP status: 500 Internal Server Error", true, false},
		{"toomanyrequests: You have reached your pull rate limit", true, true},
		{"error parsing HTTP 429 response body: Too Many Requests", true, true},
		{`error parsing HTTP 429 response body: invalid character '<' looking for beginning of value: "<html>"`, true, true},
		{`error parsing HTTP 408 response body: unexpected end of JSON input: ""`, true, false},
		{"unknown: Request Timeout", true, false},
		{`error parsing HTTP 405 response body: unexpected end of JSON input: ""`, false, false},
		{`Head "http://r/v2/a/blobs/sha256:0": EOF`, true, false},
		{"write tcp 127.0.0.1:1->127.0.0.1:2: write: connection reset by peer", true, false},
		{"net/http: TLS handshake timeout", true, false},
		{"heard nothing for 2m0s", true, false},
		{"denied: requested access to the resource is denied", false, false},
		{"unauthorized: authentication required", false, false},
		{"unexpected status from PUT request: 403 Forbidden", false, false},
		{"An image does not exist locally with the tag: a", false, false},
		{"layer 503abc is not known", false, false},
	} {
		err := errors.New(c.text)
		if engine.Transient(err) != c.transient || engine.Crowded(err) != c.crowded {
			t.Errorf("%q: transient %t, crowded %t; want %t, %t", c.text, engine.Transient(err), engine.Crowded(err), c.transient, c.crowded)
		}
	}
}
