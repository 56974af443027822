package registry

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/guk0/travois/internal/image"
)

// TestImmutable shows what a repository says that keeps its tags as they are, to
// a tag that would move and to the engine's push.
func TestImmutable(t *testing.T) {
	const refusal = "The image tag 'latest' already exists in the 'team/web' repository and cannot be overwritten because the tag is immutable."
	next, keeps := registry.New(), false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if keeps && request.Method == http.MethodPut && strings.HasSuffix(request.URL.Path, "/manifests/latest") {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, `{"errors":[{"code":"TAG_INVALID","message":%q}]}`, refusal)
			return
		}
		next.ServeHTTP(w, request)
	}))
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	push := func(tag string) string {
		made, err := random.Image(100, 1)
		if err != nil {
			t.Fatal(err)
		}
		reference, err := name.ParseReference(host + "/team/web:" + tag)
		if err != nil {
			t.Fatal(err)
		}
		if err := remote.Write(reference, made); err != nil {
			t.Fatal(err)
		}
		digest, err := made.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return digest.String()
	}
	push("latest")
	digest := push("sha-1")
	keeps = true
	client, err := Credentials{}.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	from := image.Reference{Registry: host, Repository: "team/web", Digest: digest}
	want := "tag " + host + "/team/web:latest: registry " + host + ", repository team/web: " + keepsTags + " (" + refusal + ")"
	if err := client.Tag(t.Context(), from, []string{"latest"}); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
	told := errors.New("push " + host + "/team/web:latest: tag invalid: " + refusal)
	if got := ExplainEngine(told); got.Error() != told.Error()+": "+keepsTags {
		t.Errorf("the engine's push: %v", got)
	}
}
