package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/pkg/stdcopy"
)

// Instance is a container in the engine.
type Instance struct {
	// ID is the engine's.
	ID string

	engine *Engine
	// waiting is set by Start, exit and failed before ended is closed.
	waiting bool
	ended   chan struct{}
	exit    Exit
	failed  error
}

// Exit is how a container ended.
type Exit struct {
	Code int
	// OOMKilled tells that the kernel killed a process in it for want of
	// memory.
	OOMKilled bool
	// Error is the engine's, mostly empty.
	Error string
}

// StartError is a container that could not be started.
type StartError struct {
	// Code is what docker run would end with: 127 for a command that is not
	// there, 126 for one that can't be executed, else 125.
	Code int
	Err  error
}

func (e *StartError) Error() string {
	return fmt.Sprintf("start the container (exit code %d, as docker run would end): %v", e.Code, e.Err)
}
func (e *StartError) Unwrap() error { return e.Err }

// Start starts the container. Output takes standard output and error, to the
// last byte before Wait returns. The container outlives the context.
func (i *Instance) Start(ctx context.Context, output io.Writer) error {
	lasting := context.WithoutCancel(ctx)
	attached, err := i.engine.docker.ContainerAttach(lasting, i.ID, container.AttachOptions{Stream: true, Stdout: true, Stderr: true})
	if err != nil {
		return fmt.Errorf("attach to the container: %w", err)
	}
	copied := make(chan error, 1)
	go func() {
		defer attached.Close()
		_, err := stdcopy.StdCopy(output, output, attached.Reader)
		copied <- err
	}()
	done, failed := i.engine.docker.ContainerWait(lasting, i.ID, container.WaitConditionNextExit)
	if err := i.engine.docker.ContainerStart(ctx, i.ID, container.StartOptions{}); err != nil {
		attached.Close()
		return &StartError{startCode(err), err}
	}
	i.ended, i.waiting = make(chan struct{}), true
	go func() {
		defer close(i.ended)
		i.failed = i.await(lasting, done, failed, copied)
	}()
	return nil
}

// startCodes are how runc says what is wrong with a command. Source:
// docker/cli, cli/command/container/run.go, toStatusError.
var startCodes = []struct {
	text *regexp.Regexp
	code int
}{
	{regexp.MustCompile(`executable file not found|no such file or directory|system cannot find the file`), 127},
	{regexp.MustCompile(`permission denied|is a directory|exec format error|not a directory`), 126},
}

func startCode(err error) int {
	for _, one := range startCodes {
		if one.text.MatchString(strings.ToLower(err.Error())) {
			return one.code
		}
	}
	return 125
}

func (i *Instance) await(ctx context.Context, done <-chan container.WaitResponse, failed <-chan error, copied <-chan error) error {
	select {
	case result := <-done:
		i.exit.Code = int(result.StatusCode)
		if result.Error != nil {
			i.exit.Error = result.Error.Message
		}
	case err := <-failed:
		return fmt.Errorf("wait for the container: %w", err)
	}
	if err := <-copied; err != nil {
		return fmt.Errorf("read the container's output: %w", err)
	}
	info, err := i.engine.docker.ContainerInspect(ctx, i.ID)
	if err != nil {
		return fmt.Errorf("inspect the container: %w", err)
	}
	i.exit.OOMKilled = info.State.OOMKilled
	return nil
}

// Wait waits until a started container has ended and all its output was
// written. Several may wait.
func (i *Instance) Wait(ctx context.Context) (Exit, error) {
	if !i.waiting {
		return Exit{}, errors.New("wait for the container: it was not started")
	}
	select {
	case <-i.ended:
		return i.exit, i.failed
	case <-ctx.Done():
		return Exit{}, ctx.Err()
	}
}

// Kill ends the container by SIGKILL. One that does not run is left as it is.
func (i *Instance) Kill(ctx context.Context) error {
	err := i.engine.docker.ContainerKill(ctx, i.ID, "SIGKILL")
	if err != nil && !errdefs.IsNotFound(err) && !errdefs.IsConflict(err) {
		return fmt.Errorf("kill the container: %w", err)
	}
	return nil
}

// Remove removes the container, running or not, with its anonymous volumes,
// also when the context has ended.
func (i *Instance) Remove(ctx context.Context) error { return i.engine.remove(ctx, i.ID) }

// CopyIn unpacks a tar stream into a folder of the container, which need not
// be there.
func (i *Instance) CopyIn(ctx context.Context, dir string, stream io.Reader) error {
	there, missing, err := i.deepest(ctx, path.Clean(dir))
	if err != nil {
		return fmt.Errorf("copy into the container: %w", err)
	}
	whole := below(missing, stream)
	defer func() { _ = whole.Close() }()
	if err := i.engine.docker.CopyToContainer(ctx, i.ID, there, whole, container.CopyToContainerOptions{}); err != nil {
		return fmt.Errorf("copy into the container: %w", err)
	}
	return nil
}

// deepest splits a path into the folder that the container has and the rest.
func (i *Instance) deepest(ctx context.Context, dir string) (there, missing string, err error) {
	for there = dir; there != "/"; there = path.Dir(there) {
		_, err := i.engine.docker.ContainerStatPath(ctx, i.ID, there)
		if err == nil {
			break
		}
		if !errdefs.IsNotFound(err) {
			return "", "", err
		}
		missing = path.Join(path.Base(there), missing)
	}
	return there, missing, nil
}

// Has tells whether there is a file or a folder in the container.
func (i *Instance) Has(ctx context.Context, name string) (bool, error) {
	_, err := i.engine.docker.ContainerStatPath(ctx, i.ID, name)
	if errdefs.IsNotFound(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for %s in the container: %w", name, err)
	}
	return true, nil
}

// CopyOut is a tar stream of a file or a folder of the container, running or
// not. The error is fs.ErrNotExist where there is none.
func (i *Instance) CopyOut(ctx context.Context, name string) (io.ReadCloser, error) {
	stream, _, err := i.engine.docker.CopyFromContainer(ctx, i.ID, name)
	if errdefs.IsNotFound(err) {
		return nil, fmt.Errorf("copy %s out of the container: %w", name, fs.ErrNotExist)
	}
	if err != nil {
		return nil, fmt.Errorf("copy %s out of the container: %w", name, err)
	}
	return stream, nil
}

// Unhealthy is a container whose check fails for good.
type Unhealthy struct {
	// Probe is what the last check printed, Code what it ended with.
	Probe string
	Code  int
}

func (u *Unhealthy) Error() string {
	text := fmt.Sprintf("is unhealthy: its healthcheck ends with %d", u.Code)
	if u.Probe != "" {
		text += ": " + u.Probe
	}
	return text
}

// longestProbe is how much of a check's output is told, in bytes.
const longestProbe = 1 << 10

// The health of a container is asked for often at first, then at leisure.
const (
	firstAsk = 100 * time.Millisecond
	lastAsk  = time.Second
)

// AwaitHealthy waits until a started container is healthy. It fails when the
// container is unhealthy, when it ends before, and when it has no check.
func (i *Instance) AwaitHealthy(ctx context.Context) error {
	for pause := firstAsk; ; pause = min(lastAsk, pause*3/2) {
		healthy, err := i.healthy(ctx)
		if healthy || err != nil {
			return err
		}
		select {
		case <-time.After(pause):
		case <-i.ended:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (i *Instance) healthy(ctx context.Context) (bool, error) {
	info, err := i.engine.docker.ContainerInspect(ctx, i.ID)
	if err != nil {
		return false, fmt.Errorf("inspect the container: %w", err)
	}
	if !info.State.Running {
		return false, fmt.Errorf("ended with exit code %d before it was healthy", info.State.ExitCode)
	}
	health := info.State.Health
	if health == nil || health.Status == container.NoHealthcheck {
		return false, errors.New("has no healthcheck")
	}
	if health.Status != container.Unhealthy {
		return health.Status == container.Healthy, nil
	}
	failed := &Unhealthy{}
	if count := len(health.Log); count > 0 {
		last := health.Log[count-1]
		said := strings.TrimSpace(last.Output)
		failed.Code, failed.Probe = last.ExitCode, strings.ToValidUTF8(said[:min(len(said), longestProbe)], "?")
	}
	return false, failed
}
