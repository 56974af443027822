package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/docker/docker/pkg/jsonmessage"
)

// silence is how long a push may say nothing. The engine reports every layer
// that moves; a registry that took a connection and never answers is waited
// for without end.
const silence = 2 * time.Minute

// builderSilence is the same for a builder without a store: BuildKit tells that
// it pushes layers and when it has, and nothing while they move. Source:
// moby/buildkit, util/push/push.go.
const builderSilence = 30 * time.Minute

// longestSilence is how long a push may say nothing.
func (b *Builder) longestSilence() time.Duration {
	switch {
	case b.Silence > 0:
		return b.Silence
	case b.store != nil:
		return silence
	}
	return builderSilence
}

// onlyNew passes on what is new in a push or a pull. The containerd store says
// ten times a second how far each layer is, also where none moves.
func onlyNew(passOn func(jsonmessage.JSONMessage)) func(jsonmessage.JSONMessage) {
	last := map[string]string{}
	return func(message jsonmessage.JSONMessage) {
		told := message.Status
		if message.Progress != nil {
			told = fmt.Sprint(told, message.Progress.Current)
		}
		if last[message.ID] != told {
			last[message.ID] = told
			passOn(message)
		}
	}
}

// withSilence is a context that ends when nothing was written to heard for a
// time.
func withSilence(ctx context.Context, within time.Duration) (_ context.Context, heard io.Writer, stop func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(within, func() { cancel(quiet(within)) })
	return ctx, restart{timer, within}, func() {
		timer.Stop()
		cancel(nil)
	}
}

type restart struct {
	timer  *time.Timer
	within time.Duration
}

func (r restart) Write(text []byte) (int, error) {
	r.timer.Reset(r.within)
	return len(text), nil
}

// quiet is the cause of a context that ended because nothing was heard.
type quiet time.Duration

func (q quiet) Error() string { return fmt.Sprintf("heard nothing for %s", time.Duration(q)) }

// because gives an error its cause if that is silence.
func because(ctx context.Context, err error) error {
	var cause quiet
	if errors.As(context.Cause(ctx), &cause) {
		return cause
	}
	return err
}
