package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	dockerimage "github.com/docker/docker/api/types/image"
	"github.com/docker/docker/api/types/registry"
	"github.com/docker/docker/pkg/jsonmessage"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/image"
)

// Push pushes an image that was built under one of its names, the only one in
// Names, and gives the digest that the registry has it under. A name without a
// tag is for a builder that PushesByDigest. A push of which nothing new is heard
// for a time is given up.
func (b *Builder) Push(ctx context.Context, one Image, logins LoginFunc, host string) (string, error) {
	push := b.pushAgain
	if b.store != nil {
		push = b.store.push
	}
	ctx, heard, stop := withSilence(ctx, b.longestSilence())
	defer stop()
	digest, err := push(ctx, one, logins, host, heard)
	if err != nil {
		return "", fmt.Errorf("push %s: %w", one.Names[0], b.lostOr(because(ctx, err)))
	}
	return digest, nil
}

// PushesByDigest tells whether the builder can push an image without a tag. An
// engine can't.
func (b *Builder) PushesByDigest() bool { return b.store == nil }

// Tag gives an image in the builder's store a further name.
func (b *Builder) Tag(ctx context.Context, built Built, name string) error {
	if err := b.store.docker.ImageTag(ctx, built.ID, name); err != nil {
		return fmt.Errorf("tag the image of %q as %s: %w", built.Service, name, err)
	}
	return nil
}

// push has the engine push. It reports a refusal inside an answer with status
// 200.
func (e *Engine) push(ctx context.Context, one Image, logins LoginFunc, host string, heard io.Writer) (string, error) {
	auth, err := encode(ctx, host, logins)
	if err != nil {
		return "", err
	}
	name := one.Names[0]
	stream, err := e.docker.ImagePush(ctx, name, dockerimage.PushOptions{RegistryAuth: auth})
	if err != nil {
		return "", err
	}
	defer func() { _ = stream.Close() }()
	digest, err := readProgress(stream, onlyNew(func(message jsonmessage.JSONMessage) { _, _ = io.WriteString(heard, message.Status) }))
	if err != nil || digest != "" {
		return digest, err
	}
	found, err := e.docker.DistributionInspect(ctx, name, auth)
	if err != nil {
		return "", fmt.Errorf("ask the registry for its digest: %w", err)
	}
	return found.Descriptor.Digest.String(), nil
}

// pushAgain has a builder without a store build once more, which its cache
// makes short, and push. Caches were written by the first build.
func (b *Builder) pushAgain(ctx context.Context, one Image, logins LoginFunc, host string, heard io.Writer) (string, error) {
	export := b.export(one.Names)
	export.Attrs["push"] = "true"
	if named, err := image.Parse(one.Names[0]); err == nil && named.Tag == "" {
		export.Attrs["push-by-digest"] = "true"
	}
	if b.insecure(host) {
		export.Attrs["registry.insecure"] = "true"
	}
	one.Build.CacheTo = slices.DeleteFunc(slices.Clone(one.Build.CacheTo), func(to compose.Cache) bool { return to.Type != "inline" })
	// What is pushed is what was built: neither steps nor bases are looked up
	// anew. CacheFrom stays: without it BuildKit does not know where layers are
	// that it found there and has not fetched, and runs their steps again.
	one.Build.NoCache, one.Build.NoCacheStages, one.Build.Pull = false, nil, false
	one.Output = heard
	open, err := b.openSessions(ctx, []Image{one}, logins)
	if err != nil {
		return "", err
	}
	response, err := b.ask(ctx, one, open.of[0], newProgress(heard, one.Build), export)
	if err := errors.Join(err, open.close()); err != nil {
		return "", plain(err, "failed to push "+one.Names[0]+": ")
	}
	return imageID(response), nil
}

// Pull makes an image present, for a platform as "linux/arm64" or, with "", for
// the engine's own. One that the engine has is not pulled again. Output takes
// what the engine says, an empty write for what moves without a word.
func (e *Engine) Pull(ctx context.Context, name, platform, host string, logins LoginFunc, output io.Writer) error {
	if info, err := e.docker.ImageInspect(ctx, name); err == nil && isFor(platform, info) {
		return nil
	}
	auth, err := encode(ctx, host, logins)
	if err != nil {
		return fmt.Errorf("pull %s: %w", name, err)
	}
	stream, err := e.docker.ImagePull(ctx, name, dockerimage.PullOptions{RegistryAuth: auth, Platform: platform})
	if err != nil {
		return fmt.Errorf("pull %s: %w", name, err)
	}
	defer func() { _ = stream.Close() }()
	if _, err := readProgress(stream, onlyNew(func(message jsonmessage.JSONMessage) { tell(output, message) })); err != nil {
		return fmt.Errorf("pull %s: %w", name, err)
	}
	return nil
}

// layerDone is what a pull says of a layer that is worth a line.
const layerDone = "Pull complete"

// tell writes what is new of a pull: where from, which layers have come, what
// it is now.
func tell(output io.Writer, message jsonmessage.JSONMessage) {
	line := ""
	if message.ID == "" || message.Status == layerDone || strings.HasPrefix(message.Status, "Pulling from ") {
		line = message.Status + "\n"
	}
	if line != "" && message.ID != "" {
		line = message.ID + ": " + line
	}
	_, _ = io.WriteString(output, line)
}

// encode is a login as the engine takes it in a header. Without one the
// registry is asked as anybody.
func encode(ctx context.Context, host string, logins LoginFunc) (string, error) {
	username, password, err := logins(ctx, host)
	if err != nil {
		return "", err
	}
	auth, err := registry.EncodeAuthConfig(registry.AuthConfig{Username: username, Password: password, ServerAddress: host})
	if err != nil {
		return "", fmt.Errorf("encode the login for %s: %w", host, err)
	}
	return auth, nil
}

// statusLine is all that the containerd store says of a digest.
var statusLine = regexp.MustCompile(`digest: (sha256:[0-9a-f]{64})`)

// readProgress reads a push's or a pull's progress to its end, and the digest
// out of it: the classic store sends that apart, the containerd store in a line
// of status. Each message is passed on.
func readProgress(stream io.Reader, passOn func(jsonmessage.JSONMessage)) (string, error) {
	digest := ""
	decoder := json.NewDecoder(stream)
	for {
		var message jsonmessage.JSONMessage
		err := decoder.Decode(&message)
		if errors.Is(err, io.EOF) {
			return digest, nil
		}
		if err != nil {
			return "", fmt.Errorf("read the engine's answer: %w", err)
		}
		if message.Error != nil {
			return "", errors.New(message.Error.Message)
		}
		passOn(message)
		if found := statusLine.FindStringSubmatch(message.Status); found != nil {
			digest = found[1]
		}
		if message.Aux != nil {
			var aux struct{ Digest string }
			if json.Unmarshal(*message.Aux, &aux) == nil && aux.Digest != "" {
				digest = aux.Digest
			}
		}
	}
}
