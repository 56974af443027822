package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

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
	options := c.remote(ctx)
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

// remote is how the library reaches registries. It leaves the second tries to
// the transport: by itself it takes any refusal of code UNKNOWN for one that
// passes.
func (c Credentials) remote(ctx context.Context) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(keychain{ctx, c}), remote.WithTransport(c.transport()), remote.WithRetryStatusCodes(), remote.WithRetryPredicate(never)}
}

func never(error) bool { return false }

// Tag gives what a repository has under from's digest further tags. Nothing
// but manifests moves. A tag that it has already is left alone.
func (c *Client) Tag(ctx context.Context, from image.Reference, tags []string) error {
	digest, err := name.NewDigest(from.Name()+"@"+from.Digest, c.credentials.options(from.Registry)...)
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
			return fmt.Errorf("tag %s: %w", from.WithTag(tag), c.credentials.explain(ctx, from, err))
		}
	}
	return nil
}

// Copy gives what a repository has under from's digest another reference, in
// that repository or elsewhere. What the other has already is not sent.
func (c *Client) Copy(ctx context.Context, from, to image.Reference) error {
	if from.Name() == to.Name() {
		return c.Tag(ctx, from, []string{to.Tag})
	}
	source, err := c.credentials.parse(from)
	if err != nil {
		return err
	}
	target, err := c.credentials.parse(to)
	if err != nil {
		return err
	}
	found, err := c.puller.Get(ctx, source)
	if err != nil {
		return fmt.Errorf("copy %s: %w", from, err)
	}
	if there, err := c.puller.Head(ctx, target); err == nil && there.Digest.String() == from.Digest {
		return nil
	}
	if err := c.pusher.Push(ctx, target, found); err != nil {
		return fmt.Errorf("copy %s to %s: %w", from.Name(), to, c.credentials.explain(ctx, to, err))
	}
	return nil
}

// Has gives the digest that a repository has under a tag if that is an image
// of this content or with this digest. It is "" where the tag is another
// image's or nobody's.
func (c *Client) Has(ctx context.Context, reference image.Reference, digest string, content image.Content) (string, error) {
	parsed, err := c.credentials.parse(reference)
	if err != nil {
		return "", err
	}
	found, err := c.puller.Get(ctx, parsed)
	var refused *transport.Error
	if errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", reference, err)
	}
	if found.Digest.String() == digest {
		return digest, nil
	}
	if !found.MediaType.IsImage() {
		return "", nil
	}
	there, err := contentOf(found)
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", reference, err)
	}
	if !there.Equal(content) {
		return "", nil
	}
	return found.Digest.String(), nil
}

// contentOf reads an image's configuration.
func contentOf(found *remote.Descriptor) (image.Content, error) {
	one, err := found.Image()
	if err != nil {
		return image.Content{}, err
	}
	text, err := one.RawConfigFile()
	if err != nil {
		return image.Content{}, err
	}
	var file struct {
		OS, Architecture string
		Created          time.Time
		RootFS           struct {
			Layers []string `json:"diff_ids"`
		}
		Config image.Config
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return image.Content{}, err
	}
	return image.Content{OS: file.OS, Architecture: file.Architecture, Created: file.Created, Layers: file.RootFS.Layers, Config: file.Config}, nil
}
