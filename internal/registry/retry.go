package registry

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/guk0/travois/internal/image"
)

// A request is tried again while the registry says that it may go better, and
// after the pause that it asks for.
const (
	tries      = 5
	firstPause = time.Second
	// longestWait bounds for how long one request is tried again, whatever pauses
	// the registry asks for. lastTry is what is left of a context's time for the
	// last try, half of a short one.
	longestWait = 10 * time.Minute
	lastTry     = 10 * time.Second
	// answerWithin bounds the wait for an answer's head. A registry that took a
	// connection may never answer.
	answerWithin = time.Minute
	// toldFrom is from when on a pause that the registry asks for is told.
	toldFrom = 5 * time.Second
)

// patient is a transport that tries requests again.
type patient struct {
	next http.RoundTripper
	// say tells of long pauses; it may be nil.
	say func(format string, values ...any)
}

// RoundTrip gives the last answer where the time does not suffice for another
// try.
func (p patient) RoundTrip(request *http.Request) (*http.Response, error) {
	until := lastPause(request.Context())
	for try := 1; ; try++ {
		response, err := p.once(request)
		left := time.Until(until)
		if try == tries || left <= 0 || !again(request, response, err) {
			return response, err
		}
		pause := p.pause(request, try, response, left)
		if response != nil {
			_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<20))
			_ = response.Body.Close()
		}
		select {
		case <-time.After(pause):
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
		if request, err = replay(request); err != nil {
			return nil, err
		}
	}
}

// lastPause is when a request's last pause ends.
func lastPause(ctx context.Context) time.Time {
	longest := longestWait
	if deadline, is := ctx.Deadline(); is {
		left := time.Until(deadline)
		longest = min(longest, max(left-lastTry, left/2))
	}
	return time.Now().Add(longest)
}

var errNoAnswer = fmt.Errorf("it took the connection and said nothing for %s", answerWithin)

// once bounds the wait for the head, which begins anew with every piece of a
// layer that is taken. The answer's body may take longer.
func (p patient) once(request *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(request.Context())
	timer := time.AfterFunc(answerWithin, func() { cancel(errNoAnswer) })
	var answered atomic.Bool
	bounded := request.WithContext(ctx)
	if request.Body != nil && request.Body != http.NoBody {
		bounded.Body = moving{request.Body, func() {
			if !answered.Load() {
				timer.Reset(answerWithin)
			}
		}}
	}
	response, err := p.next.RoundTrip(bounded)
	answered.Store(true)
	timer.Stop()
	if err != nil {
		defer cancel(nil)
		if errors.Is(context.Cause(ctx), errNoAnswer) {
			return nil, errNoAnswer
		}
		return nil, err
	}
	response.Body = closing{response.Body, func() { cancel(nil) }}
	return response, nil
}

// moving tells of every piece that is read.
type moving struct {
	io.ReadCloser
	moved func()
}

func (m moving) Read(buffer []byte) (int, error) {
	m.moved()
	return m.ReadCloser.Read(buffer)
}

// closing ends a request's context with its body.
type closing struct {
	io.ReadCloser
	end func()
}

func (c closing) Close() error {
	defer c.end()
	return c.ReadCloser.Close()
}

func again(request *http.Request, response *http.Response, err error) bool {
	if request.Context().Err() != nil || request.Body != nil && request.Body != http.NoBody && request.GetBody == nil {
		return false
	}
	var unknown *net.DNSError
	if errors.As(err, &unknown) && unknown.IsNotFound || isPlain(err) || isUntrusted(err) {
		return false
	}
	if err != nil {
		return request.Method != http.MethodPatch // see brokenLayer
	}
	return passes(response)
}

// passes tells an answer that may be another one the next time.
func passes(response *http.Response) bool {
	switch code := response.StatusCode; code {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusForbidden:
		return response.Header.Get("Retry-After") != "" || rateLimit.Match(peek(response))
	default:
		return code >= http.StatusInternalServerError
	}
}

// rateLimit is how GitHub words a 403 that means too many requests. Source:
// GitHub's documentation, "Rate limits for the REST API".
var rateLimit = regexp.MustCompile(`(?i)\brate limit`)

// peek is the beginning of an answer's body, which stays to be read.
func peek(response *http.Response) []byte {
	start, _ := io.ReadAll(io.LimitReader(response.Body, 4<<10))
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(start), response.Body), response.Body}
	return start
}

// isPlain tells an answer by plain HTTP to one who asks by HTTPS. The error has
// another type above an http.Client than below it.
func isPlain(err error) bool {
	var notTLS tls.RecordHeaderError
	return errors.Is(err, http.ErrSchemeMismatch) || errors.As(err, &notTLS)
}

// isUntrusted tells a certificate that is not believed.
func isUntrusted(err error) bool {
	var untrusted *tls.CertificateVerificationError
	return errors.As(err, &untrusted)
}

// replay is a request with its body from the beginning.
func replay(request *http.Request) (*http.Request, error) {
	if request.GetBody == nil {
		return request, nil
	}
	body, err := request.GetBody()
	if err != nil {
		return nil, err
	}
	next := request.Clone(request.Context())
	next.Body = body
	return next, nil
}

// pause is what the registry asks for, at least a while that is twice as long
// each time, with some chance in it so that side by side requests part, and at
// most what is left.
func (p patient) pause(request *http.Request, try int, response *http.Response, left time.Duration) time.Duration {
	while := firstPause << (try - 1)
	while = while/2 + rand.N(while/2)
	if response == nil {
		return min(while, left)
	}
	asked := retryAfter(response.Header.Get("Retry-After"))
	if asked >= toldFrom && p.say != nil {
		bound := ""
		if asked > left {
			bound = fmt.Sprintf("; there are %s left for that", left.Round(time.Second))
		}
		p.say("registry %s answers %d %s and asks for a pause of %s%s", request.URL.Host, response.StatusCode, http.StatusText(response.StatusCode), asked.Round(time.Second), bound)
	}
	return min(max(while, asked), left)
}

// longestAsked is what a longer Retry-After is taken for.
const longestAsked = 7 * 24 * time.Hour

// retryAfter reads seconds or a date (RFC 9110, 10.2.3), 0 if it is neither or
// past.
func retryAfter(text string) time.Duration {
	seconds, err := strconv.ParseUint(text, 10, 64)
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(min(seconds, uint64(longestAsked/time.Second))) * time.Second //nolint:gosec // It is small.
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(0, time.Until(at)), longestAsked)
}

// Calm waits until a registry that had too much to do takes requests as those of
// a push again, for as long as it asks for and a bounded number of times. What it
// answers at last does not matter: the push itself will tell.
func (c Credentials) Calm(ctx context.Context, reference image.Reference) {
	if c.checkPush(ctx, reference) == nil {
		_, _ = c.Digest(ctx, reference)
	}
}
