package eblocal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// composeRunner runs instances with the command lines of Docker and Compose.
type composeRunner struct {
	id  string   // the environment's, for labels
	env []string // of the commands
}

// A command that was cancelled gets this long to end by itself.
const killDelay = 5 * time.Second

// passed are the variables that the engine's client may see. All others are
// withheld, since Compose would fill ${…} in a bundle from them.
var passed = []string{"PATH", "HOME", "USER", "TMPDIR", "XDG_RUNTIME_DIR", "SSH_AUTH_SOCK",
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy"}

func newComposeRunner(id string, environ []string) *composeRunner {
	var env []string
	for _, line := range environ {
		name, _, _ := strings.Cut(line, "=")
		if slices.Contains(passed, name) || strings.HasPrefix(name, "DOCKER_") {
			env = append(env, line)
		}
	}
	return &composeRunner{id: id, env: env}
}

// Start pulls what is to be pulled and brings the project up.
func (r *composeRunner) Start(ctx context.Context, l Launch) error {
	compose, err := r.compose(ctx)
	if err != nil {
		return err
	}
	if err := r.pullAll(ctx, l); err != nil {
		return err
	}
	args := append(compose, "-p", l.Name, "--project-directory", l.Dir, "-f", l.File, "up", "-d")
	if l.Build {
		args = append(args, "--build")
	}
	if _, err := r.run(ctx, l.Env, args...); err != nil {
		return fmt.Errorf("docker compose up failed: %w", err)
	}
	return nil
}

// compose is the command that Compose answers to: Docker's plugin, or the
// program of its own that came before it.
func (r *composeRunner) compose(ctx context.Context) ([]string, error) {
	if _, err := r.run(ctx, nil, "docker", "compose", "version"); err == nil {
		return []string{"docker", "compose"}, nil
	}
	if _, err := r.run(ctx, nil, "docker-compose", "version"); err != nil {
		return nil, errors.New("no Docker Compose: install the plugin (docker compose) or docker-compose 1.29")
	}
	return []string{"docker-compose"}, nil
}

// pullAll pulls the images side by side, as a new machine would have to.
func (r *composeRunner) pullAll(ctx context.Context, l Launch) error {
	errs := make([]error, len(l.Images))
	var wg sync.WaitGroup
	for i, image := range l.Images {
		wg.Go(func() { errs[i] = r.pull(ctx, image, l.Warning) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

// pull pulls an image. One that can't be pulled but is there is used, with a
// warning: on AWS it would not be there.
func (r *composeRunner) pull(ctx context.Context, image string, warn func(string)) error {
	_, missing := r.run(ctx, nil, "docker", "image", "inspect", "--format", "{{.Id}}", image)
	if missing == nil && strings.Contains(image, "@") {
		return nil // a digest names one image for ever
	}
	_, err := r.run(ctx, nil, "docker", "pull", "-q", image)
	if err == nil {
		return nil
	}
	if missing == nil && ctx.Err() == nil {
		warn(fmt.Sprintf("Image %q could not be pulled; the one that is on this machine is used: %v", image, err))
		return nil
	}
	return fmt.Errorf("failed to pull image %q: %w", image, err)
}

func (r *composeRunner) run(ctx context.Context, extra []string, args ...string) (string, error) {
	return r.output(ctx, extra, false, args...)
}

// output runs a command. Its error is the command's own words: the last lines of
// what it wrote to stderr.
func (r *composeRunner) output(ctx context.Context, extra []string, both bool, args ...string) (string, error) {
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Env = append(slices.Clone(r.env), extra...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if both {
		cmd.Stderr = &stdout
	}
	cmd.WaitDelay = killDelay
	err := cmd.Run()
	if err == nil || ctx.Err() != nil {
		return stdout.String(), errors.Join(err, context.Cause(ctx))
	}
	if words := lastLines(stderr.String()); words != "" {
		err = errors.New(words)
	}
	return stdout.String(), err
}
