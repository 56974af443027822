package image_test

import (
	"testing"
	"time"

	"github.com/guk0/travois/internal/image"
)

func TestContentEqual(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	make := func(change func(*image.Content)) image.Content {
		c := image.Content{OS: "linux", Architecture: "amd64", Layers: []string{"sha256:a", "sha256:b"}, Created: at, Config: image.Config{Env: []string{"A=1"}, ExposedPorts: map[string]struct{}{"80/tcp": {}}}}
		change(&c)
		return c
	}
	one := make(func(*image.Content) {})
	for _, c := range []struct {
		name   string
		change func(*image.Content)
		want   bool
	}{
		{"the same", func(*image.Content) {}, true},
		{"empty for none", func(c *image.Content) {
			c.Config.Labels, c.Config.Cmd, c.Config.Volumes = map[string]string{}, []string{}, map[string]struct{}{}
		}, true},
		{"another zone", func(c *image.Content) { c.Created = at.In(time.FixedZone("", 3600)) }, true},
		{"a layer", func(c *image.Content) { c.Layers = []string{"sha256:a", "sha256:c"} }, false},
		{"the time", func(c *image.Content) { c.Created = at.Add(1) }, false},
		{"a variable", func(c *image.Content) { c.Config.Env = []string{"A=2"} }, false},
		{"a label", func(c *image.Content) { c.Config.Labels = map[string]string{"a": "b"} }, false},
		{"a check", func(c *image.Content) { c.Config.Healthcheck = map[string]any{"Test": []string{"CMD", "x"}} }, false},
		{"a port", func(c *image.Content) { c.Config.ExposedPorts = map[string]struct{}{"81/tcp": {}} }, false},
		{"the machine", func(c *image.Content) { c.Architecture = "arm64" }, false},
		{"nothing known", func(c *image.Content) { c.Layers = nil }, false},
	} {
		if got := one.Equal(make(c.change)); got != c.want {
			t.Errorf("%s: equal %t, want %t", c.name, got, c.want)
		}
	}
	if (image.Content{}).Equal(image.Content{}) {
		t.Error("two unknown images are one")
	}
}
