package beanstalk

import (
	"context"
	"regexp"
	"slices"
	"strings"
)

// Secrets are values that must not be shown. They are hidden by us rather than
// masked by the runner, which would drop every job output that holds one.
type Secrets []string

// Hidden stands where a secret stood.
const Hidden = "***"

// shortestSecret keeps a password of a few letters from turning half of a log
// into asterisks.
const shortestSecret = 4

// Hide replaces the secrets in a text.
func (s Secrets) Hide(text string) string {
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, Hidden)
	}
	return text
}

// with adds values, the longest first, since one may be a part of another.
func (s Secrets) with(values ...string) Secrets {
	for _, v := range values {
		if len(v) >= shortestSecret && !slices.Contains(s, v) {
			s = append(s, v)
		}
	}
	slices.SortFunc(s, func(a, b string) int { return len(b) - len(a) })
	return s
}

var (
	secretName = regexp.MustCompile(`(?i)pass|secret|token|key|credential|auth|private`)
	// userInfo is the password in an address such as mysql://user:word@host/.
	userInfo = regexp.MustCompile(`://[^/:@\s]*:([^@/\s]+)@`)
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
		for _, m := range userInfo.FindAllStringSubmatch(value, -1) {
			values = append(values, m[1])
		}
	}
	return values
}

// secrets are those of the environment and those of the credentials.
func (c *Client) secrets(ctx context.Context, s Settings) Secrets {
	all := Secrets(nil).with(propertySecrets(s.properties)...)
	if c.credentials == nil {
		return all
	}
	if credentials, err := c.credentials.Retrieve(ctx); err == nil {
		all = all.with(credentials.SecretAccessKey, credentials.SessionToken)
	}
	return all
}
