package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/guk0/travois/internal/image"
)

// explain says whose fault a refused push is and what to do.
func (c Credentials) explain(ctx context.Context, reference image.Reference, err error) error {
	var unfetched *loginError
	if errors.As(err, &unfetched) {
		return fmt.Errorf("registry %s: %w", reference.Registry, unfetched.err)
	}
	var refused *transport.Error
	if !errors.As(err, &refused) {
		return unanswered(reference.Registry, err)
	}
	denied := refused.StatusCode == http.StatusUnauthorized || refused.StatusCode == http.StatusForbidden
	ecr, isECR := parseECR(host(reference.Registry))
	login, loginErr := c.login(ctx, reference.Registry)
	switch {
	case refused.StatusCode == http.StatusTooManyRequests || rateLimit.MatchString(err.Error()):
		return fmt.Errorf("registry %s is asked too often: HTTP %d%s; run the job again later", reference.Registry, refused.StatusCode, said(refused))
	case slices.ContainsFunc(refused.Errors, func(one transport.Diagnostic) bool { return one.Code == transport.ManifestUnknownErrorCode }):
		return fmt.Errorf("registry %s does not have %s: %w", reference.Registry, reference, err)
	case refused.StatusCode == http.StatusNotFound && isECR:
		return fmt.Errorf("registry %s has no repository %s, and a push to ECR makes none: create it first, `%s`", reference.Registry, reference.Repository, ecr.create(reference.Repository))
	case refused.StatusCode == http.StatusNotFound:
		return fmt.Errorf("registry %s has no repository %s: create it first", reference.Registry, reference.Repository)
	case denied && loginErr != nil:
		return fmt.Errorf("registry %s asks for a login to push: %w", reference.Registry, loginErr)
	case denied && login.Username == "":
		return c.stranger(reference)
	case denied && isECR:
		return fmt.Errorf("registry %s does not let the step's AWS credentials push to %s: give them ecr:InitiateLayerUpload, ecr:UploadLayerPart, ecr:CompleteLayerUpload, ecr:BatchCheckLayerAvailability and ecr:PutImage there%s",
			reference.Registry, reference.Repository, said(refused))
	case denied:
		return c.denied(reference, login, refused)
	case immutable.MatchString(err.Error()):
		return fmt.Errorf("registry %s, repository %s: %s%s", reference.Registry, reference.Repository, keepsTags, said(refused))
	}
	if refused.StatusCode >= http.StatusInternalServerError {
		return fmt.Errorf("registry %s is not well: HTTP %d%s for %s; run the job again, and look at the registry's status if that lasts", reference.Registry, refused.StatusCode, said(refused), reference.Repository)
	}
	return fmt.Errorf("registry %s, repository %s: HTTP %d: %w", reference.Registry, reference.Repository, refused.StatusCode, err)
}

// immutable is how registries word that a tag is another image's and stays so.
// Source: Amazon ECR's user guide, "Preventing image tags from being overwritten".
var immutable = regexp.MustCompile(`(?i)\bimmutable\b`)

// keepsTags is what to do then.
const keepsTags = "it has the tag already and keeps tags as they are: give only tags that no other commit has in the input tags, as sha-{sha}, or let tags be overwritten in the repository's settings"

// stranger is a push without a login.
func (c Credentials) stranger(reference image.Reference) error {
	if known := c.known(); len(known) > 0 {
		return fmt.Errorf("registry %s asks for a login to push, and the login given is for %s: give the input registry: %s, or auths", reference.Registry, strings.Join(known, ", "), reference.Registry)
	}
	return fmt.Errorf("registry %s asks for a login to push: give the inputs username and password (a secret that is not set is empty)", reference.Registry)
}

// denied is a push with a login that may not do it.
func (c Credentials) denied(reference image.Reference, login Login, refused *transport.Error) error {
	isGHCR := host(reference.Registry) == "ghcr.io"
	switch {
	case isTokenRefusal(refused, isGHCR):
		return fmt.Errorf("registry %s refuses the login of user %q: check the inputs username and password (%s)", reference.Registry, login.Username, passwordOf(reference.Registry))
	case isGHCR:
		return fmt.Errorf("registry %s does not let user %q push to %s: with GITHUB_TOKEN give the job `permissions: packages: write`, and give the repository write access in the package's settings if the package is older; a personal access token needs the scope write:packages%s",
			reference.Registry, login.Username, reference.Repository, said(refused))
	case refused.StatusCode == http.StatusUnauthorized:
		return fmt.Errorf("registry %s refuses user %q the push to %s: check the name's owner, the token's scope, and the inputs username and password", reference.Registry, login.Username, reference.Repository)
	}
	return fmt.Errorf("registry %s does not let user %q push to %s: check the name's owner, that the repository exists, and the token's scope", reference.Registry, login.Username, reference.Repository)
}

// passwordOf tells what the password is at a registry.
func passwordOf(registry string) string {
	if host(registry) == "ghcr.io" {
		return "on GHCR the password is secrets.GITHUB_TOKEN or a personal access token"
	}
	return "on Docker Hub a personal access token with write scope is the password"
}

// said is what a registry says of a refusal, as the end of a sentence.
func said(refused *transport.Error) string {
	for _, one := range refused.Errors {
		if one.Message != "" {
			return " (" + one.Message + ")"
		}
	}
	return ""
}

// unanswered is a request that no answer came to.
func unanswered(registry string, err error) error {
	var plain *plainError
	switch {
	case errors.As(err, &plain) && host(plain.host) != host(registry):
		return fmt.Errorf("registry %s sends its logins to another host: %w", registry, plain)
	case isPlain(err):
		return fmt.Errorf("registry %s speaks plain HTTP, which is used for loopback addresses only: give it a certificate, or name it in the input insecure-registries", registry)
	case isUntrusted(err):
		return fmt.Errorf("registry %s has a certificate that can't be believed: give it another, or name it in the input insecure-registries: %w", registry, err)
	}
	return fmt.Errorf("registry %s does not answer: %w; check its name and that it is up, and run the job again", registry, err)
}

// isTokenRefusal tells a login that was refused from a repository that was: the
// request for a token is answered with 401. By Basic authentication there is no
// such request, and a 401 may mean either. GHCR says 403 to a wrong login.
func isTokenRefusal(refused *transport.Error, isGHCR bool) bool {
	return (refused.StatusCode == http.StatusUnauthorized || isGHCR) && (refused.Request == nil || refused.Request.Method == http.MethodGet)
}
