package buildpush

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"
)

// push looks for the images in the registry, sends what it lacks, and moves the
// tags that move when all images are up. Each part begins when the one before
// has ended well for all images.
func (s *session) push(ctx context.Context, images []imageResult) error {
	all := func(planned) bool { return true }
	if err := s.each(ctx, images, "look up", all, s.lookUp); err != nil {
		return err
	}
	under := s.under(ctx, images)
	upload := func(ctx context.Context, i int, one *imageResult) error { return s.upload(ctx, i, one, under) }
	if err := s.each(ctx, images, "push", all, upload); err != nil {
		return err
	}
	if err := s.each(ctx, images, "copy", planned.leaves, s.carry); err != nil {
		return err
	}
	return s.moveTags(ctx, images)
}

// each does a part of the push side by side, for the images that have it.
func (s *session) each(ctx context.Context, images []imageResult, name string, has func(planned) bool, do func(context.Context, int, *imageResult) error) error {
	var group errgroup.Group
	problems := make([]error, len(images))
	for i := range images {
		if !has(s.plan.images[i]) {
			continue
		}
		group.Go(func() error {
			begin := time.Now()
			problems[i] = do(ctx, i, &images[i])
			images[i].pushing = append(images[i].pushing, span{name, begin, time.Since(begin)})
			return nil
		})
	}
	return errors.Join(group.Wait(), errors.Join(problems...))
}

// lookUp finds an image that the registry has under any of the tags. It is not
// sent again, and keeps its digest: BuildKit's notes for its cache may differ in
// an image that is the same.
func (s *session) lookUp(ctx context.Context, _ int, one *imageResult) error {
	for _, tag := range s.plan.tags {
		digest, err := s.registry.Has(ctx, one.name.WithTag(tag), one.built.ID, one.built.Content)
		if err != nil {
			return nil //nolint:nilerr // A registry that does not say is sent the image, and waited for once.
		}
		if digest != "" {
			one.found = digest
			return nil
		}
	}
	return nil
}

// upload brings an image into its repository, under a tag or, without one, by
// its digest alone.
func (s *session) upload(ctx context.Context, i int, one *imageResult, under string) error {
	if one.found != "" {
		return s.keep(ctx, one)
	}
	reference := one.name.WithTag(under)
	digest, err := s.send(ctx, i, one.built, reference)
	if err != nil {
		return err
	}
	one.digest = digest
	if slices.Contains(s.plan.tags, under) {
		one.tags = []string{under}
	}
	s.log.Printf("pushed %s@%s", reference, digest)
	return nil
}

// keep gives an image that the registry has the tag that never moves.
func (s *session) keep(ctx context.Context, one *imageResult) error {
	reference := one.name.WithTag(s.plan.lasting)
	if s.plan.lasting != "" {
		if err := s.registry.Tag(ctx, one.name.WithDigest(one.found), []string{s.plan.lasting}); err != nil {
			return fmt.Errorf("push %s: %w", reference, err)
		}
		one.tags = []string{s.plan.lasting}
	}
	one.digest, one.already = one.found, true
	s.log.Printf("%s@%s was there already", reference, one.digest)
	return nil
}

// carry brings an image to the other repositories that the file names, without
// a tag there yet.
func (s *session) carry(ctx context.Context, i int, one *imageResult) error {
	for _, more := range s.plan.images[i].more {
		if !s.plan.images[i].elsewhere(more) {
			continue
		}
		if err := s.registry.Copy(ctx, one.name.WithDigest(one.digest), more); err != nil {
			return err
		}
	}
	return nil
}
