package beanstalk_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

const roleARN = "arn:aws:iam::957930470982:role/deploy"

func TestAssume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		wire, _ := wiretest.New()
		wire.Roles = map[string]string{roleARN: "id-token-word"}
		asked := 0
		token := func(_ context.Context, audience string) (string, error) {
			asked++
			if audience != "sts.amazonaws.com" {
				t.Errorf("the audience is %q", audience)
			}
			return "id-token-word", nil
		}
		cfg := wire.Config()
		cfg.Credentials = nil
		cfg = beanstalk.Assume(cfg, beanstalk.Role{ARN: roleARN, Session: "guk0/app 42", Token: token})
		client := beanstalk.New(cfg)
		for range 2 {
			if _, err := client.Preflight(t.Context(), beanstalk.Request{App: app}); err != nil {
				t.Fatal(err)
			}
		}
		found, err := cfg.Credentials.Retrieve(t.Context())
		if err != nil || found.AccessKeyID != "assumed-travois-guk0-app-42" || asked != 1 {
			t.Errorf("%q, %v, the token was asked for %d times", found.AccessKeyID, err, asked)
		}
		for _, at := range []struct {
			after time.Duration
			asked int
		}{{54 * time.Minute, 1}, {2 * time.Minute, 2}, {time.Hour, 3}} {
			time.Sleep(at.after)
			if _, err := client.Identity(t.Context()); err != nil || asked != at.asked {
				t.Errorf("%s later: %v, the token was asked for %d times, expected %d", at.after, err, asked, at.asked)
			}
		}
	})
}

// TestAssumeFromCredentials has a role that is assumed without an ID token.
func TestAssumeFromCredentials(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, _ *beanstalk.Client) {
		wire.Roles = map[string]string{roleARN: ""}
		cfg := beanstalk.Assume(wire.Config(), beanstalk.Role{ARN: roleARN})
		if found, err := cfg.Credentials.Retrieve(t.Context()); err != nil || found.AccessKeyID != "assumed-travois" {
			t.Errorf("%q, %v", found.AccessKeyID, err)
		}
	})
}

func TestAssumeRefused(t *testing.T) {
	for name, c := range map[string]struct {
		token func(context.Context, string) (string, error)
		fault *wiretest.Fault
		want  []string
	}{
		"no token": {func(context.Context, string) (string, error) { return "", errors.New("no permission") }, nil,
			[]string{"role-to-assume: " + roleARN + ": no permission"}},
		"another repository": {given("other"), nil,
			[]string{"AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity", "the role's trust policy must let this repository in", ":aud sts.amazonaws.com"}},
		"no provider": {given("id-token-word"), &wiretest.Fault{
			Operation: "AssumeRoleWithWebIdentity", Status: 400, Code: "InvalidIdentityToken", Message: "No OpenIDConnect provider found in your account", Times: 100,
		}, []string{"No OpenIDConnect provider found", "add the identity provider https://token.actions.githubusercontent.com"}},
	} {
		t.Run(name, func(t *testing.T) {
			wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, _ *beanstalk.Client) {
				wire.Roles = map[string]string{roleARN: "id-token-word"}
				if c.fault != nil {
					wire.Fail(*c.fault)
				}
				client := beanstalk.New(beanstalk.Assume(wire.Config(), beanstalk.Role{ARN: roleARN, Token: c.token}))
				_, err := client.Preflight(t.Context(), beanstalk.Request{App: app})
				wantError(t, err, c.want...)
			})
		})
	}
}

// TestAudienceInChina asks for a token of another name, and tells that one.
func TestAudienceInChina(t *testing.T) {
	wired(t, func(t *testing.T, wire *wiretest.AWS, _ *wiretest.Environment, _ *beanstalk.Client) {
		wire.Roles = map[string]string{roleARN: "id-token-word"}
		cfg := wire.Config()
		cfg.Region = "cn-north-1"
		cfg = beanstalk.Assume(cfg, beanstalk.Role{ARN: roleARN, Token: func(_ context.Context, audience string) (string, error) { return audience, nil }})
		_, err := cfg.Credentials.Retrieve(t.Context())
		wantError(t, err, "AccessDenied", ":aud sts.amazonaws.com.cn")
	})
}

func given(token string) func(context.Context, string) (string, error) {
	return func(context.Context, string) (string, error) { return token, nil }
}

func TestCheckRole(t *testing.T) {
	for arn, good := range map[string]bool{
		roleARN: true, "arn:aws-us-gov:iam::957930470982:role/path/to/deploy@x": true,
		"deploy": false, "arn:aws:iam::957930470982:user/deploy": false, "arn:aws:iam::9579:role/deploy": false,
	} {
		if err := beanstalk.CheckRole(arn); (err == nil) != good {
			t.Errorf("%s: %v", arn, err)
		}
	}
}
