package engine

import (
	"io"
	"testing"

	"github.com/moby/buildkit/client"

	"github.com/guk0/travois/internal/compose"
)

// TestCountOfSharedSteps has a step that is in common with a build for several
// platforms count once, and each of those of several platforms.
func TestCountOfSharedSteps(t *testing.T) {
	update := &client.SolveStatus{Vertexes: []*client.Vertex{
		{Name: "[1/2] FROM docker.io/library/node:22"},
		{Name: "[2/2] COPY . .", Cached: true},
		{Name: "[linux/arm64 2/2] COPY . .", Cached: true},
		{Name: "[build 1/1] RUN npm ci", Cached: true},
		{Name: "[linux/arm64 build 1/1] RUN npm ci", Cached: true},
	}}
	for _, c := range []struct {
		platforms []string
		want      int
	}{{nil, 2}, {[]string{"linux/arm64"}, 2}, {[]string{"linux/amd64", "linux/arm64"}, 4}} {
		p := newProgress(io.Discard, compose.Build{Platforms: c.platforms})
		p.watch(update)
		if steps, cached := p.count(); steps != c.want || cached != c.want {
			t.Errorf("for %v: %d of %d steps from cache, want %d of %d", c.platforms, cached, steps, c.want, c.want)
		}
	}
}
