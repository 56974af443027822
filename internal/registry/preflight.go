package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/image"
)

// parallel bounds how many repositories are asked about at once.
const parallel = 8

// checkWithin bounds the preflight: a registry that takes connections and does
// not answer would hold it for as long as all tries take.
const checkWithin = 2 * time.Minute

var errCheckWithin = fmt.Errorf("not within %s", checkWithin)

// CheckPush finds out whether every repository would take a push, before
// anything is built for it. It writes nothing: an upload is opened and
// cancelled, since Docker Hub grants the token for a push that it then
// refuses. All refusals are reported together.
func (c Credentials) CheckPush(ctx context.Context, references []image.Reference) error {
	ctx, cancel := context.WithTimeoutCause(ctx, checkWithin, errCheckWithin)
	defer cancel()
	var mu sync.Mutex
	problems := make([]error, len(references))
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, reference := range references {
		group.Go(func() error {
			err := c.checkPush(ctx, reference)
			if err != nil && errors.Is(context.Cause(ctx), errCheckWithin) {
				err = unanswered(reference.Registry, errCheckWithin)
			}
			mu.Lock()
			defer mu.Unlock()
			problems[i] = err
			return nil
		})
	}
	return errors.Join(group.Wait(), errors.Join(distinct(problems)...))
}

func (c Credentials) checkPush(ctx context.Context, reference image.Reference) error {
	parsed, err := c.parse(reference)
	if err != nil {
		return err
	}
	err = remote.CheckPushPermission(parsed, keychain{ctx, c}, withContext{ctx, c.transport()})
	if err == nil {
		return nil
	}
	return c.explain(ctx, reference, err)
}

// distinct drops nils and repeated texts: three images in one registry that
// refuses the login are one problem.
func distinct(problems []error) []error {
	seen := map[string]bool{}
	var kept []error
	for _, problem := range problems {
		if problem != nil && !seen[problem.Error()] {
			seen[problem.Error()] = true
			kept = append(kept, problem)
		}
	}
	return kept
}

// Digest is the digest that a registry has under a tag, "sha256:…".
func (c Credentials) Digest(ctx context.Context, reference image.Reference) (string, error) {
	parsed, err := c.parse(reference)
	if err != nil {
		return "", err
	}
	descriptor, err := remote.Head(parsed, c.remote(ctx)...)
	if err != nil {
		return "", fmt.Errorf("ask for the digest of %s: %w", reference, err)
	}
	return descriptor.Digest.String(), nil
}

// withContext bounds the requests of a library function that takes no
// context.
type withContext struct {
	ctx  context.Context
	next http.RoundTripper
}

func (w withContext) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.Method != http.MethodDelete {
		return w.next.RoundTrip(request.WithContext(w.ctx))
	}
	// The upload is cancelled after the answer, and nobody reads how that went.
	response, err := w.next.RoundTrip(request.WithContext(context.WithoutCancel(w.ctx)))
	if err == nil {
		_ = response.Body.Close()
		response.Body = http.NoBody
	}
	return response, err
}
