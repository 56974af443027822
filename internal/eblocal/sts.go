package eblocal

import (
	"net/http"
	"strings"
	"time"
)

const stsNamespace = "https://sts.amazonaws.com/doc/2011-06-15/"

// roleLasts is how long the credentials of a role are good, as on AWS.
const roleLasts = time.Hour

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

func getCallerIdentity(*call) (any, error) {
	return callerIdentity{
		Arn:     "arn:aws:iam::" + account + ":user/eb-local",
		UserID:  "eb-local",
		Account: account,
	}, nil
}

// assumeRole gives credentials for any role: requests are not authenticated.
func (s *Server) assumeRole(c *call) (any, error) {
	role, err := c.required("RoleArn")
	if err != nil {
		return nil, err
	}
	session, err := c.required("RoleSessionName")
	if err != nil {
		return nil, err
	}
	_, name, ok := strings.Cut(role, ":role/")
	if !ok || !strings.HasPrefix(role, "arn:") {
		return nil, &apiError{http.StatusBadRequest, "ValidationError", role + " is invalid"}
	}
	return assumedRoleAnswer{
		Credentials: roleCredentials{"local", "local", "local", stamp(s.clock.now().Add(roleLasts))},
		AssumedRoleUser: assumedRole{
			AssumedRoleID: "eb-local:" + session,
			Arn:           "arn:aws:sts::" + account + ":assumed-role/" + name + "/" + session,
		},
	}, nil
}

// assumeRoleWithWebIdentity takes any token that looks like one.
func (s *Server) assumeRoleWithWebIdentity(c *call) (any, error) {
	token, err := c.required("WebIdentityToken")
	if err != nil {
		return nil, err
	}
	if strings.Count(token, ".") != 2 {
		return nil, &apiError{http.StatusBadRequest, "InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)"}
	}
	return s.assumeRole(c)
}
