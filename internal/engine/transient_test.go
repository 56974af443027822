package engine_test

import (
	"errors"
	"testing"
	"time"

	"github.com/guk0/travois/internal/engine"
)

// refusal is what an error's text tells.
type refusal struct{ transient, crowded, denied bool }

var (
	passes  = refusal{transient: true}
	crowd   = refusal{transient: true, crowded: true}
	refused = refusal{denied: true}
	is      = refusal{} // as it is, and stays so
)

// TestTransient reads texts of the engines of both kinds and of BuildKit.
func TestTransient(t *testing.T) {
	for _, c := range []struct {
		text string
		want refusal
	}{
		{"received unexpected HTTP status: 503 Service Unavailable", crowd},
		{"received unexpected HTTP status: 500 Internal Server Error", passes},
		{"received unexpected HTTP status: 520 status code 520", passes},
		{"unexpected status from PUT request to https://r.example/v2/a/b/manifests/1: 524 ", passes},
		{"unexpected status from HEAD request to https://r.example/v2/a/b/manifests/1: 502 Bad Gateway", passes},
		{"unexpected status from PUT request to https://r.example/v2/a/b/manifests/1: 429 Too Many Requests", crowd},
		{"failed to fetch oauth token: unexpected status from GET request to https://auth.example/token?scope=repository%3Aa%2Fb%3Apull%2Cpush: 503 Service Unavailable", crowd},
		{"toomanyrequests: You have reached your pull rate limit", crowd},
		{"toomanyrequests: retry-after: 12.5ms, allowed: 2000/minute", crowd},
		{"error parsing HTTP 429 response body: Too Many Requests", crowd},
		{`error parsing HTTP 429 response body: invalid character '<' looking for beginning of value: "<html>403 Forbidden"`, crowd},
		{`error parsing HTTP 403 response body: invalid character 'Y' looking for beginning of value: "You have exceeded a secondary rate limit. Please wait"`, crowd},
		{"denied: You have exceeded a secondary rate limit", crowd},
		{`error parsing HTTP 408 response body: unexpected end of JSON input: ""`, passes},
		{"unknown: Request Timeout", passes},
		{"unknown: Service Unavailable", crowd},
		{"push r.example/a/b:1: error from registry: unknown", passes}, // a 520 to containerd
		{"unknown: unknown error", passes},                             // Docker Hub's 500
		{"error from registry: internal error, try again", passes},
		{"unavailable: the storage is read-only", passes},
		{`Head "http://r.example/v2/a/blobs/sha256:0": EOF`, passes},
		{"write tcp 127.0.0.1:1->127.0.0.1:2: write: connection reset by peer", passes},
		{"write tcp 127.0.0.1:1->127.0.0.1:2: use of closed network connection", passes},
		{"read tcp 127.0.0.1:1->127.0.0.1:2: i/o timeout", passes},
		{"net/http: TLS handshake timeout", passes},
		{`Get "https://r.example/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)`, passes},
		{`Put "https://r.example/v2/a": http2: server sent GOAWAY and closed the connection; LastStreamID=1, ErrCode=NO_ERROR`, passes},
		{"stream error: stream ID 3; INTERNAL_ERROR; received from peer", passes},
		{"http2: client connection lost", passes},
		{"dial tcp 192.0.2.1:443: connect: no route to host", passes},
		{"dial tcp 192.0.2.1:443: connect: network is unreachable", passes},
		{"dial tcp: lookup r.example: Temporary failure in name resolution", passes},
		{"dial tcp: lookup r.example on 192.0.2.1:53: server misbehaving", passes},

		// A name says nothing.
		{"push r.example/denied/unauthorized-x:forbidden: received unexpected HTTP status: 500 Internal Server Error", passes},
		{`push r.example/a/denied:1: Put "https://r.example/v2/a/denied/manifests/1": EOF`, passes},
		{"push r.example/eof/EOF:503: unauthorized: authentication required", refused},
		{"push r.example/status/503:toomanyrequests: unexpected status from PUT request to https://r.example/v2/status/503/manifests/toomanyrequests: 403 Forbidden", refused},

		{"denied: requested access to the resource is denied", refused},
		{"unauthorized: authentication required", refused},
		{"unexpected status from PUT request to https://r.example/v2/a/manifests/1: 403 Forbidden", refused},
		{`error parsing HTTP 403 response body: unexpected end of JSON input: ""`, refused},
		{`error parsing HTTP 403 response body: invalid character '<' looking for beginning of value: "<html>Service Unavailable"`, refused},
		{"unexpected status from PUT request to https://r.example/v2/a/manifests/1: 404 Not Found", is},
		{"blob unknown to registry", is},
		{"manifest unknown", is},
		{"name unknown: The repository does not exist", is},
		{`error parsing HTTP 405 response body: unexpected end of JSON input: ""`, is},
		{"An image does not exist locally with the tag: a", is},
		{"layer 503abc is not known", is},
	} {
		err := errors.New(c.text)
		if got := (refusal{engine.Transient(err), engine.Crowded(err), engine.Denied(err)}); got != c.want {
			t.Errorf("%q: %+v, want %+v", c.text, got, c.want)
		}
	}
	if engine.Transient(nil) || engine.Crowded(nil) || engine.Denied(nil) || engine.Silent(nil) {
		t.Error("nothing failed, and something is said of it")
	}
}

func TestPause(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"toomanyrequests: retry-after: 985.86µs, allowed: 44000/minute": 985860 * time.Nanosecond,
		"toomanyrequests: retry-after: 12.5ms, allowed: 2000/minute":    12500 * time.Microsecond,
		"toomanyrequests: retry-after: 1m30s, allowed: 2000/minute":     90 * time.Second,
		"too many requests, Retry-After: 30":                            30 * time.Second,
		"toomanyrequests: You have reached your pull rate limit":        0,
	} {
		if got := engine.Pause(errors.New(text)); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}
