package registry

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestDockerConfig is read back by the same rules as the input auths.
func TestDockerConfig(t *testing.T) {
	all := Credentials{logins: map[string]Login{"docker.io": {Username: "guk0", Password: "a"}, "ghcr.io": {Username: "x", Password: "b:c"}}}
	text, err := all.DockerConfig()
	want := `{"auths":{"ghcr.io":{"auth":"eDpiOmM="},"https://index.docker.io/v1/":{"auth":"Z3VrMDph"}}}`
	if err != nil || string(text) != want {
		t.Errorf("got %s, %v; want %s", text, err, want)
	}
	again, err := NewCredentials("", Login{}, string(text))
	if diff := cmp.Diff(all.logins, again.logins); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}
