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
// order, and of several that are one image the first. A registry that does not
// answer has none.
func (c *Client) Present(ctx context.Context, repository image.Reference, tags []string) []string {
	ctx, cancel := context.WithTimeout(ctx, presentWithin)
	defer cancel()
	var mu sync.Mutex
	found := map[string]string{} // digests by tag
	var group errgroup.Group
	group.SetLimit(parallel)
	for _, tag := range tags {
		group.Go(func() error {
			digest, err := c.head(ctx, repository.WithTag(tag))
			if err != nil {
				return nil //nolint:nilerr // As good as not there.
			}
			mu.Lock()
			defer mu.Unlock()
			found[tag] = digest
			return nil
		})
	}
	_ = group.Wait()
	var present []string
	seen := map[string]bool{"": true}
	for _, tag := range tags {
		if digest := found[tag]; !seen[digest] {
			seen[digest] = true
			present = append(present, tag)
		}
	}
	return present
}

func (c *Client) head(ctx context.Context, reference image.Reference) (digest string, err error) {
	parsed, err := c.credentials.parse(reference)
	if err != nil {
		return "", err
	}
	found, err := c.puller.Head(ctx, parsed)
	if err != nil {
		return "", err
	}
	return found.Digest.String(), nil
}
