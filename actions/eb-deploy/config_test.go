package ebdeploy

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
)

func TestRead(t *testing.T) {
	needed := []string{"INPUT_REGION=ap-northeast-2", "INPUT_APP=docker-fullstack"}
	for _, c := range []struct {
		name, input string
		check       func(config) bool
		err         string
	}{
		{"defaults", "", func(c config) bool {
			return c.Wait && !c.DryRun && c.Timeout == 0 && c.Source == "." && c.Registry == "docker.io" && cmp.Equal(c.AcceptHealth, healths{"Green", "Yellow"})
		}, ""},
		{"healths in any case and form", "ACCEPT-HEALTH=green,\n GREY", func(c config) bool { return cmp.Equal(c.AcceptHealth, healths{"Green", "Grey"}) }, ""},
		{"no such health", "ACCEPT-HEALTH=Blue", nil, `input accept-health: "Blue" is none of Green, Yellow, Red, Grey`},
		{"no health", "ACCEPT-HEALTH=,", nil, `input accept-health: "," names none of`},
		{"timeout", "TIMEOUT=90m", func(c config) bool { return c.Timeout == 90*time.Minute }, ""},
		{"negative timeout", "TIMEOUT=-1m", nil, "input timeout: -1m0s is negative"},
		{"long path", "BUCKET-PATH=" + strings.Repeat("x/", 500), nil, "input bucket-path: is too long"},
		{"bad label", "VERSION-LABEL=a/b", nil, `input version-label: "a/b": a slash`},
		{"nothing to do", "VERSION-LABEL=v1", nil, "input env: is empty"},
	} {
		got, err := read(action.NewRunner(append([]string{"INPUT_" + c.input}, needed...), &bytes.Buffer{}))
		if c.check != nil && (err != nil || !c.check(got)) {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		if c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
			t.Errorf("%s: %v; want %q", c.name, err, c.err)
		}
	}
}

func TestKey(t *testing.T) {
	hash := strings.Repeat("ab", 32)
	for _, c := range []struct{ folder, label, want string }{
		{"", "v1", "app/v1-abababab.zip"}, {"/", "v1", "app/v1-abababab.zip"}, {"/a//b/", "v1", "a/b/v1-abababab.zip"},
		{"", "111111111111-abababab", "app/111111111111-abababab.zip"}, {"", "abababab", "app/abababab.zip"},
	} {
		if got := (config{App: "app", BucketPath: c.folder}).key(c.label, hash); got != c.want {
			t.Errorf("%q, %q: %q; want %q", c.folder, c.label, got, c.want)
		}
	}
}
