package eblocaltest

import (
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"sync/atomic"
)

// wire carries requests to a Local without a network.
type wire Local

var errBroken = errors.New("connection reset by peer")

// RoundTrip serves the request beside the caller, who may give it up.
func (w *wire) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.Host = r.URL.RequestURI(), r.URL.Host
	if in.Body == nil {
		in.Body = http.NoBody
	}
	if r.ContentLength > 0 {
		in.Header.Set("Content-Length", strconv.FormatInt(r.ContentLength, 10)) // as a server has it
	}
	done := make(chan *httptest.ResponseRecorder, 1)
	go func() { done <- (*Local)(w).record(in) }()
	select {
	case answer := <-done:
		if answer == nil {
			return nil, errBroken
		}
		response := answer.Result()
		response.Request = r
		return response, nil
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
}

// record is the answer to a request, nil if the connection breaks.
func (l *Local) record(r *http.Request) (answer *httptest.ResponseRecorder) {
	defer func() { _ = r.Body.Close() }()
	defer func() {
		what := recover()
		if err, _ := what.(error); what != nil && !errors.Is(err, http.ErrAbortHandler) {
			panic(what)
		}
	}()
	w := httptest.NewRecorder()
	if front := l.Front(r.Host); front != nil {
		front.ServeHTTP(w, r)
		return w
	}
	l.ServeHTTP(w, r)
	return w
}

// silence is a listener that nobody connects to; each has another address.
type silence struct {
	closed chan struct{}
	once   sync.Once
	number byte
}

var silences atomic.Int32

func listen(string, string) (net.Listener, error) {
	return &silence{closed: make(chan struct{}), number: byte(silences.Add(1))}, nil
}

func (s *silence) Accept() (net.Conn, error) {
	<-s.closed
	return nil, net.ErrClosed
}

func (s *silence) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

func (s *silence) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, s.number), Port: 80} }
