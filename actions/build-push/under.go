package buildpush

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/image"
)

// uploadTag is what an engine sends images under while no tag of the plan may
// have them yet. There is no way to take a tag away again that all registries
// know, so one name serves every run. A run takes from there what has the digest
// that it pushed, so two runs side by side don't disturb one another.
const uploadTag = "travois-upload"

// under is the tag under which the images are sent that the registry lacks: one
// that never moves, or that names nothing yet, since one that moved with each
// image would name images of two commits until all are up. It is "" where they
// are sent by their digests alone.
func (s *session) under(ctx context.Context, images []imageResult) string {
	var lacking []int
	for i, one := range images {
		if one.found == "" {
			lacking = append(lacking, i)
		}
	}
	switch {
	case s.plan.lasting != "":
		return s.plan.lasting
	case len(lacking) == 0 || s.builder.PushesByDigest():
		return ""
	case len(lacking) == 1 && s.plan.lonely(lacking[0]):
		return s.plan.tags[0]
	}
	if tag := s.unused(ctx, lacking); tag != "" {
		return tag
	}
	s.log.Notice("input tags: all of them move, and an engine can push under a tag only: the images go up under %s, which stays in their repositories, before any other tag moves. With a line sha-{sha} they go up under that one", uploadTag)
	return uploadTag
}

// lonely tells that no tag moves but those of one image, which is in one
// repository only: the last image to come up may move its tag itself.
func (p plan) lonely(i int) bool {
	for other, one := range p.images {
		if other != i && (len(p.tags) > 1 || len(one.more) > 0) {
			return false
		}
	}
	return !p.images[i].leaves()
}

// unused is the first tag that none of these images' repositories has, "" if
// there is none.
func (s *session) unused(ctx context.Context, images []int) string {
	for _, tag := range s.plan.tags {
		var group errgroup.Group
		var used atomic.Bool
		for _, i := range images {
			group.Go(func() error {
				if !s.registry.Lacks(ctx, s.plan.images[i].name.WithTag(tag)) {
					used.Store(true)
				}
				return nil
			})
		}
		_ = group.Wait()
		if !used.Load() {
			return tag
		}
	}
	return ""
}

// elsewhere tells a reference of another repository than the image's.
func (p planned) elsewhere(more image.Reference) bool { return more.Name() != p.name.Name() }

// leaves tells an image that goes to other repositories too.
func (p planned) leaves() bool {
	for _, more := range p.more {
		if p.elsewhere(more) {
			return true
		}
	}
	return false
}
