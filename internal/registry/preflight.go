package registry

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/image"
)

// parallel bounds how many repositories are asked about at once.
const parallel = 8

// CheckPush finds out whether every repository would take a push, before
// anything is built for it. It writes nothing: an upload is opened and
// cancelled, since Docker Hub grants the token for a push that it then
// refuses. All refusals are reported together.
func (c Credentials) CheckPush(ctx context.Context, references []image.Reference) error {
	var mu sync.Mutex
	problems := make([]error, len(references))
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, reference := range references {
		group.Go(func() error {
			err := c.checkPush(ctx, reference)
			mu.Lock()
			defer mu.Unlock()
			problems[i] = err
			return nil
		})
	}
	return errors.Join(group.Wait(), errors.Join(distinct(problems)...))
}

func (c Credentials) checkPush(ctx context.Context, reference image.Reference) error {
	parsed, err := name.ParseReference(reference.String())
	if err != nil {
		return fmt.Errorf("image %q: %w", reference, err)
	}
	err = remote.CheckPushPermission(parsed, c, withContext{ctx})
	if err == nil {
		return nil
	}
	return c.explain(reference, err)
}

// explain says whose fault a refused push is and what to do.
func (c Credentials) explain(reference image.Reference, err error) error {
	login, known := c.Login(reference.Registry)
	var refused *transport.Error
	if !errors.As(err, &refused) {
		return fmt.Errorf("registry %s does not answer: %w", reference.Registry, err)
	}
	denied := refused.StatusCode == http.StatusUnauthorized || refused.StatusCode == http.StatusForbidden
	switch {
	case denied && !known && len(c) > 0:
		return fmt.Errorf("registry %s asks for a login to push, and the login given is for %s: give the input registry: %s, or auths", reference.Registry, strings.Join(slices.Sorted(maps.Keys(c)), ", "), reference.Registry)
	case denied && !known:
		return fmt.Errorf("registry %s asks for a login to push: give the inputs username and password (a secret that is not set is empty)", reference.Registry)
	case denied && isTokenRefusal(refused):
		return fmt.Errorf("registry %s refuses the login of user %q: check the inputs username and password (on Docker Hub a personal access token with write scope is the password)", reference.Registry, login.Username)
	case refused.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("registry %s refuses user %q the push to %s: check the name's owner, the token's scope, and the inputs username and password", reference.Registry, login.Username, reference.Repository)
	case denied:
		return fmt.Errorf("registry %s does not let user %q push to %s: check the name's owner, that the repository exists, and the token's scope", reference.Registry, login.Username, reference.Repository)
	case refused.StatusCode == http.StatusNotFound:
		return fmt.Errorf("registry %s has no repository %s: create it first", reference.Registry, reference.Repository)
	}
	return fmt.Errorf("registry %s, repository %s: HTTP %d: %w", reference.Registry, reference.Repository, refused.StatusCode, err)
}

// isTokenRefusal tells a login that was refused from a repository that was: the
// request for a token is answered with 401. By Basic authentication there is no
// such request, and a 401 may mean either.
func isTokenRefusal(refused *transport.Error) bool {
	return refused.StatusCode == http.StatusUnauthorized && (refused.Request == nil || refused.Request.Method == http.MethodGet)
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
	parsed, err := name.ParseReference(reference.String())
	if err != nil {
		return "", fmt.Errorf("image %q: %w", reference, err)
	}
	descriptor, err := remote.Head(parsed, remote.WithAuthFromKeychain(c), remote.WithContext(ctx))
	if err != nil {
		return "", fmt.Errorf("ask for the digest of %s: %w", reference, err)
	}
	return descriptor.Digest.String(), nil
}

// withContext bounds the requests of a library function that takes no
// context.
type withContext struct{ ctx context.Context }

func (w withContext) RoundTrip(request *http.Request) (*http.Response, error) {
	return patient{remote.DefaultTransport}.RoundTrip(request.WithContext(w.ctx))
}
