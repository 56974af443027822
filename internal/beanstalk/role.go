package beanstalk

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Role is an IAM role to be assumed.
type Role struct {
	ARN string
	// Session is who assumes it, for the records of AWS; any text.
	Session string
	// Token asks for an ID token that the role's trust policy lets in. Where it
	// is nil, the role is assumed with the credentials that the configuration has.
	Token func(ctx context.Context, audience string) (string, error)
}

var roleARN = regexp.MustCompile(`^arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+$`)

// CheckRole refuses what is no ARN of a role.
func CheckRole(arn string) error {
	if roleARN.MatchString(arn) {
		return nil
	}
	return fmt.Errorf("%q is no ARN of a role; write it as arn:aws:iam::<account>:role/<name>", arn)
}

// renewal is how long before their end credentials are asked for again: a call may
// take a while to arrive, and the runner's clock may be late.
const renewal = 5 * time.Minute

// Assume is the configuration with the role's credentials. They are asked for
// when they are needed, and again before they expire.
func Assume(cfg aws.Config, role Role) aws.Config {
	client := sts.NewFromConfig(cfg)
	session, audience := sessionName(role.Session), audience(cfg.Region)
	assumed := assumedRole{arn: role.ARN, audience: audience}
	assumed.provider = func(ctx context.Context) (aws.CredentialsProvider, error) {
		if role.Token == nil {
			return stscreds.NewAssumeRoleProvider(client, role.ARN, func(o *stscreds.AssumeRoleOptions) { o.RoleSessionName = session }), nil
		}
		token, err := role.Token(ctx, audience)
		return stscreds.NewWebIdentityRoleProvider(client, role.ARN, idToken(token), func(o *stscreds.WebIdentityRoleOptions) { o.RoleSessionName = session }), err
	}
	cfg.Credentials = aws.NewCredentialsCache(assumed, func(o *aws.CredentialsCacheOptions) { o.ExpiryWindow = renewal })
	return cfg
}

// audience is what an ID token for AWS must name, in China another.
func audience(region string) string {
	if strings.HasPrefix(region, "cn-") {
		return "sts.amazonaws.com.cn"
	}
	return "sts.amazonaws.com"
}

var notInSession = regexp.MustCompile(`[^\w+=,.@-]+`)

// sessionName makes a text fit for a session's name (STS API reference,
// AssumeRole).
func sessionName(text string) string {
	name := "travois"
	if text = strings.Trim(notInSession.ReplaceAllString(text, "-"), "-"); text != "" {
		name += "-" + text
	}
	return name[:min(len(name), 64)]
}

// assumedRole gives the credentials of a role.
type assumedRole struct {
	arn      string
	audience string
	provider func(context.Context) (aws.CredentialsProvider, error)
}

// Retrieve asks STS. Its errors are roleErrors.
func (r assumedRole) Retrieve(ctx context.Context) (aws.Credentials, error) {
	provider, err := r.provider(ctx)
	if err != nil {
		return aws.Credentials{}, roleError{r.arn, r.audience, err}
	}
	found, err := provider.Retrieve(ctx)
	if err != nil {
		return found, roleError{r.arn, r.audience, err}
	}
	return found, nil
}

type idToken string

// GetIdentityToken is the token.
func (t idToken) GetIdentityToken() ([]byte, error) { return []byte(t), nil }

// roleError is why a role could not be assumed, with what to do.
type roleError struct {
	arn, audience string
	err           error
}

func (e roleError) Error() string {
	text := fmt.Sprintf("role-to-assume: %s: %v", e.arn, brief(e.err))
	switch code(e.err) {
	case "AccessDenied":
		text += "; the role's trust policy must let this repository in: its condition on token.actions.githubusercontent.com:sub " +
			"has to match repo:<owner>/<repository>:ref:refs/heads/<branch>, or :environment:<name> for a job with an environment, and :aud " + e.audience
	case "InvalidIdentityToken":
		text += "; add the identity provider https://token.actions.githubusercontent.com with the audience " + e.audience + " to the account (IAM, Identity providers)"
	}
	return text
}

func (e roleError) Unwrap() error { return e.err }

// answered tells that AWS refused the role, as against that there was no token
// to ask with.
func (e roleError) answered() bool { return code(e.err) != "" }
