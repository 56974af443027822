package action

import (
	"context"
	"errors"
	"fmt"

	"github.com/sethvargo/go-githubactions"
)

// HasIDToken tells whether the job may have an ID token. Jobs without
// `permissions: id-token: write` have none, nor do pull requests from forks.
func (r *Runner) HasIDToken() bool {
	return r.Getenv("ACTIONS_ID_TOKEN_REQUEST_URL") != "" && r.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN") != ""
}

// IDToken is the job's OIDC token for an audience, masked. Source:
// https://docs.github.com/actions/reference/security/oidc
func (r *Runner) IDToken(ctx context.Context, audience string) (string, error) {
	if !r.HasIDToken() {
		return "", errors.New("the job has no ID token: give it `permissions: {contents: read, id-token: write}`; pull requests from forks and from Dependabot have none")
	}
	r.Log.Mask(r.Getenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN"))
	token, err := r.gh.GetIDToken(ctx, audience)
	var refused *githubactions.RequestFailedError
	switch {
	case errors.As(err, &refused):
		return "", fmt.Errorf("the runner refuses an ID token with HTTP %d", refused.StatusCode)
	case err != nil:
		return "", fmt.Errorf("ask the runner for an ID token: %w", err)
	case token == "":
		return "", errors.New("the runner's answer holds no ID token")
	}
	r.Log.Mask(token)
	return token, nil
}
