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
func (c *Client) Present(ctx context.Context, repository image.Reference, tags []string) []string {
	ctx, cancel := context.WithTimeout(ctx, presentWithin)
	defer cancel()
	var mu sync.Mutex
	found := map[string]bool{}
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, tag := range tags {
		group.Go(func() error {
			err := c.head(ctx, repository.WithTag(tag))
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

func (c *Client) head(ctx context.Context, reference image.Reference) error {
	parsed, err := c.credentials.parse(reference)
	if err != nil {
		return err
	}
	_, err = c.puller.Head(ctx, parsed)
	return err
}
