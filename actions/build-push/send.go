package buildpush

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
)

// A push that a registry or the network cut short is begun again: layers that
// arrived are not sent twice. One that hung has taken its time already.
const (
	pushTries = 5
	hangTries = 2
	pushPause = time.Second
	// longestRest bounds the pauses of one push together, whatever the registry
	// asks for.
	longestRest = 10 * time.Minute
)

func (s *session) send(ctx context.Context, i int, built engine.Built, reference image.Reference) (string, error) {
	one := engine.Image{Build: s.builds[i], Repository: s.plan.repository, Names: []string{reference.String()}, Secrets: s.plan.images[i].secrets}
	if reference.Tag == uploadTag {
		if err := s.builder.Tag(ctx, built, reference.String()); err != nil {
			return "", err
		}
	}
	left := longestRest
	for try := 1; ; try++ {
		digest, err := s.builder.Push(ctx, one, s.logins.Lookup, reference.Registry)
		if err == nil || ctx.Err() != nil {
			return digest, err
		}
		if try >= triesOf(err) {
			return "", unsent(reference, try, err)
		}
		s.log.Printf("%v; try %d of %d follows", err, try+1, triesOf(err))
		began := time.Now()
		if err := s.rest(ctx, reference, try, err, left); err != nil {
			return "", err
		}
		left -= time.Since(began)
	}
}

// triesOf is how often a push is tried that failed so.
func triesOf(err error) int {
	switch {
	case engine.Lost(err):
		return 2 // it may have been restarted
	case engine.Silent(err):
		return hangTries
	case engine.Transient(err):
		return pushTries
	}
	return 1
}

// rest waits before the next try: as long as the registry asks for, where it
// has too much to do. Its header with that does not come through the engine, so
// the registry is asked.
func (s *session) rest(ctx context.Context, reference image.Reference, try int, failure error, left time.Duration) error {
	pause := pushPause << (try - 1)
	pause = max(pause+rand.N(pause/2), engine.Pause(failure))
	select {
	case <-time.After(min(pause, left)):
	case <-ctx.Done():
		return ctx.Err()
	}
	if engine.Crowded(failure) && left > pause {
		bounded, cancel := context.WithTimeout(ctx, left-pause)
		defer cancel()
		s.logins.Calm(bounded, reference)
	}
	return ctx.Err()
}

// unsent says of a push that failed for good what to do.
func unsent(reference image.Reference, tries int, err error) error {
	explained := registry.ExplainEngine(err)
	often := ""
	if tries > 1 {
		often = fmt.Sprintf(" (tried %d times)", tries)
	}
	host := reference.Registry
	switch {
	case explained.Error() != err.Error() || engine.Lost(err):
		return explained
	case engine.Silent(err):
		return fmt.Errorf("%w%s: registry %s took the connection and does not go on; look at its status, or at what stands between, and run the job again", err, often, host)
	case engine.Denied(err):
		return fmt.Errorf("%w: registry %s refuses to push to %s what it allowed before the build; see that the login lasts as long as the build, and what its token may do", err, host, reference.Repository)
	case engine.Crowded(err):
		return fmt.Errorf("%w%s: registry %s is asked too often or is not well; run the job again later", err, often, host)
	case engine.Transient(err):
		return fmt.Errorf("%w%s: registry %s is not well, or the line to it; run the job again, and look at the registry's status if that lasts", err, often, host)
	}
	return err
}
