package engine

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
)

// TestPushDigest shows where the digest of a push comes from: of what the
// engine's answer holds apart, in its status, and, where it says nothing, from
// the registry, which the engine asks.
func TestPushDigest(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0f", 32)
	for _, c := range []struct {
		name, answer, registry, want, err string
	}{
		{"apart", `{"status":"1: digest: ` + digest + ` size: 1"}{"progressDetail":{},"aux":{"Tag":"1","Digest":"` + digest + `","Size":1}}`, "", digest, ""},
		{"in the status", `{"status":"1: digest: ` + digest + ` size: 1"}`, "", digest, ""},
		{"from the registry", `{"status":"Pushed"}`, `{"Descriptor":{"digest":"` + digest + `"}}`, digest, ""},
		{"from nobody", `{"status":"Pushed"}`, "", "", "push registry.example/guk0/web:1: ask the registry for its digest: "},
		{"a refusal with status 200", `{"errorDetail":{"message":"denied"},"error":"denied"}`, `{"Descriptor":{"digest":"` + digest + `"}}`, "", "push registry.example/guk0/web:1: denied"},
	} {
		synctest.Test(t, func(t *testing.T) {
			eng := piped(t, func(w http.ResponseWriter, request *http.Request) {
				switch {
				case strings.HasSuffix(request.URL.Path, "/images/registry.example/guk0/web/push"):
					_, _ = fmt.Fprintln(w, c.answer)
				case strings.HasSuffix(request.URL.Path, "/distribution/registry.example/guk0/web:1/json") && c.registry != "":
					_, _ = fmt.Fprintln(w, c.registry)
				default:
					http.NotFound(w, request)
				}
			})
			nobody := func(context.Context, string) (string, string, error) { return "", "", nil }
			got, err := (&Builder{store: eng}).Push(t.Context(), Image{Names: []string{"registry.example/guk0/web:1"}}, nobody, "registry.example")
			if got != c.want || (err == nil) != (c.err == "") || err != nil && !strings.HasPrefix(err.Error(), c.err) {
				t.Errorf("%s: got %q, %v; want %q, %q", c.name, got, err, c.want, c.err)
			}
		})
	}
}
