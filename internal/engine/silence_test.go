package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, heard, stop := withSilence(t.Context(), time.Minute)
		defer stop()
		for range 5 {
			time.Sleep(50 * time.Second)
			if _, err := heard.Write([]byte("a layer moves")); err != nil || ctx.Err() != nil {
				t.Fatalf("a push that is heard of ended: %v, %v", err, context.Cause(ctx))
			}
		}
		time.Sleep(time.Minute + time.Second)
		if err := because(ctx, ctx.Err()); err == nil || err.Error() != "heard nothing for 1m0s" || !Transient(err) {
			t.Errorf("got %v, want a silence that is tried again", err)
		}
	})
}
