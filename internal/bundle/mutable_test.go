package bundle

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestMutable(t *testing.T) {
	const compose = "services:\n  a: {image: 'x:latest'}\n  b: {image: x}\n  c: {image: 'x:1'}\n  d: {image: 'x:${TAG:-latest}'}\n  e: {image: 'x:latest'}\n  f: {build: .}\n  g: {extends: a}\n"
	const v1 = `{"AWSEBDockerrunVersion": "1",
 "Image": {"Name": "x:1"}}`
	const v2 = `{"AWSEBDockerrunVersion": 2, "containerDefinitions": [
 {"name": "a", "image": "x:latest"}, {"name": "b", "image": "y:latest` + zeros + `"}]}`
	for name, c := range map[string]struct {
		kind   Kind
		src    string
		images map[string]string
		want   []string
	}{
		"compose":          {Compose, compose, map[string]string{"c": "x:latest", "e": "x:latest" + zeros, "f": "h:5000/x"}, []string{`2 "x:latest"`, `3 "x"`, `4 "x:latest"`, `7 "h:5000/x"`}},
		"version 1":        {DockerrunV1, v1, nil, nil},
		"version 1, given": {DockerrunV1, v1, map[string]string{"any": "x:latest"}, []string{`2 "x:latest"`}},
		"version 2":        {DockerrunV2, v2, nil, []string{`2 "x:latest"`}},
		"broken":           {DockerrunV2, "{", nil, nil},
	} {
		var got []string
		for _, warning := range Mutable("f", c.kind, []byte(c.src), c.images) {
			text, _, found := strings.Cut(strings.Replace(strings.TrimPrefix(warning.Error(), "f:"), ": image", "", 1), " is whatever is latest")
			if !found {
				t.Errorf("%v", warning)
			}
			got = append(got, text)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
