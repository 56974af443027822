package test

import (
	"context"
	"errors"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/engine"
)

// The engine finishes what it was asked for by a step that is killed the next
// moment. So it is looked at again and again until nothing new has come for a
// while: a short one where the step seems to have cleaned up itself.
const (
	lookAgain   = 250 * time.Millisecond
	calmAtOnce  = 500 * time.Millisecond
	calmAtLast  = 2 * time.Second
	sweepWithin = time.Minute
)

// sweep removes what a step that was killed left behind.
func sweep(ctx context.Context, r *action.Runner) error {
	eng, err := engine.Connect(ctx, r.Getenv)
	if err != nil {
		return err
	}
	defer func() { _ = eng.Close() }()
	ctx, cancel := context.WithTimeout(ctx, sweepWithin)
	defer cancel()
	c, _, _ := read(r)
	swept, err := sweepUntilCalm(ctx, func() (engine.Swept, error) { return sweepOnce(ctx, eng, r.StepKey(), c.Keep) })
	if swept != (engine.Swept{}) {
		r.Log.Printf("removed what the step had left behind: %d containers, %d networks, %d volumes, %d images",
			swept.Containers, swept.Networks, swept.Volumes, swept.Images)
	}
	return err
}

func sweepOnce(ctx context.Context, eng *engine.Engine, key string, keep bool) (engine.Swept, error) {
	swept, err := eng.Sweep(ctx, label+"="+key)
	if keep {
		return swept, err
	}
	count, imagesErr := eng.SweepImages(ctx, suiteImages+"*:"+key)
	swept.Images = count
	return swept, errors.Join(err, imagesErr)
}

func sweepUntilCalm(ctx context.Context, once func() (engine.Swept, error)) (engine.Swept, error) {
	var all engine.Swept
	calm := calmAtOnce
	for last := time.Now(); time.Since(last) < calm; {
		found, err := once()
		if err != nil {
			return all, err
		}
		if found != (engine.Swept{}) {
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
