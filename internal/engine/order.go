package engine

import (
	"context"
	"fmt"
	"maps"
	"strings"
)

// serviceContext begins a named context that is another service's image.
const serviceContext = "service:"

// order lets a build wait for those whose images are its contexts. It is keyed
// by service.
type order map[string]*turn

type turn struct {
	// name is the image's, "" if it has none.
	name string
	// ended is closed after digest, "@sha256:…" or "", and err were set.
	ended  chan struct{}
	digest string
	err    error
}

func newOrder(images []Image) order {
	o := order{}
	for _, one := range images {
		o[one.Build.Service] = &turn{ended: make(chan struct{})}
		if len(one.Names) > 0 {
			o[one.Build.Service].name = one.Names[0]
		}
	}
	return o
}

// await waits until the images that a build starts from are there, and names
// them in its contexts. The parser has refused cycles.
func (o order) await(ctx context.Context, one Image) (Image, error) {
	contexts := maps.Clone(one.Build.Contexts)
	for name, from := range one.Build.Contexts {
		service, is := strings.CutPrefix(from, serviceContext)
		if !is {
			continue
		}
		other, known := o[service]
		if !known || other.name == "" {
			return one, fmt.Errorf("build %q: build.additional_contexts: service %q is not built in this step", one.Build.Service, service)
		}
		select {
		case <-other.ended:
		case <-ctx.Done():
			return one, fmt.Errorf("build %q: %w", one.Build.Service, ctx.Err())
		}
		if other.err != nil {
			return one, fmt.Errorf("build %q: was not begun, since it starts from the image of %q", one.Build.Service, service)
		}
		contexts[name] = imageContext + other.name + other.digest
	}
	one.Build.Contexts = contexts
	return one, nil
}

// done ends the wait for a build. With a digest the image is meant by that: an
// engine with the containerd store asks the registry first for a context's
// name, and finds there what an earlier run pushed under it. Source:
// moby/buildkit, frontend/dockerui/namedcontext.go, which drops the mode.
func (o order) done(service, digest string, err error) {
	if digest != "" {
		o[service].digest = "@" + digest
	}
	o[service].err = err
	close(o[service].ended)
}
