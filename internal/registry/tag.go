package registry

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/guk0/travois/internal/image"
)

// Client asks registries about images on connections that it keeps.
type Client struct {
	credentials Credentials
	puller      *remote.Puller
	pusher      *remote.Pusher
}

// Client is one with these logins, for as long as the context lasts.
func (c Credentials) Client(ctx context.Context) (*Client, error) {
	options := []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(c), remote.WithTransport(patient{remote.DefaultTransport}), remote.WithRetryStatusCodes()}
	puller, err := remote.NewPuller(options...)
	if err != nil {
		return nil, fmt.Errorf("connect to the registry: %w", err)
	}
	pusher, err := remote.NewPusher(options...)
	if err != nil {
		return nil, fmt.Errorf("connect to the registry: %w", err)
	}
	return &Client{c, puller, pusher}, nil
}

// Tag gives what a repository has under from's digest further tags. Nothing
// but manifests moves. A tag that it has already is left alone.
func (c *Client) Tag(ctx context.Context, from image.Reference, tags []string) error {
	digest, err := name.NewDigest(from.Name() + "@" + from.Digest)
	if err != nil {
		return fmt.Errorf("image %q: %w", from, err)
	}
	manifest, err := c.puller.Get(ctx, digest)
	if err != nil {
		return fmt.Errorf("tag %s: %w", from, err)
	}
	for _, tag := range tags {
		target := digest.Tag(tag)
		if found, err := c.puller.Head(ctx, target); err == nil && found.Digest.String() == from.Digest {
			continue
		}
		if err := c.pusher.Put(ctx, target, manifest); err != nil {
			return fmt.Errorf("tag %s: %w", from.WithTag(tag), c.credentials.explain(from, err))
		}
	}
	return nil
}

// Has gives the digest that a repository has under a tag if that is the image
// that an engine knows by an ID: the digest of its configuration in the
// classic store, of its manifest in the containerd store. It is "" where the
// tag is another image's or nobody's.
func (c *Client) Has(ctx context.Context, reference image.Reference, id string) (string, error) {
	parsed, err := name.ParseReference(reference.String())
	if err != nil {
		return "", fmt.Errorf("image %q: %w", reference, err)
	}
	found, err := c.puller.Get(ctx, parsed)
	var refused *transport.Error
	if errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", reference, err)
	}
	if found.Digest.String() == id {
		return id, nil
	}
	if !found.MediaType.IsImage() {
		return "", nil
	}
	one, err := found.Image()
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", reference, err)
	}
	config, err := one.ConfigName()
	if err != nil || config.String() != id {
		return "", err
	}
	return found.Digest.String(), nil
}
