package action

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/sethvargo/go-githubactions"
)

// ErrNoIDToken tells that the job may not ask for an ID token.
var ErrNoIDToken = errors.New("the job has no ID token: give it `permissions: {contents: read, id-token: write}`; " +
	"pull requests from forks and from Dependabot have none")

// The service that hands out ID tokens fails now and then for a moment.
const (
	idTokenTries = 4
	idTokenPause = 2 * time.Second
)

// HasIDToken tells whether the job may have an ID token. Jobs without
// `permissions: id-token: write` have none, nor do pull requests from forks.
func (r *Runner) HasIDToken() bool {
	return r.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL") != "" && r.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN") != ""
}

// IDToken is the job's OIDC token for an audience, masked. Without the
// permission to ask for one the error is ErrNoIDToken. Source:
// https://docs.github.com/actions/reference/security/oidc
func (r *Runner) IDToken(ctx context.Context, audience string) (string, error) {
	if !r.HasIDToken() {
		return "", ErrNoIDToken
	}
	r.Log.Mask(r.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
	for try := 1; ; try++ {
		token, err := r.gh.GetIDToken(ctx, audience)
		if err == nil && token == "" {
			err = errors.New("the runner's answer holds no ID token")
		}
		if err == nil {
			r.Log.Mask(token)
			return token, nil
		}
		if try == idTokenTries || refusesIDToken(err) {
			return "", explainIDToken(err)
		}
		select {
		case <-ctx.Done():
			return "", fmt.Errorf("ask the runner for an ID token: %w", ctx.Err())
		case <-time.After(time.Duration(try) * idTokenPause):
		}
	}
}

func refusesIDToken(err error) bool {
	var failed *githubactions.RequestFailedError
	return errors.As(err, &failed) && failed.StatusCode >= 400 && failed.StatusCode < 500 && failed.StatusCode != 429
}

// explainIDToken drops the body of a refusal, which is a page.
func explainIDToken(err error) error {
	var failed *githubactions.RequestFailedError
	if errors.As(err, &failed) {
		return fmt.Errorf("the runner refuses an ID token with HTTP %d", failed.StatusCode)
	}
	return fmt.Errorf("ask the runner for an ID token: %w", err)
}
