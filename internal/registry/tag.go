package registry

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"golang.org/x/sync/errgroup"

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
// the transport, but for those of layers: by itself it takes any refusal of code
// UNKNOWN for one that passes.
func (c Credentials) remote(ctx context.Context) []remote.Option {
	return []remote.Option{remote.WithContext(ctx), remote.WithAuthFromKeychain(keychain{ctx, c}), remote.WithTransport(c.transport()), remote.WithRetryStatusCodes(), remote.WithRetryPredicate(brokenLayer)}
}

// brokenLayer tells trouble with a layer on its way, of which something may have
// arrived. The library begins with the layer anew: the upload is not to be gone
// on with.
func brokenLayer(err error) bool {
	var refused *transport.Error
	if errors.As(err, &refused) {
		code := refused.StatusCode
		return refused.Request != nil && refused.Request.Method == http.MethodPatch &&
			code != http.StatusUnauthorized && code != http.StatusForbidden && code != http.StatusNotFound
	}
	var broken *url.Error
	return errors.As(err, &broken) && strings.EqualFold(broken.Op, http.MethodPatch) && !errors.Is(err, context.Canceled)
}

// Tag gives what a repository has under from's digest further tags. Nothing
// but manifests moves. A tag that it has already is left alone.
func (c *Client) Tag(ctx context.Context, from image.Reference, tags []string) error {
	var to []image.Reference
	for _, tag := range tags {
		to = append(to, from.WithTag(tag))
	}
	moves, err := c.Moves(ctx, from.Digest, to)
	if err != nil {
		return err
	}
	for _, move := range moves {
		if err := move(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Moves give tags to what their repositories have under a digest, one a tag and
// in their order. All that can be asked beforehand has been: a move is one
// request, or none where the tag has that digest already.
func (c *Client) Moves(ctx context.Context, digest string, to []image.Reference) ([]func(context.Context) error, error) {
	manifests := map[string]*remote.Descriptor{} // by repository
	for _, one := range to {
		if manifests[one.Name()] != nil {
			continue
		}
		found, err := c.manifest(ctx, one.WithDigest(digest))
		if err != nil {
			return nil, fmt.Errorf("tag %s: %w", one, err)
		}
		manifests[one.Name()] = found
	}
	moves := make([]func(context.Context) error, len(to))
	problems := make([]error, len(to))
	var group errgroup.Group
	group.SetLimit(parallel)
	for i, one := range to {
		group.Go(func() error {
			moves[i], problems[i] = c.move(ctx, one, manifests[one.Name()])
			return nil
		})
	}
	return moves, errors.Join(group.Wait(), errors.Join(problems...))
}

// manifest is what a repository has under a digest. With it comes the token for
// a push, which a first PUT would have to ask for.
func (c *Client) manifest(ctx context.Context, of image.Reference) (*remote.Descriptor, error) {
	parsed, err := c.credentials.parse(of.WithTag("").WithDigest(of.Digest))
	if err != nil {
		return nil, err
	}
	found, err := c.puller.Get(ctx, parsed)
	if err != nil {
		return nil, c.credentials.explain(ctx, of, err)
	}
	if err := c.pusher.Push(ctx, parsed, found); err != nil {
		return nil, c.credentials.explain(ctx, of, err)
	}
	return found, nil
}

// move puts a manifest under a tag, if that has not got it already.
func (c *Client) move(ctx context.Context, to image.Reference, manifest *remote.Descriptor) (func(context.Context) error, error) {
	target, err := c.credentials.parse(to)
	if err != nil {
		return nil, err
	}
	if found, err := c.puller.Head(ctx, target); err == nil && found.Digest == manifest.Digest {
		return func(context.Context) error { return nil }, nil
	}
	return func(ctx context.Context) error {
		if err := c.pusher.Put(ctx, target, manifest); err != nil {
			return fmt.Errorf("tag %s: %w", to, c.credentials.explain(ctx, to, err))
		}
		return nil
	}, nil
}

// Copy gives what a repository has under a digest to another repository, under
// that digest alone. What the other has already is not sent.
func (c *Client) Copy(ctx context.Context, from, to image.Reference) error {
	source, err := c.credentials.parse(from)
	if err != nil {
		return err
	}
	target, err := c.credentials.parse(to.WithTag("").WithDigest(from.Digest))
	if err != nil {
		return err
	}
	found, err := c.puller.Get(ctx, source)
	if err != nil {
		return fmt.Errorf("copy %s: %w", from, c.credentials.explain(ctx, from, err))
	}
	if err := c.pusher.Push(ctx, target, found); err != nil {
		return fmt.Errorf("copy %s to %s: %w", from.Name(), to.Name(), c.credentials.explain(ctx, to, err))
	}
	return nil
}

// Lacks tells that a repository has nothing under a tag. One that does not tell
// does not lack it.
func (c *Client) Lacks(ctx context.Context, reference image.Reference) bool {
	_, err := c.head(ctx, reference)
	var refused *transport.Error
	return errors.As(err, &refused) && refused.StatusCode == http.StatusNotFound
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
