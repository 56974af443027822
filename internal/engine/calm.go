package engine

import (
	"context"
	"time"
)

// The engine finishes what it was asked for by a step that is killed the next
// moment. So it is looked at again and again until nothing new has come for a
// while: a short one where the step seems to have cleaned up itself.
const (
	lookAgain  = 250 * time.Millisecond
	calmAtOnce = 500 * time.Millisecond
	calmAtLast = 2 * time.Second
)

// UntilCalm calls a sweep of what a step left behind until there is nothing
// left to come. The step must be over: its post entry point is the place.
func UntilCalm(ctx context.Context, once func() (Swept, error)) (Swept, error) {
	var all Swept
	calm := calmAtOnce
	for last := time.Now(); time.Since(last) < calm; {
		found, err := once()
		if err != nil {
			return all, err
		}
		if found != (Swept{}) {
			all = all.Add(found)
			calm, last = calmAtLast, time.Now()
		}
		select {
		case <-time.After(lookAgain):
		case <-ctx.Done():
			return all, ctx.Err()
		}
	}
	return all, nil
}
