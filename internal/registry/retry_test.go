package registry

import (
	"context"
	"errors"
	"fmt"
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
	body       string
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
	return &http.Response{StatusCode: next.status, Header: header, Body: io.NopCloser(strings.NewReader(next.body))}, nil
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
		// told is what the user reads, body the answer's.
		told, body string
	}{
		{name: "at once", answers: []answer{{status: 200}}, want: 200},
		{name: "too many requests, then in", answers: []answer{{status: 429, retryAfter: "7"}, {status: 200}}, want: 200, atLeast: 7 * time.Second, atMost: 7 * time.Second,
			told: "registry registry.example answers 429 Too Many Requests and asks for a pause of 7s"},
		{name: "no pause at all", answers: []answer{{status: 429, retryAfter: "0"}, {status: 200}}, want: 200, atLeast: firstPause / 2, atMost: firstPause},
		{name: "a date that is past", answers: []answer{{status: 503, retryAfter: "Fri, 31 Dec 1999 23:59:00 GMT"}, {status: 200}}, want: 200, atLeast: firstPause / 2, atMost: firstPause},
		{name: "a date", answers: []answer{{status: 503, retryAfter: "Sat, 01 Jan 2000 00:00:30 GMT"}, {status: 200}}, want: 200, atLeast: 30 * time.Second, atMost: 30 * time.Second,
			told: "registry registry.example answers 503 Service Unavailable and asks for a pause of 30s"},
		{name: "neither seconds nor a date", answers: []answer{{status: 429, retryAfter: "soon"}, {status: 200}}, want: 200, atLeast: firstPause / 2, atMost: firstPause},
		{name: "a pause of two minutes", answers: []answer{{status: 429, retryAfter: "120"}, {status: 200}}, want: 200, atLeast: 2 * time.Minute, atMost: 2 * time.Minute,
			told: "registry registry.example answers 429 Too Many Requests and asks for a pause of 2m0s"},
		{name: "a pause of an hour is cut", answers: []answer{{status: 429, retryAfter: "3600"}, {status: 200}}, want: 200, atLeast: longestWait, atMost: longestWait,
			told: "registry registry.example answers 429 Too Many Requests and asks for a pause of 1h0m0s; there are 10m0s left for that"},
		{name: "and not waited for twice", answers: []answer{{status: 429, retryAfter: "99999999999999999999"}, {status: 429, retryAfter: "3600"}, {status: 200}}, want: 429, atLeast: longestWait, atMost: longestWait, leftover: 1,
			told: "registry registry.example answers 429 Too Many Requests and asks for a pause of 168h0m0s; there are 10m0s left for that"},
		{name: "Cloudflare's own", answers: []answer{{status: 520}, {status: 524}, {status: 200}}, want: 200, atLeast: firstPause, atMost: 3 * firstPause},
		{name: "GitHub's limit", answers: []answer{{status: 403, body: `{"message":"You have exceeded a secondary rate limit."}`}, {status: 403, retryAfter: "3"}, {status: 200}}, want: 200, atLeast: 3500 * time.Millisecond, atMost: 4 * time.Second},
		{name: "503, a broken connection, 408", answers: []answer{{status: 503}, reset, {status: 408}, {status: 201}}, want: 201, atLeast: 3500 * time.Millisecond, atMost: 7 * time.Second},
		{name: "never", answers: []answer{{status: 500}, {status: 500}, {status: 500}, {status: 500}, {status: 500}}, want: 500, atLeast: 7500 * time.Millisecond, atMost: 15 * time.Second},
		{name: "hangs, then in", answers: []answer{{hangs: true}, {status: 200}}, want: 200, atLeast: answerWithin, atMost: answerWithin + firstPause},
		{name: "hangs for good", answers: []answer{{hangs: true}, {hangs: true}, {hangs: true}, {hangs: true}, {hangs: true}}, err: errNoAnswer, atLeast: tries * answerWithin, atMost: tries*answerWithin + 15*firstPause},
		{name: "401 is final", answers: []answer{{status: 401}, {status: 200}}, want: 401, leftover: 1},
		{name: "403 is final", answers: []answer{{status: 403, body: "denied"}, {status: 200}}, want: 403, body: "denied", leftover: 1},
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
			var told []string
			response, err := patient{wire, func(format string, values ...any) { told = append(told, fmt.Sprintf(format, values...)) }}.RoundTrip(request)
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
			if got := strings.Join(told, "\n"); got != c.told {
				t.Errorf("%s: told %q, want %q", c.name, got, c.told)
			}
			if response == nil {
				return
			}
			if text, _ := io.ReadAll(response.Body); string(text) != c.body {
				t.Errorf("%s: the answer's body is %q, want %q", c.name, text, c.body)
			}
			_ = response.Body.Close()
		})
	}
}

func TestPatientCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(100*time.Millisecond, cancel)
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://registry.example/v2/", nil)
		if err != nil {
			t.Fatal(err)
		}
		wire := &answers{left: []answer{{status: 503, retryAfter: "30"}}}
		response, err := patient{next: wire}.RoundTrip(request)
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if response != nil {
			_ = response.Body.Close()
		}
	})
}

// TestPatientDeadline shows that the registry's answer is given, instead of the
// time that ran out, where no time is left for another try.
func TestPatientDeadline(t *testing.T) {
	for _, c := range []struct{ within, want time.Duration }{
		{5 * time.Second, 5 * time.Second / 2}, {time.Minute, time.Minute - lastTry},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), c.within)
			defer cancel()
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://registry.example/v2/", nil)
			if err != nil {
				t.Fatal(err)
			}
			started := time.Now()
			response, err := patient{next: &answers{left: []answer{{status: 429, retryAfter: "3600"}, {status: 429, retryAfter: "3600"}}}}.RoundTrip(request)
			if err != nil {
				t.Fatal(err)
			}
			_ = response.Body.Close()
			if took := time.Since(started); response.StatusCode != http.StatusTooManyRequests || took != c.want {
				t.Errorf("within %s: %s after %s, want 429 after %s", c.within, response.Status, took, c.want)
			}
		})
	}
}
