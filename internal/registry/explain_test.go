package registry

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/guk0/travois/internal/image"
)

// TestGHCRRefusals shows what GitHub's registry says to a wrong login, and to
// one that may not write.
func TestGHCRRefusals(t *testing.T) {
	refusedAt := ""
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		switch request.URL.Path {
		case refusedAt:
			w.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprint(w, `{"errors":[{"code":"DENIED","message":"permission_denied: write_package"}]}`)
		case "/token":
			_, _ = fmt.Fprint(w, `{"token":"a token"}`)
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="https://ghcr.io/token",service="ghcr.io"`)
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	for _, c := range []struct{ at, want string }{
		{"/token", `registry ghcr.io refuses the login of user "guk0": check the inputs username and password (on GHCR the password is secrets.GITHUB_TOKEN or a personal access token)`},
		{"/v2/guk0/app/blobs/uploads/", "registry ghcr.io does not let user \"guk0\" push to guk0/app: with GITHUB_TOKEN give the job `permissions: packages: write`, and give the repository write access in the package's settings if the package is older; a personal access token needs the scope write:packages (permission_denied: write_package)"},
	} {
		refusedAt = c.at
		credentials, err := NewCredentials("ghcr.io", Login{"guk0", "a.word.with.dots"}, "")
		if err != nil {
			t.Fatal(err)
		}
		credentials.wire = served(t, server)
		if err := credentials.CheckPush(t.Context(), []image.Reference{{Registry: "ghcr.io", Repository: "guk0/app"}}); err == nil || err.Error() != c.want {
			t.Errorf("got %v\nwant %s", err, c.want)
		}
	}
}
