package registry

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// answer is what a registry does with one request.
type answer struct {
	status     int
	retryAfter string
	err        error
	hangs      bool
}

// answers is a transport that gives one after the other, and remembers the
// bodies that it was sent.
type answers struct {
	left []answer
	sent []string
}

func (a *answers) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Body != nil {
		text, _ := io.ReadAll(request.Body)
		a.sent = append(a.sent, string(text))
	}
	next := a.left[0]
	a.left = a.left[1:]
	if next.hangs {
		<-request.Context().Done()
		return nil, request.Context().Err()
	}
	if next.err != nil {
		return nil, next.err
	}
	header := http.Header{}
	if next.retryAfter != "" {
		header.Set("Retry-After", next.retryAfter)
	}
	return &http.Response{StatusCode: next.status, Header: header, Body: http.NoBody}, nil
}

func TestPatient(t *testing.T) {
	reset := answer{err: &net.OpError{Op: "read", Err: syscall.ECONNRESET}}
	for _, c := range []struct {
		name     string
		answers  []answer
		want     int
		err      error
		atLeast  time.Duration
		atMost   time.Duration
		leftover int
	}{
		{name: "at once", answers: []answer{{status: 200}}, want: 200},
		{name: "too many requests, then in", answers: []answer{{status: 429, retryAfter: "7"}, {status: 200}}, want: 200, atLeast: 7 * time.Second, atMost: 7 * time.Second},
		{name: "a pause of an hour is cut", answers: []answer{{status: 429, retryAfter: "3600"}, {status: 200}}, want: 200, atLeast: time.Minute, atMost: time.Minute},
		{name: "503, a broken connection, 408", answers: []answer{{status: 503}, reset, {status: 408}, {status: 201}}, want: 201, atLeast: 3500 * time.Millisecond, atMost: 7 * time.Second},
		{name: "never", answers: []answer{{status: 500}, {status: 500}, {status: 500}, {status: 500}, {status: 500}}, want: 500, atLeast: 7500 * time.Millisecond, atMost: 15 * time.Second},
		{name: "hangs, then in", answers: []answer{{hangs: true}, {status: 200}}, want: 200, atLeast: answerWithin, atMost: answerWithin + firstPause},
		{name: "401 is final", answers: []answer{{status: 401}, {status: 200}}, want: 401, leftover: 1},
		{name: "403 is final", answers: []answer{{status: 403}, {status: 200}}, want: 403, leftover: 1},
		{name: "404 is final", answers: []answer{{status: 404}, {status: 200}}, want: 404, leftover: 1},
		{name: "no such host is final", answers: []answer{{err: &net.DNSError{Err: "no such host", IsNotFound: true}}, {status: 200}}, err: &net.DNSError{}, leftover: 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			wire := &answers{left: c.answers}
			request, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://registry.example/v2/a/manifests/1", strings.NewReader("a manifest"))
			if err != nil {
				t.Fatal(err)
			}
			started := time.Now()
			response, err := patient{wire}.RoundTrip(request)
			took := time.Since(started)
			if (err != nil) != (c.err != nil) || err == nil && response.StatusCode != c.want || len(wire.left) != c.leftover {
				t.Errorf("%s: %v, %v, %d answers left; want %d, %v, %d left", c.name, response, err, len(wire.left), c.want, c.err, c.leftover)
			}
			if took < c.atLeast || took > c.atMost {
				t.Errorf("%s: took %s, want %s to %s", c.name, took, c.atLeast, c.atMost)
			}
			for i, body := range wire.sent {
				if body != "a manifest" {
					t.Errorf("%s: try %d sent %q", c.name, i+1, body)
				}
			}
			if response != nil {
				_ = response.Body.Close()
			}
		})
	}
}

func TestPatientCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://registry.example/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		wire := &answers{left: []answer{{status: 503, retryAfter: "30"}}}
		response, err := patient{wire}.RoundTrip(request)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		if response != nil {
			_ = response.Body.Close()
		}
	})
}
