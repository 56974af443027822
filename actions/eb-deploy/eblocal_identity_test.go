package ebdeploy

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

const deployRole = "arn:aws:iam::000000000000:role/ci/deploy"

// TestLocalRole has no keys, only what a runner gives a job that may have an ID
// token. The first answer of its token service is that it is overloaded.
func TestLocalRole(t *testing.T) {
	var asked []string
	tokens := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Authorization")+" "+r.URL.Query().Get("audience"))
		if len(asked) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = fmt.Fprintf(w, `{"value":%q}`, idToken(r.URL.Query().Get("audience"), time.Now().Add(5*time.Minute)))
	}))
	defer tokens.Close()
	l := newLocal(t, t.TempDir(), eblocaltest.Start(t, eblocaltest.Quick()), eblocal.Docker)
	l.load = loadAWS
	for name, value := range l.aws.Variables(t.TempDir()) {
		t.Setenv(name, value)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	l.environ = []string{"GITHUB_REPOSITORY=guk0/shop front", "ACTIONS_ID_TOKEN_REQUEST_URL=" + tokens.URL + "/?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=request-word"}
	l.inputs["role-to-assume"] = deployRole
	l.deployed(t, "v1")
	if want := "Bearer request-word sts.amazonaws.com"; !slices.Equal(asked, []string{want, want}) {
		t.Errorf("the runner was asked %q", asked)
	}
	if calls := l.aws.Calls(); calls[0] != "AssumeRoleWithWebIdentity" || slices.Index(calls[1:], "AssumeRoleWithWebIdentity") >= 0 {
		t.Errorf("calls %q; expected that the role is assumed first, and once", calls)
	}

	for name, c := range map[string]struct {
		refusal eblocal.Refusal
		want    string
	}{
		"the trust policy": {eblocal.Refusal{Code: "AccessDenied", Message: "Not authorized to perform sts:AssumeRoleWithWebIdentity"},
			"role-to-assume: " + deployRole + ": AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity; the role's trust policy must let this repository in"},
		"the provider": {eblocal.Refusal{Code: "InvalidIdentityToken", Message: "No OpenIDConnect provider found in your account"},
			"add the identity provider https://token.actions.githubusercontent.com"},
	} {
		c.refusal.Operation = "AssumeRoleWithWebIdentity"
		l.aws.SetFaults(eblocal.Faults{Refuse: []eblocal.Refusal{c.refusal}})
		if got := l.version(t, "v2"); got.result() != "rejected" || got.code != 1 || !strings.Contains(got.log, c.want) {
			t.Errorf("%s: %s\nexpected %s", name, got, c.want)
		}
	}
	l.aws.SetFaults(eblocal.Faults{Refuse: []eblocal.Refusal{{Operation: "AssumeRoleWithWebIdentity", Times: 2, Code: "IDPCommunicationError", Message: "try again"}}})
	l.deployed(t, "v2")
}

// idToken is a job's, as far as it is read.
func idToken(audience string, expires time.Time) string {
	claims := fmt.Sprintf(`{"sub":"repo:guk0/shop:ref:refs/heads/main","aud":%q,"exp":%d}`, audience, expires.Unix())
	return "e30." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".x"
}
