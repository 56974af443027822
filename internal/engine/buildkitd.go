package engine

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/docker/docker/api/types"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
	"github.com/moby/buildkit/client"
)

// BuilderImage is the image of the builder that StartBuilder starts.
const BuilderImage = "moby/buildkit:v0.34.2"

// BuilderSpec is a builder to be started in a container.
type BuilderSpec struct {
	// Insecure are the registries that it reaches over plain HTTP, each once as
	// "host:port" in lower case.
	Insecure []string
	// HostNetwork lets it, and what it runs, into the network of the engine's
	// machine, as a registry on loopback needs.
	HostNetwork bool
	// Env is "KEY=VALUE" each, such as the proxies.
	Env []string
	// Labels mark the container for Sweep.
	Labels map[string]string
}

// Unstarted is the builder that StartBuilder starts, to be asked for its
// Refusals and nothing else.
func Unstarted() *Builder {
	return &Builder{Name: "a builder of " + BuilderImage, can: everything}
}

// StartBuilder starts a builder in a container, privileged as BuildKit needs
// it. Close removes it with all that it kept.
func (e *Engine) StartBuilder(ctx context.Context, spec BuilderSpec, logins LoginFunc) (*Builder, error) {
	if err := e.Pull(ctx, BuilderImage, "", "docker.io", logins, io.Discard); err != nil {
		return nil, fmt.Errorf("the builder's image: %w", err)
	}
	id, err := e.createBuilder(ctx, spec)
	if err != nil {
		return nil, fmt.Errorf("start a builder: %w", err)
	}
	instance := &Instance{ID: id, engine: e}
	builder := Unstarted()
	builder.stop = instance.Remove
	builder.insecure = func(host string) bool { return slices.Contains(spec.Insecure, strings.ToLower(host)) }
	if err := e.awaitBuilder(ctx, builder, id); err != nil {
		return nil, errors.Join(fmt.Errorf("start a builder: %w", err), instance.Remove(ctx))
	}
	return builder, nil
}

// BuilderIn connects to the builder in a running container.
func (e *Engine) BuilderIn(ctx context.Context, address Address, insecure func(host string) bool) (*Builder, error) {
	builder := &Builder{Name: "the builder at " + address.String(), can: everything, insecure: insecure}
	if err := builder.connect(ctx, client.WithContextDialer(e.dialContainer(address.rest))); err != nil {
		return nil, fmt.Errorf("no BuildKit answers at %s: %w", address, err)
	}
	return builder, nil
}

func (e *Engine) createBuilder(ctx context.Context, spec BuilderSpec) (string, error) {
	host := &container.HostConfig{Privileged: true}
	if spec.HostNetwork {
		host.NetworkMode = "host"
	}
	lasting := context.WithoutCancel(ctx)
	created, err := e.docker.ContainerCreate(lasting, &container.Config{Image: BuilderImage, Env: spec.Env, Labels: spec.Labels}, host, nil, nil, "")
	if err != nil {
		return "", err
	}
	err = e.docker.CopyToContainer(lasting, created.ID, "/", settings(spec), container.CopyToContainerOptions{})
	if err == nil {
		err = e.docker.ContainerStart(lasting, created.ID, container.StartOptions{})
	}
	if err != nil {
		return "", errors.Join(err, (&Instance{ID: created.ID, engine: e}).Remove(ctx))
	}
	return created.ID, nil
}

// settings is a tar of buildkitd's configuration. Source: moby/buildkit,
// docs/buildkitd.toml.md.
func settings(spec BuilderSpec) io.Reader {
	var text strings.Builder
	text.WriteString("insecure-entitlements = [\"network.host\"]\n")
	for _, one := range spec.Insecure {
		fmt.Fprintf(&text, "[registry.%q]\nhttp = true\ninsecure = true\n", one)
	}
	var archive bytes.Buffer
	writer := tar.NewWriter(&archive)
	for _, header := range []*tar.Header{
		{Typeflag: tar.TypeDir, Name: "etc/buildkit/", Mode: 0o755},
		{Typeflag: tar.TypeReg, Name: "etc/buildkit/buildkitd.toml", Mode: 0o644, Size: int64(text.Len())},
	} {
		_ = writer.WriteHeader(header) // into memory
	}
	_, _ = io.WriteString(writer, text.String())
	_ = writer.Close()
	return &archive
}

// builderStart is how long a builder may take from its start until it answers.
const builderStart = time.Minute

// awaitBuilder connects as soon as buildkitd answers, and gives up when it has
// ended.
func (e *Engine) awaitBuilder(ctx context.Context, builder *Builder, id string) error {
	ctx, cancel := context.WithTimeout(ctx, builderStart)
	defer cancel()
	for {
		err := builder.connect(ctx, client.WithContextDialer(e.dialContainer(id)))
		if err == nil {
			return nil
		}
		info, inspectErr := e.docker.ContainerInspect(context.WithoutCancel(ctx), id)
		if inspectErr != nil || !info.State.Running {
			return errors.Join(errors.New("buildkitd has ended"), inspectErr, e.lastWords(ctx, id))
		}
		select {
		case <-time.After(100 * time.Millisecond):
		case <-ctx.Done():
			return errors.Join(err, e.lastWords(ctx, id))
		}
	}
}

// lastWords is the end of a container's log, as an error.
func (e *Engine) lastWords(ctx context.Context, id string) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	stream, err := e.docker.ContainerLogs(ctx, id, container.LogsOptions{ShowStdout: true, ShowStderr: true, Tail: "5"})
	if err != nil {
		return nil // there is something better to report
	}
	defer func() { _ = stream.Close() }()
	var text bytes.Buffer
	_, _ = stdcopy.StdCopy(&text, &text, io.LimitReader(stream, 1<<16))
	if text.Len() == 0 {
		return nil
	}
	return errors.New(strings.TrimSpace(text.String()))
}

// dialContainer opens a stream to the buildkitd in a container by the command
// that its image has for that.
func (e *Engine) dialContainer(name string) func(context.Context, string) (net.Conn, error) {
	return func(ctx context.Context, _ string) (net.Conn, error) {
		created, err := e.docker.ContainerExecCreate(ctx, name, container.ExecOptions{
			Cmd: []string{"buildctl", "dial-stdio"}, AttachStdin: true, AttachStdout: true, AttachStderr: true,
		})
		if err != nil {
			return nil, err
		}
		// The stream lives as long as the connection, not as the dialling.
		stream, err := e.docker.ContainerExecAttach(context.WithoutCancel(ctx), created.ID, container.ExecAttachOptions{})
		if err != nil {
			return nil, err
		}
		return newExecConn(stream), nil
	}
}

// execConn is the standard streams of a process as a connection.
type execConn struct {
	net.Conn
	stream types.HijackedResponse
	output *io.PipeReader
	// failed is what the process said on standard error, read when output ends.
	failed bytes.Buffer
	once   sync.Once
}

func newExecConn(stream types.HijackedResponse) *execConn {
	output, writer := io.Pipe()
	conn := &execConn{Conn: stream.Conn, stream: stream, output: output}
	go func() {
		_, err := stdcopy.StdCopy(writer, &conn.failed, stream.Reader)
		if text := strings.TrimSpace(conn.failed.String()); text != "" {
			err = errors.New(text)
		}
		_ = writer.CloseWithError(err)
	}()
	return conn
}

func (c *execConn) Read(buffer []byte) (int, error) { return c.output.Read(buffer) }

func (c *execConn) Close() error {
	c.once.Do(func() {
		_ = c.output.Close()
		c.stream.Close()
	})
	return nil
}
