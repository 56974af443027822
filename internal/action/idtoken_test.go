package action_test

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/action"
)

// TestIDToken has a service that fails with these statuses in turn.
func TestIDToken(t *testing.T) {
	for name, c := range map[string]struct {
		statuses []int
		err      string
	}{
		"at once":        {nil, ""},
		"after a moment": {[]int{503}, ""},
		"refused":        {[]int{403, 200}, "the runner refuses an ID token with HTTP 403"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			calls := 0
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
				calls++
				if request.Header.Get("Authorization") != "Bearer request-word" || request.URL.Query().Get("audience") != "sts.amazonaws.com" || request.URL.Query().Get("api-version") != "2.0" {
					t.Errorf("asked %s with %q", request.URL, request.Header.Get("Authorization"))
				}
				if calls <= len(c.statuses) {
					w.WriteHeader(c.statuses[calls-1])
					return
				}
				_, _ = w.Write([]byte(`{"value":"id-token-word"}`))
			}))
			defer server.Close()
			var log bytes.Buffer
			r := action.NewRunner([]string{"ACTIONS_ID_TOKEN_REQUEST_URL=" + server.URL + "/?api-version=2.0", "ACTIONS_ID_TOKEN_REQUEST_TOKEN=request-word"}, &log)
			token, err := r.IDToken(t.Context(), "sts.amazonaws.com")
			if c.err != "" {
				if err == nil || err.Error() != c.err || calls != 1 {
					t.Errorf("%v after %d calls; want %s", err, calls, c.err)
				}
				return
			}
			if err != nil || token != "id-token-word" || calls != len(c.statuses)+1 {
				t.Errorf("%q, %v after %d calls", token, err, calls)
			}
			r.Log.Printf("it is id-token-word")
			if !strings.Contains(log.String(), "\nit is ***\n") {
				t.Errorf("the token is not masked:\n%s", log.String())
			}
		})
	}
	if _, err := action.NewRunner([]string{"ACTIONS_ID_TOKEN_REQUEST_URL=http://x.test"}, &bytes.Buffer{}).IDToken(t.Context(), "x"); !errors.Is(err, action.ErrNoIDToken) {
		t.Errorf("without the permission: %v", err)
	}
}
