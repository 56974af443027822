package beanstalk

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// answer is an error that the service sent. Its text is the code and the
// message alone; what the SDK wraps around them stays reachable by errors.As.
type answer struct {
	code, message string
	err           error
}

func (a answer) Error() string {
	if a.message == "" {
		return a.code
	}
	return a.code + ": " + a.message
}

func (a answer) Unwrap() error { return a.err }

// brief cuts an SDK error down to what the service said.
func brief(err error) error {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return err
	}
	return answer{code: api.ErrorCode(), message: api.ErrorMessage(), err: err}
}

// failed names what was tried in front of what the service said.
func failed(err error, format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), brief(err))
}

func code(err error) string {
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode()
	}
	return ""
}

// invalid tells whether the service refused a value with these words, which
// are the only thing that tells its InvalidParameterValue errors apart.
func invalid(err error, words string) bool {
	var api smithy.APIError
	return errors.As(err, &api) && api.ErrorCode() == "InvalidParameterValue" &&
		strings.Contains(strings.ToLower(api.ErrorMessage()), words)
}

// status is the HTTP status of the answer, 0 when there was none.
func status(err error) int {
	var response *smithyhttp.ResponseError
	if errors.As(err, &response) {
		return response.HTTPStatusCode()
	}
	return 0
}

// credentialCodes are the answers of AWS to credentials that it does not take.
var credentialCodes = []string{
	"InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch", "ExpiredToken",
	"ExpiredTokenException", "AuthFailure", "MissingAuthenticationToken", "IncompleteSignature",
}

var permissionCodes = []string{
	"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "InsufficientPrivilegesException", "Forbidden",
}

func refusesCredentials(err error) bool { return slices.Contains(credentialCodes, code(err)) }
func refusesPermission(err error) bool  { return slices.Contains(permissionCodes, code(err)) }

// Refused tells whether the service answered that it will not do what was
// asked, as against being unreachable, overloaded or throttling: nothing was
// changed then.
func Refused(err error) bool {
	s := status(err)
	return code(err) != "" && s >= 400 && s < 500 && !throttled(err)
}

func throttled(err error) bool {
	switch code(err) {
	case "Throttling", "ThrottlingException", "RequestLimitExceeded", "SlowDown", "TooManyRequestsException":
		return true
	}
	return status(err) == 429
}

// withoutAddress drops the address that net/http puts in front of an error.
func withoutAddress(err error) error {
	var web *url.Error
	if errors.As(err, &web) {
		return web.Err
	}
	return err
}
