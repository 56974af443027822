package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
)

// A request is tried again while the registry says that it may go better, and
// after the pause that it asks for.
const (
	tries        = 5
	firstPause   = time.Second
	longestPause = time.Minute
	// answerWithin bounds the wait for an answer's head. A registry that took a
	// connection may never answer.
	answerWithin = time.Minute
)

// passing are the states of a registry that pass.
var passing = []int{
	http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
	http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
}

// patient is a transport that tries requests again.
type patient struct{ next http.RoundTripper }

func (p patient) RoundTrip(request *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		response, err := p.once(request)
		if try == tries || !again(request, response, err) {
			return response, err
		}
		pause := pauseAfter(try, response)
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

var errNoAnswer = errors.New("the registry took the connection and does not answer")

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
	return err != nil || slices.Contains(passing, response.StatusCode)
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

// pauseAfter is what the registry asks for, else twice as long each time, with
// some chance in it so that side by side requests part.
func pauseAfter(try int, response *http.Response) time.Duration {
	if response != nil {
		if asked, ok := retryAfter(response.Header.Get("Retry-After")); ok {
			return min(asked, longestPause)
		}
	}
	pause := firstPause << (try - 1)
	return pause/2 + rand.N(pause/2)
}

// retryAfter reads seconds or a date (RFC 9110, 10.2.3).
func retryAfter(text string) (time.Duration, bool) {
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, true
	}
	at, err := http.ParseTime(text)
	if err != nil {
		return 0, false
	}
	return max(0, time.Until(at)), true
}

// Calm waits until a registry that had too much to do lets somebody in again,
// as long as it asks for and a bounded number of times.
func (c Credentials) Calm(ctx context.Context, host string) error {
	registry, err := name.NewRegistry(host, c.options(host)...)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, registry.Scheme()+"://"+registry.RegistryStr()+"/v2/", nil)
	if err != nil {
		return err
	}
	response, err := c.transport().RoundTrip(request)
	if err != nil {
		return err
	}
	return response.Body.Close()
}
