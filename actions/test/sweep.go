package test

import (
	"context"
	"errors"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/engine"
)

const sweepWithin = time.Minute

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
	swept, err := engine.UntilCalm(ctx, func() (engine.Swept, error) { return sweepOnce(ctx, eng, r.StepKey(), c.Keep) })
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
