package buildpush

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/image"
)

// move gives one image one tag that moves.
type move struct {
	one *imageResult
	to  image.Reference
	do  func(context.Context) error
}

// moveTags moves the tags that move, one tag of all images at once and then the
// next, each by a request that waits for nothing: so a tag names images of two
// commits for as short as can be. At the first tag that a registry refuses it
// ends, and the tags after that one stay where they are, for all images. A run
// that is cancelled meanwhile still has grace to move the rest.
func (s *session) moveTags(ctx context.Context, images []imageResult) error {
	begin := time.Now()
	moves, err := s.prepareMoves(ctx, images)
	if err != nil {
		return errors.Join(err, s.plan.left(images))
	}
	defer func() {
		for i := range images {
			if slices.ContainsFunc(moves, func(one move) bool { return one.one == &images[i] }) {
				images[i].pushing = append(images[i].pushing, span{"move tags", begin, time.Since(begin)})
			}
		}
	}()
	ctx, done := outlive(ctx, grace)
	defer done()
	for _, tag := range movingTags(moves) {
		together := slices.DeleteFunc(slices.Clone(moves), func(one move) bool { return one.to.Tag != tag })
		if err := s.moveTogether(ctx, together); err != nil {
			return errors.Join(err, s.plan.left(images))
		}
	}
	return nil
}

// grace is less than the 7.5 seconds that the runner leaves between SIGINT and
// SIGTERM (docs.github.com, workflow cancellation reference).
const grace = 5 * time.Second

// outlive is a context that ends that long after the one given.
func outlive(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	longer, end := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(by, end) })
	return longer, func() {
		stop()
		end()
	}
}

// prepareMoves asks for all that the moves need.
func (s *session) prepareMoves(ctx context.Context, images []imageResult) ([]move, error) {
	byImage := make([][]move, len(images))
	problems := make([]error, len(images))
	var group errgroup.Group
	for i := range images {
		group.Go(func() error {
			to := s.plan.unmoved(i, images[i])
			var ready []func(context.Context) error
			ready, problems[i] = s.registry.Moves(ctx, images[i].digest, to)
			for j, do := range ready {
				byImage[i] = append(byImage[i], move{&images[i], to[j], do})
			}
			return nil
		})
	}
	err := errors.Join(group.Wait(), errors.Join(problems...))
	return slices.Concat(byImage...), err
}

// movingTags are the tags of the moves, in the order in which they come first.
func movingTags(moves []move) []string {
	var tags []string
	for _, one := range moves {
		if !slices.Contains(tags, one.to.Tag) {
			tags = append(tags, one.to.Tag)
		}
	}
	return tags
}

// moveTogether does moves side by side, each to its end.
func (s *session) moveTogether(ctx context.Context, moves []move) error {
	problems := make([]error, len(moves))
	var group errgroup.Group
	for i, one := range moves {
		group.Go(func() error {
			problems[i] = one.do(ctx)
			return nil
		})
	}
	_ = group.Wait() // The problems tell.
	for i, one := range moves {
		if problems[i] == nil {
			s.plan.moved(one.one, one.to)
			s.log.Printf("moved %s to %s", one.to, one.one.digest)
		}
	}
	return errors.Join(problems...)
}

// moved notes a reference that an image has now.
func (p plan) moved(one *imageResult, to image.Reference) {
	if p.isTag(one.name, to) {
		one.tags = append(one.tags, to.Tag)
		return
	}
	one.more = append(one.more, to)
}

// isTag tells a reference that a tag of the plan gives an image.
func (p plan) isTag(name, to image.Reference) bool {
	return to.Name() == name.Name() && slices.Contains(p.tags, to.Tag)
}

// unmoved are the references that an image has not got yet.
func (p plan) unmoved(i int, one imageResult) []image.Reference {
	var all []image.Reference
	for _, reference := range p.references(p.images[i]) {
		if !slices.Contains(one.tags, reference.Tag) {
			all = append(all, reference)
		}
	}
	for _, more := range p.images[i].more {
		if !slices.Contains(one.more, more) && !p.isTag(one.name, more) {
			all = append(all, more)
		}
	}
	return all
}

// left tells how far the tags have moved, and what to do.
func (p plan) left(images []imageResult) error {
	var moved, unmoved []string
	for i, one := range images {
		var behind []string
		for _, reference := range p.unmoved(i, one) {
			behind = append(behind, p.short(one.name, reference))
		}
		ahead := slices.DeleteFunc(one.pushedTags(), func(tag string) bool { return tag == p.lasting })
		moved, unmoved = appendTags(moved, one.service, ahead), appendTags(unmoved, one.service, behind)
	}
	state := "no tag has moved"
	if len(moved) > 0 {
		state = fmt.Sprintf("some tags have moved and some have not. Moved: %s. Not moved: %s", strings.Join(moved, "; "), strings.Join(unmoved, "; "))
	}
	return fmt.Errorf("%s. All images are up: when the cause is mended, run the step again, and the rest moves", state)
}

// short is a tag of the plan by itself, and another reference whole.
func (p plan) short(name, reference image.Reference) string {
	if p.isTag(name, reference) {
		return reference.Tag
	}
	return reference.String()
}

// appendTags adds a service with its tags to a list, if it has any.
func appendTags(list []string, service string, tags []string) []string {
	if len(tags) == 0 {
		return list
	}
	return append(list, service+": "+strings.Join(tags, ", "))
}
