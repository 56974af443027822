package bundle

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestImages(t *testing.T) {
	for _, c := range []struct {
		name, src string
		kind      Kind
		want      map[string]Image
	}{
		{
			"compose", "x: &x\n  image: ${A}/b:1\nservices:\n  a:\n    build: .\n    image: c\n  b: *x\n  c:\n    build: .\n  d:\n    extends: a\n  e:\n    ports: []\n  f:\n    image: [x]\n", Compose,
			map[string]Image{"a": {"c", 6, true}, "b": {"${A}/b:1", 2, false}, "c": {"", 8, true}, "d": {"", 10, false}},
		},
		{"compose with a tab", "services:\n\ta:\n\t\timage: x\n", Compose, map[string]Image{"a": {"x", 3, false}}},
		{"compose that can't be read", "services: [", Compose, nil},
		{"version 1", "{\"Image\":\n{\"Name\": \"x\"}}", DockerrunV1, map[string]Image{"": {"x", 2, false}}},
		{"version 1 without image", "{}", DockerrunV1, map[string]Image{}},
		{"version 2", "{\"containerDefinitions\": [\n{\"name\":\"a\",\"image\":\"x\"}, {\"name\":\"b\"}, 1]}", DockerrunV2, map[string]Image{"a": {"x", 2, false}}},
		{"version 2 without containers", "{}", DockerrunV2, map[string]Image{}},
		{"no JSON", "{", DockerrunV2, nil},
	} {
		got, readable := Images(c.kind, []byte(c.src))
		if diff := cmp.Diff(c.want, got); diff != "" || readable != (c.want != nil) {
			t.Errorf("%s: readable %t (-want +got):\n%s", c.name, readable, diff)
		}
	}
}
