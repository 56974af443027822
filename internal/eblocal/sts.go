package eblocal

import (
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// roleLasts is how long the credentials of a role are good, as on AWS.
const roleLasts = time.Hour

// roleKey is the id of a role's key, of the form that AWS's model asks for.
const roleKey = "LOCALROLELOCALROLE"

type callerIdentity struct {
	Arn     string
	UserID  string `xml:"UserId"`
	Account string
}

type roleCredentials struct {
	AccessKeyID     string `xml:"AccessKeyId"`
	SecretAccessKey string
	SessionToken    string
	Expiration      string
}

type assumedRole struct {
	AssumedRoleID string `xml:"AssumedRoleId"`
	Arn           string
}

type assumedRoleAnswer struct {
	Credentials                 roleCredentials
	AssumedRoleUser             assumedRole
	SubjectFromWebIdentityToken string `xml:",omitempty"`
}

func (s *Server) stsActions() map[string]action {
	return map[string]action{
		"GetCallerIdentity":         getCallerIdentity,
		"AssumeRole":                s.assumeRole,
		"AssumeRoleWithWebIdentity": s.assumeRoleWithWebIdentity,
	}
}

// getCallerIdentity is the role whose credentials signed the call, else a user.
func getCallerIdentity(c *call) (any, error) {
	if role, ok := roleOf(c.token); ok {
		return callerIdentity{Arn: role.Arn, UserID: role.AssumedRoleID, Account: account}, nil
	}
	return callerIdentity{
		Arn:     "arn:aws:iam::" + account + ":user/eb-local",
		UserID:  "eb-local",
		Account: account,
	}, nil
}

// assumeRole gives credentials for any role: requests are not authenticated.
func (s *Server) assumeRole(c *call) (any, error) { return s.roleAnswer(c, "") }

func (s *Server) roleAnswer(c *call, subject string) (any, error) {
	arn, session := c.str("RoleArn"), c.str("RoleSessionName")
	_, name, ok := strings.Cut(arn, ":role/")
	if !ok || !strings.HasPrefix(arn, "arn:") {
		return nil, invalidInput("%s is invalid", arn)
	}
	lasts := roleLasts
	if n, err := strconv.Atoi(c.str("DurationSeconds")); err == nil {
		lasts = time.Duration(n) * time.Second
	}
	role := assumedRole{
		AssumedRoleID: "eb-local:" + session,
		Arn:           "arn:aws:sts::" + account + ":assumed-role/" + path.Base(name) + "/" + session,
	}
	return assumedRoleAnswer{
		Credentials:                 roleCredentials{roleKey, "local", role.token(), stamp(s.clock.now().Add(lasts))},
		AssumedRoleUser:             role,
		SubjectFromWebIdentityToken: subject,
	}, nil
}

// token is a session token that says whose it is.
func (r assumedRole) token() string {
	return base64.RawURLEncoding.EncodeToString([]byte(r.AssumedRoleID + " " + r.Arn))
}

// roleOf is the role whose session a token is of.
func roleOf(token string) (assumedRole, bool) {
	text, err := base64.RawURLEncoding.DecodeString(token)
	id, arn, ok := strings.Cut(string(text), " ")
	return assumedRole{id, arn}, err == nil && ok
}

// sessionToken is that of a signed request or of a presigned URL.
func sessionToken(r *http.Request) string {
	return cmp.Or(r.Header.Get("X-Amz-Security-Token"), r.URL.Query().Get("X-Amz-Security-Token"))
}

// claims are what is read of an ID token.
type claims struct {
	Subject  string   `json:"sub"`
	Audience audience `json:"aud"`
	Expires  int64    `json:"exp"` // seconds since 1970
}

// audience is one that is written alone or in a list.
type audience []string

// UnmarshalJSON reads both.
func (a *audience) UnmarshalJSON(data []byte) error {
	var one string
	if json.Unmarshal(data, &one) == nil {
		*a = audience{one}
		return nil
	}
	return json.Unmarshal(data, (*[]string)(a))
}

// assumeRoleWithWebIdentity takes any token that is for AWS and not past; whose
// it is and who signed it is not checked.
func (s *Server) assumeRoleWithWebIdentity(c *call) (any, error) {
	token, err := readClaims(c.str("WebIdentityToken"))
	if err != nil {
		return nil, stsError("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	if !slices.Contains(token.Audience, "sts.amazonaws.com") {
		return nil, stsError("InvalidIdentityToken", "Incorrect token audience")
	}
	if now := s.clock.now().Unix(); token.Expires <= now {
		return nil, stsError("ExpiredTokenException", fmt.Sprintf("Token expired: current date/time %d must be before the expiration date/time %d", now, token.Expires))
	}
	return s.roleAnswer(c, token.Subject)
}

func stsError(code, message string) error {
	return &apiError{http.StatusBadRequest, code, message}
}

func readClaims(token string) (claims, error) {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, errors.New("no JWT")
	}
	data, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(data, &c)
}
