package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/guk0/travois/internal/image"
)

// hubIdentity is who exchanges a job's ID token for a token of Docker Hub, and
// the audience that the ID token is for. Source: docker/login-action,
// src/dockerhub.ts.
const hubIdentity = "https://identity.docker.com"

// hubLasts is how long a token is asked to last: the most that is given, since
// a push comes after all builds. One that ends is renewed.
const hubLasts = time.Hour

// hubWithin bounds one exchange.
const hubWithin = 2 * time.Minute

// oidcHosts are the registries that take Docker Hub's tokens.
var oidcHosts = []string{image.DockerHub, "dhi.io"}

// connectionID is how Docker Hub writes the ID of an OIDC connection.
var connectionID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// hubExchange gets logins of an organization at Docker Hub for a job.
type hubExchange struct {
	organization, connection string
	// identity is the service's address.
	identity string
	// idToken gives the job's ID token for an audience.
	idToken func(ctx context.Context, audience string) (string, error)
	wire    http.RoundTripper
}

func (h hubExchange) login(ctx context.Context) (Login, time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, hubWithin)
	defer cancel()
	subject, err := h.idToken(ctx, hubIdentity)
	if err != nil {
		return Login{}, time.Time{}, fmt.Errorf("log in to Docker Hub: %w", err)
	}
	started := time.Now()
	token, lasts, err := h.exchange(ctx, subject)
	if err != nil {
		return Login{}, time.Time{}, fmt.Errorf("log in to Docker Hub: %w", err)
	}
	return Login{h.organization, token}, started.Add(lasts), nil
}

// exchange posts the form of RFC 8693.
func (h hubExchange) exchange(ctx context.Context, subject string) (string, time.Duration, error) {
	form := url.Values{
		"grant_type":         {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"subject_token_type": {"urn:ietf:params:oauth:token-type:id_token"},
		"subject_token":      {subject},
		"connection_id":      {h.connection},
		"expires_in":         {strconv.Itoa(int(hubLasts.Seconds()))},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, h.identity+"/oauth/token", strings.NewReader(form.Encode()))
	if err != nil {
		return "", 0, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	response, err := patient{next: h.wire}.RoundTrip(request)
	if err != nil {
		return "", 0, fmt.Errorf("the service that exchanges ID tokens does not answer: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	return readExchange(response)
}

// errNoHubToken is an answer that is not the service's.
var errNoHubToken = errors.New("the answer to the exchange of the ID token holds no access_token")

func readExchange(response *http.Response) (string, time.Duration, error) {
	var answer struct {
		Token       string `json:"access_token"`
		Lasts       int    `json:"expires_in"`
		Error       string `json:"error"`
		Description string `json:"error_description"`
		Message     string `json:"message"`
	}
	err := json.NewDecoder(io.LimitReader(response.Body, 1<<20)).Decode(&answer)
	if response.StatusCode != http.StatusOK {
		return "", 0, refusal(response.StatusCode, answer.Error, answer.Description, answer.Message)
	}
	if err != nil || answer.Token == "" {
		return "", 0, errNoHubToken
	}
	if answer.Lasts <= 0 {
		return answer.Token, hubLasts, nil
	}
	return answer.Token, time.Duration(answer.Lasts) * time.Second, nil
}

// refusal says whose fault an exchange is that was not made.
func refusal(status int, said ...string) error {
	said = slices.DeleteFunc(said, func(one string) bool { return one == "" })
	found := fmt.Sprintf("HTTP %d", status)
	if len(said) > 0 {
		found += ": " + strings.Join(said, ", ")
	}
	if status >= http.StatusInternalServerError || status == http.StatusTooManyRequests {
		return fmt.Errorf("the exchange of the ID token fails (%s): try again later", found)
	}
	return fmt.Errorf("the exchange of the ID token is refused (%s): check the input oidc-connection-id, that username is the organization, "+
		"and that a ruleset of the connection allows this repository and this branch, tag or pull request", found)
}

// withHub gives the credentials a login by an OIDC connection. It is fetched
// when it is first needed.
func (c Credentials) withHub(registry, organization, connection string, idToken func(context.Context, string) (string, error)) {
	c.leases.add(host(registry), hubExchange{organization, connection, hubIdentity, idToken, remote.DefaultTransport}.login)
}
