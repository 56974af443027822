package buildpush

import (
	"context"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/engine"
)

// label marks a builder that was started for a step, with the step's key as its
// value.
const label = "io.travois.builder"

const sweepWithin = time.Minute

// sweep removes the builder that a step which was killed left behind, with all
// that it kept.
func sweep(ctx context.Context, r *action.Runner) error {
	var inputs BuilderInputs
	if err := r.Inputs(&inputs); err != nil || !inputs.starts() {
		return err
	}
	eng, err := engine.Connect(ctx, r.Getenv)
	if err != nil {
		return err
	}
	defer func() { _ = eng.Close() }()
	ctx, cancel := context.WithTimeout(ctx, sweepWithin)
	defer cancel()
	swept, err := engine.UntilCalm(ctx, func() (engine.Swept, error) { return eng.Sweep(ctx, label+"="+r.StepKey()) })
	if swept != (engine.Swept{}) {
		r.Log.Printf("removed the builder that the step had left behind")
	}
	return err
}
