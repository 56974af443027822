package registry

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/image"
)

// presentWithin bounds Present: what it finds only makes a build faster.
const presentWithin = 5 * time.Second

// Present are the tags that a repository has, out of those asked for, in their
// order. A registry that does not answer has none.
func (c Credentials) Present(ctx context.Context, name image.Reference, tags []string) []string {
	ctx, cancel := context.WithTimeout(ctx, presentWithin)
	defer cancel()
	var mu sync.Mutex
	found := map[string]bool{}
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, tag := range tags {
		group.Go(func() error {
			_, err := c.Digest(ctx, name.WithTag(tag))
			mu.Lock()
			defer mu.Unlock()
			found[tag] = err == nil
			return nil
		})
	}
	_ = group.Wait()
	var present []string
	for _, tag := range tags {
		if found[tag] {
			present = append(present, tag)
		}
	}
	return present
}
