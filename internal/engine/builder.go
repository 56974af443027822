package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/platforms"
	"github.com/docker/docker/api/types/versions"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/util/grpcerrors"
	"google.golang.org/grpc/codes"
)

// Builder is a BuildKit that answers: the one in an engine, one in a container
// of an engine, or one elsewhere.
type Builder struct {
	// Name is what messages call it, as "engine 28.0.4".
	Name string
	// Platforms are those that it runs by itself or emulates, as "linux/amd64".
	Platforms []string
	// Silence is how long a push may say nothing new; 0 is two minutes, or 30 for
	// a builder that keeps no images.
	Silence time.Duration

	can ability
	// gateway is the address of the engine's machine, "" if the builder does not
	// tell.
	gateway string
	// store is the engine that takes the images, nil for a builder that keeps
	// none: it builds them again, out of its cache, to push them.
	store *Engine
	// insecure tells the registries that are reached over plain HTTP.
	insecure func(host string) bool
	buildkit *client.Client
	sent     atomic.Int64
	// turn is held by the one that writes a cache, where only one may.
	turn sync.Mutex
	// hijack opens a session where the engine has a way of its own for that; it
	// may be nil.
	hijack session.Dialer
	// stop takes away what was started for it; it may be nil.
	stop func(ctx context.Context) error
}

// ability is what builders differ in.
type ability struct {
	// contexts is to read named contexts, ulimits, shm_size and here-documents
	// without a syntax line.
	contexts bool
	// exports is to write images of several platforms, attestations and caches
	// of all kinds.
	exports bool
	// atOnce is to write the caches of several builds at once. Engines before 23
	// end with "concurrent map writes", and all that runs on them. Source:
	// moby/moby#42422.
	atOnce bool
}

// everything is what a BuildKit by itself can do.
var everything = ability{contexts: true, exports: true, atOnce: true}

// engine23 is the API of the first engine whose BuildKit reads named contexts,
// ulimits and shm_size; an older one drops them without a word.
const engine23 = "1.42"

// engine292 is the API of the first engine that serves BuildKit on its socket
// as any server of HTTP/2 would, and calls the way before deprecated. Source:
// moby/moby#50744 and #51696.
const engine292 = "1.53"

// Builder is the BuildKit in the engine. It is closed before the engine is.
func (e *Engine) Builder(ctx context.Context) (*Builder, error) {
	modern := versions.GreaterThanOrEqualTo(e.api, engine23)
	builder := &Builder{
		Name: "engine " + e.Version, store: e,
		can: ability{contexts: modern, exports: e.ContainerdStore, atOnce: modern},
	}
	if versions.GreaterThanOrEqualTo(e.api, engine292) && builder.connect(ctx, client.WithContextDialer(e.dialDirectly)) == nil {
		return builder, nil
	}
	// A proxy before the engine's socket may not pass HTTP/2 on either.
	builder.hijack = e.dialSession
	err := builder.connect(ctx, client.WithContextDialer(e.dialBuildKit))
	if err != nil {
		return nil, fmt.Errorf("BuildKit in engine %s does not answer: %w", e.Version, err)
	}
	return builder, nil
}

// Exports tells whether the builder writes caches of all kinds.
func (b *Builder) Exports() bool { return b.can.exports }

// Sent is how many bytes of the files of contexts were sent to it.
func (b *Builder) Sent() int64 { return b.sent.Load() }

// answerWithin is how long a builder may take to say what it is.
const answerWithin = 15 * time.Second

// connect dials and asks what the builder is.
func (b *Builder) connect(ctx context.Context, options ...client.ClientOpt) error {
	buildkit, err := client.New(ctx, "", options...)
	if err != nil {
		return err
	}
	asking, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	workers, err := buildkit.ListWorkers(asking)
	if err == nil && len(workers) == 0 {
		err = errors.New("it has no workers")
	}
	if err == nil && b.store == nil {
		err = tooOld(asking, buildkit)
	}
	if err != nil {
		return errors.Join(plain(err), buildkit.Close())
	}
	b.buildkit = buildkit
	b.gateway = workers[0].Labels[gatewayLabel]
	for _, worker := range workers {
		for _, one := range worker.Platforms {
			b.Platforms = append(b.Platforms, platforms.Format(platforms.Normalize(one)))
		}
	}
	slices.Sort(b.Platforms)
	b.Platforms = slices.Compact(b.Platforms)
	return nil
}

// tooOld tells a BuildKit by itself that leaves out in silence what it does not
// know. 0.11 is the first that attests, and that says which one it is.
func tooOld(ctx context.Context, buildkit *client.Client) error {
	_, err := buildkit.Info(ctx)
	if grpcerrors.Code(err) == codes.Unimplemented {
		return errors.New("it is older than BuildKit 0.11, which would leave attestations out without a word; update it")
	}
	return err
}

// Close ends the connection, and the builder where it was started for this
// one, also when the context has ended.
func (b *Builder) Close(ctx context.Context) error {
	err := b.buildkit.Close()
	if b.stop != nil {
		err = errors.Join(err, b.stop(ctx))
	}
	return err
}

// dialBuildKit opens a stream to the BuildKit inside the engine.
func (e *Engine) dialBuildKit(ctx context.Context, _ string) (net.Conn, error) {
	return e.docker.DialHijack(ctx, "/grpc", "h2c", nil)
}

func (e *Engine) dialSession(ctx context.Context, proto string, meta map[string][]string) (net.Conn, error) {
	return e.docker.DialHijack(ctx, "/session", proto, meta)
}

// dialDirectly opens a connection to the engine's socket itself.
func (e *Engine) dialDirectly(ctx context.Context, _ string) (net.Conn, error) {
	return e.docker.Dialer()(ctx)
}
