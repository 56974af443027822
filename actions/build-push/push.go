package buildpush

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/image"
)

// round is one part of the push of all images, done for them side by side.
type round struct {
	name string
	do   func(context.Context, int, *imageResult) error
	// idle tells an image for which there is nothing to do.
	idle func(planned) bool
}

// rounds are the parts of a push in order. The first tag of every image goes
// first. The tags that move do so when all images are up, right after one
// another and without a layer, so that nobody finds half a release under them.
func (s *session) rounds() []round {
	return []round{
		{"push", s.pushFirst, func(planned) bool { return false }},
		{"copy", s.carry, func(one planned) bool { return !slices.ContainsFunc(one.more, one.elsewhere) }},
		{"move tags", s.moveTags, func(one planned) bool { return len(s.plan.tags) == 1 && len(one.more) == 0 }},
	}
}

// elsewhere tells a reference of another repository than the image's.
func (p planned) elsewhere(more image.Reference) bool { return more.Name() != p.name.Name() }

// push does the rounds, each when the one before has ended well for all images.
func (s *session) push(ctx context.Context, images []imageResult) error {
	for _, round := range s.rounds() {
		var group errgroup.Group
		problems := make([]error, len(images))
		for i := range images {
			if round.idle(s.plan.images[i]) {
				continue
			}
			group.Go(func() error {
				begin := time.Now()
				problems[i] = round.do(ctx, i, &images[i])
				images[i].pushing = append(images[i].pushing, span{round.name, begin, time.Since(begin)})
				return nil
			})
		}
		if err := errors.Join(group.Wait(), errors.Join(problems...)); err != nil {
			return err
		}
	}
	return nil
}

// pushFirst makes the first tag the image's. One that the registry has under
// any of the tags is not sent again, and keeps its digest: BuildKit's notes for
// its cache may differ in an image that is the same.
func (s *session) pushFirst(ctx context.Context, i int, one *imageResult) error {
	first := one.name.WithTag(s.plan.tags[0])
	if digest := s.there(ctx, *one); digest != "" {
		if err := s.registry.Tag(ctx, one.name.WithDigest(digest), s.plan.tags[:1]); err != nil {
			return fmt.Errorf("push %s: %w", first, err)
		}
		one.digest, one.already, one.tags = digest, true, s.plan.tags[:1:1]
		s.log.Printf("%s@%s was there already", first, digest)
		return nil
	}
	digest, err := s.send(ctx, i, first)
	if err != nil {
		return err
	}
	one.digest, one.tags = digest, s.plan.tags[:1:1]
	s.log.Printf("pushed %s@%s", first, digest)
	return nil
}

// carry brings an image to the other repositories that the file names, without
// a tag there yet.
func (s *session) carry(ctx context.Context, i int, one *imageResult) error {
	for _, more := range s.plan.images[i].more {
		if !s.plan.images[i].elsewhere(more) {
			continue
		}
		if err := s.registry.Copy(ctx, one.name.WithDigest(one.digest), more.WithTag("").WithDigest(one.digest)); err != nil {
			return err
		}
	}
	return nil
}

// there is the digest that the registry has the image under, "" if it has not
// or does not say.
func (s *session) there(ctx context.Context, one imageResult) string {
	for _, tag := range s.plan.tags {
		if digest, err := s.registry.Has(ctx, one.name.WithTag(tag), one.built.ID, one.built.Content); err == nil && digest != "" {
			return digest
		}
	}
	return ""
}

func (s *session) moveTags(ctx context.Context, i int, one *imageResult) error {
	if err := s.moveOwn(ctx, one); err != nil {
		return err
	}
	for _, more := range s.plan.images[i].more {
		if err := s.registry.Copy(ctx, one.name.WithDigest(one.digest), more); err != nil {
			return err
		}
		one.more = append(one.more, more)
		s.log.Printf("moved %s to %s", more, one.digest)
	}
	return nil
}

func (s *session) moveOwn(ctx context.Context, one *imageResult) error {
	if len(s.plan.tags) == 1 {
		return nil
	}
	if err := s.registry.Tag(ctx, one.name.WithDigest(one.digest), s.plan.tags[1:]); err != nil {
		return err
	}
	one.tags = s.plan.tags
	for _, tag := range s.plan.tags[1:] {
		s.log.Printf("moved %s to %s", one.name.WithTag(tag), one.digest)
	}
	return nil
}
