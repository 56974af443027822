package engine

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

// TestCleanup shows how long a removal may take: any time while the step goes
// on, cleanupTime once it was cancelled.
func TestCleanup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		step, cancelStep := context.WithCancel(t.Context())
		cleaning, done := cleanup(step)
		defer done()
		time.Sleep(time.Hour)
		if cleaning.Err() != nil {
			t.Error("a removal ends by itself while the step goes on")
		}
		cancelStep()
		cancelled := time.Now()
		<-cleaning.Done()
		if took := time.Since(cancelled); took != cleanupTime {
			t.Errorf("a removal may take %s after the step was cancelled, want %s", took, cleanupTime)
		}
	})
}
