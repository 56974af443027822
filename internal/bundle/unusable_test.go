package bundle_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/bundle"
)

func TestUnusable(t *testing.T) {
	const two = `{"AWSEBDockerrunVersion": 2, "containerDefinitions": [{"name": "a", "image": "%TAG%"}, {"name": "b", "image": "x:1"}]}`
	for name, c := range map[string]struct {
		kind  bundle.Kind
		src   string
		given map[string]string
		want  string
	}{
		"a placeholder":     {bundle.Compose, "services:\n  a:\n    image: r/a:<tag>\n  b:\n    image: b\n", nil, `f:3: image "r/a:<tag>" is no image reference`},
		"one that is given": {bundle.Compose, "services: {a: {image: <tag>}}", map[string]string{"a": "r/a:1"}, ""},
		"a variable":        {bundle.Compose, "services: {a: {image: 'r/a:${TAG:-1}'}}", nil, ""},
		"one to be built":   {bundle.Compose, "services: {a: {build: .}}", map[string]string{"a": "r/a:1"}, ""},
		"version 2":         {bundle.DockerrunV2, two, nil, `f:1: image "%TAG%" is no image reference`},
		"version 2, given":  {bundle.DockerrunV2, two, map[string]string{"a": "r/a:1"}, ""},
		"version 1":         {bundle.DockerrunV1, `{"AWSEBDockerrunVersion": "1", "Image": {"Name": "<IMAGE>"}}`, nil, `f:1: image "<IMAGE>" is no image reference`},
		"version 1, given":  {bundle.DockerrunV1, `{"AWSEBDockerrunVersion": "1", "Image": {"Name": "<IMAGE>"}}`, map[string]string{"any": "r/a:1"}, ""},
	} {
		err := errors.Join(bundle.Unusable("f", c.kind, []byte(c.src), c.given)...)
		if c.want == "" && err != nil || c.want != "" && (err == nil || len(err.Error()) < len(c.want) || err.Error()[:len(c.want)] != c.want) {
			t.Errorf("%s:\ngot  %v\nwant %s…", name, err, c.want)
		}
	}
}

func TestMalformed(t *testing.T) {
	const src = "x-own: ${}\nservices:\n  a:\n    image: a\n    command: echo $(date)\n    environment:\n      A: ${A:-$B} $$( $${1} ${C:?say it}\n      B: ${1A}\n      C: $1\n      D: ${D\n    build: {args: ['A=${}']}\nvolumes:\n  v: {name: a$}\n"
	if diff := cmp.Diff([]int{1, 8, 10}, bundle.AsksOf([]byte(src), nil).Malformed); diff != "" {
		t.Error(diff)
	}
}
