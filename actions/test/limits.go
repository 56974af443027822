package test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// limit is the cause of a context that ended for want of time.
type limit struct {
	// input names the limit; after is how long it is.
	input string
	after time.Duration
}

func (l *limit) Error() string {
	if l.input == idleInput {
		return fmt.Sprintf("nothing was printed for %s (input %s)", short(l.after), l.input)
	}
	return fmt.Sprintf("the step has taken %s (input %s)", short(l.after), l.input)
}

const (
	totalInput = "timeout"
	idleInput  = "idle-timeout"
)

// short is a duration as one writes it: 50m, not 50m0s.
func short(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// withTimeout bounds a step. Zero is no bound.
func withTimeout(ctx context.Context, after time.Duration) (context.Context, context.CancelFunc) {
	if after == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeoutCause(ctx, after, &limit{totalInput, after})
}

// watch ends a context when nothing was written for a time, and remembers what
// was going on.
type watch struct {
	idle   time.Duration
	timer  *time.Timer
	cancel context.CancelCauseFunc

	mu    sync.Mutex
	doing string
	last  []byte // the last line that was written, cut
}

// newWatch watches over what is written to it. Zero is no limit.
func newWatch(ctx context.Context, idle time.Duration) (context.Context, *watch) {
	ctx, cancel := context.WithCancelCause(ctx)
	w := &watch{idle: idle, cancel: cancel}
	if idle > 0 {
		w.timer = time.AfterFunc(idle, func() { cancel(&limit{idleInput, idle}) })
	}
	return ctx, w
}

// stop ends the watch and its context.
func (w *watch) stop() {
	if w.timer != nil {
		w.timer.Stop()
	}
	w.cancel(nil)
}

// now tells what begins. Time counts anew.
func (w *watch) now(doing string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.doing, w.last = doing, nil
	w.reset()
}

// touch is a sign of life.
func (w *watch) touch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reset()
}

// read passes a stream on, each piece of which is a sign of life. Its error is
// the limit's where that has ended the context.
func (w *watch) read(ctx context.Context, stream io.Reader) io.Reader {
	return &watchedReader{ctx, w, stream}
}

type watchedReader struct {
	ctx    context.Context
	watch  *watch
	stream io.Reader
}

func (r *watchedReader) Read(into []byte) (int, error) {
	n, err := r.stream.Read(into)
	r.watch.touch()
	if ended := limitOf(r.ctx); err != nil && ended != nil {
		return n, r.watch.explain(ended)
	}
	return n, err
}

func (w *watch) reset() {
	if w.timer != nil && w.timer.Stop() {
		w.timer.Reset(w.idle)
	}
}

// longestQuote is how much of a line a message quotes, in bytes.
const longestQuote = 200

func (w *watch) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.reset()
	if line := lastLine(text); len(line) > 0 {
		w.last = append(w.last[:0], line[:min(len(line), longestQuote)]...)
	}
	return len(text), nil
}

func lastLine(text []byte) []byte {
	text = bytes.TrimSpace(text)
	return bytes.TrimSpace(text[bytes.LastIndexByte(text, '\n')+1:])
}

// explain says which limit ended the context, and what was going on.
func (w *watch) explain(ended *limit) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := fmt.Sprintf("%v while %s", ended, w.doing)
	if len(w.last) > 0 {
		text += fmt.Sprintf("; the last line was: %s", bytes.ToValidUTF8(w.last, []byte("?")))
	}
	return errors.New(text)
}

// limitOf is the limit that ended a context, nil if it was something else.
func limitOf(ctx context.Context) *limit {
	var ended *limit
	if ctx.Err() != nil && errors.As(context.Cause(ctx), &ended) {
		return ended
	}
	return nil
}

// signs passes writes on to a watch until it is ended.
type signs struct {
	watch *watch
	over  atomic.Bool
}

func (s *signs) end() { s.over.Store(true) }

func (s *signs) Write(text []byte) (int, error) {
	if s.over.Load() {
		return len(text), nil
	}
	return s.watch.Write(text)
}
