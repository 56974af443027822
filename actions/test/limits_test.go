package test

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// TestWatch shows what ends a suite that says nothing, and what is told of it.
func TestWatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, watch := newWatch(t.Context(), 10*time.Minute)
		defer watch.stop()
		watch.now("running")
		time.Sleep(9 * time.Minute)
		if _, err := watch.Write([]byte("first\nsecond line\n\n")); err != nil {
			t.Fatal(err)
		}
		time.Sleep(9 * time.Minute)
		if ctx.Err() != nil {
			t.Fatal("ended although something was printed")
		}
		<-ctx.Done()
		if got := time.Since(begin); got != 19*time.Minute {
			t.Errorf("ended after %s, want 19m", got)
		}
		want := "nothing was printed for 10m (input idle-timeout) while running; the last line was: second line"
		if got := watch.explain(limitOf(ctx)).Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestWatchWithoutLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, watch := newWatch(t.Context(), 0)
		watch.now("running")
		time.Sleep(24 * time.Hour)
		if ctx.Err() != nil {
			t.Errorf("ended: %v", context.Cause(ctx))
		}
		watch.stop()
		if limitOf(ctx) != nil {
			t.Error("the end of the watch counts as a limit")
		}
	})
}

// TestTimeout shows that the step's limit reaches a suite through its watch.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bounded, cancel := withTimeout(t.Context(), 50*time.Minute)
		defer cancel()
		ctx, watch := newWatch(bounded, 0)
		defer watch.stop()
		watch.now("building its image")
		<-ctx.Done()
		want := "the step has taken 50m (input timeout) while building its image"
		if got := watch.explain(limitOf(ctx)).Error(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// stalled gives a piece every minute, and after some nothing more.
type stalled struct {
	ctx    context.Context
	pieces int
}

func (s *stalled) Read(into []byte) (int, error) {
	if s.pieces--; s.pieces < 0 {
		<-s.ctx.Done()
		return 0, s.ctx.Err()
	}
	time.Sleep(time.Minute)
	return len(into), nil
}

// TestStalledCopy shows that a copy may take any time as long as it moves.
func TestStalledCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		ctx, watch := newWatch(t.Context(), 10*time.Minute)
		defer watch.stop()
		watch.now("copying /cov")
		_, err := io.Copy(io.Discard, watch.read(ctx, &stalled{ctx: ctx, pieces: 60}))
		want := "nothing was printed for 10m (input idle-timeout) while copying /cov"
		if took := time.Since(begin); err == nil || err.Error() != want || took != 70*time.Minute {
			t.Errorf("after %s: %v, want %q after 1h10m", took, err, want)
		}
	})
}

func TestCancellationIsNoLimit(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errors.New("stopped"))
	if limitOf(ctx) != nil {
		t.Error("a cancelled step counts as one that took too long")
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		50 * time.Minute: "50m", 90 * time.Second: "1m30s", 2 * time.Hour: "2h", 90 * time.Minute: "1h30m", 1500 * time.Millisecond: "1.5s", 10 * time.Second: "10s",
	} {
		if got := short(d); got != want {
			t.Errorf("%v: got %s, want %s", d, got, want)
		}
	}
}
