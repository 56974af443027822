package beanstalk

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strings"
)

// Secrets are values that must not be shown. They are hidden by us rather than
// masked by the runner, which would drop every job output that holds one.
// The zero value knows of none.
type Secrets struct {
	values []string
	// unread is why an environment's properties, and so its secrets, are not
	// known; nil when they are.
	unread error
}

// NewSecrets are these values.
func NewSecrets(values ...string) Secrets { return Secrets{}.with(values...) }

// And are the secrets of both. Where one of them is not known, neither is what
// may hold it.
func (s Secrets) And(other Secrets) Secrets {
	all := s.with(other.values...)
	all.unread = cmp.Or(s.unread, other.unread)
	return all
}

// Hidden stands where a secret stood, Withheld where a whole text stood that
// may hold secrets which are not known.
const (
	Hidden   = "***"
	Withheld = "(not shown: it may hold secrets)"
)

// shortestSecret keeps a password of a few letters from turning half of a log
// into asterisks.
const shortestSecret = 4

// Hide replaces the secrets in a text. Where they are not known, only a text
// that Elastic Beanstalk always says in the same words is shown.
func (s Secrets) Hide(text string) string {
	if s.unread != nil && !slices.Contains(fixedTexts, text) {
		return Withheld
	}
	for _, secret := range s.values {
		text = strings.ReplaceAll(text, secret, Hidden)
	}
	return text
}

// Known tells that the environment's secrets could be read.
func (s Secrets) Known() bool { return s.unread == nil }

// fixedTexts are events that quote nothing of an environment.
var fixedTexts = []string{
	"Environment update is starting.", "Environment update completed successfully.",
	"Deploying new version to instance(s).", "New application version was deployed to running EC2 instances.",
	"Immutable deployment policy enabled. Launching one instance with the new settings to verify health.",
	"Failed to deploy application.",
	"During an aborted deployment, some instances may have deployed the new application version. " +
		"To ensure all instances are running the same version, re-deploy the appropriate application version.",
}

// with adds values, the longest first, since one may be a part of another.
func (s Secrets) with(values ...string) Secrets {
	s.values = slices.Clone(s.values)
	for _, v := range values {
		if len(v) >= shortestSecret && !slices.Contains(s.values, v) {
			s.values = append(s.values, v)
		}
	}
	slices.SortFunc(s.values, func(a, b string) int { return len(b) - len(a) })
	return s
}

var (
	secretName = regexp.MustCompile(`(?i)pass|pwd|secret|token|key|credential|auth|private|dsn|salt|cert|sign`)
	// userInfos are the passwords in addresses: mysql://user:word@host/ and
	// user:word@host, and Go's user:word@tcp(host)/, whose word may be anything.
	userInfos = []*regexp.Regexp{
		regexp.MustCompile(`(?:^|://|[\s"'=,;])[^/:@\s]*:([^@/\s]+)@`),
		regexp.MustCompile(`(?:^|[\s"'=,;])[^/:@\s]*:(\S+)@(?:tcp|udp|unix)\(`),
	}
)

// propertySecrets picks the values of environment properties that are secret
// by their name, or hold a password. The others (a host, a port) are what one
// needs to see in a log.
func propertySecrets(properties map[string]string) []string {
	var values []string
	for name, value := range properties {
		if secretName.MatchString(name) {
			values = append(values, value)
		}
		values = append(values, passwords(value)...)
	}
	return values
}

// passwords are those in addresses. What stands before the @ of an image's
// digest is its tag.
func passwords(value string) []string {
	var found []string
	for _, userInfo := range userInfos {
		for _, at := range userInfo.FindAllStringSubmatchIndex(value, -1) {
			if !strings.HasPrefix(value[at[1]:], "sha256:") {
				found = append(found, value[at[2]:at[3]])
			}
		}
	}
	return found
}

// secrets are those of the environment and those of the credentials. Settings
// that could not be read are told by the error that says why.
func (c *Client) secrets(ctx context.Context, s Settings, unread error) Secrets {
	all := Secrets{unread: unread}.with(s.secrets...)
	if c.credentials == nil {
		return all
	}
	if credentials, err := c.credentials.Retrieve(ctx); err == nil {
		all = all.with(credentials.SecretAccessKey, credentials.SessionToken)
	}
	return all
}
