package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/containerd/errdefs"
	"github.com/docker/cli/cli/config/types"
	"github.com/docker/docker/api/types/image"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth/authprovider"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/tonistiigi/fsutil"
	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/compose"
)

// Image is one image to build.
type Image struct {
	Build compose.Build
	// Names are the references that it gets in the engine.
	Names []string
	// Secrets are what RUN --mount=type=secret may read, by id.
	Secrets map[string][]byte
	// Output takes BuildKit's progress as text.
	Output io.Writer
}

// Built is an image that was built.
type Built struct {
	Service string
	// ID is the image's in the engine, "sha256:…".
	ID string
	// Size is in bytes, uncompressed.
	Size int64
	// Steps counts the Dockerfile's steps, Cached those that were not run.
	Steps, Cached int
	Duration      time.Duration
}

// LoginFunc gives the login for a registry's host, false if there is none.
type LoginFunc func(host string) (username, password string, ok bool)

// Build builds images side by side on one connection to BuildKit, each to its
// end: the error tells of all that failed. Bases are pulled with the logins.
func (e *Engine) Build(ctx context.Context, images []Image, logins LoginFunc) ([]Built, error) {
	buildkit, err := client.New(ctx, "", client.WithContextDialer(e.dialBuildKit), client.WithSessionDialer(e.dialSession))
	if err != nil {
		return nil, fmt.Errorf("connect to BuildKit in engine %s: %w", e.Version, err)
	}
	defer func() { _ = buildkit.Close() }()
	built := make([]Built, len(images))
	problems := make([]error, len(images))
	var group errgroup.Group
	for i, one := range images {
		group.Go(func() error {
			built[i], problems[i] = e.buildOne(ctx, buildkit, one, logins)
			return nil
		})
	}
	return built, errors.Join(group.Wait(), errors.Join(problems...))
}

func (e *Engine) buildOne(ctx context.Context, buildkit *client.Client, one Image, logins LoginFunc) (Built, error) {
	built := Built{Service: one.Build.Service}
	options, err := solveOptions(one, logins)
	if err != nil {
		return built, fmt.Errorf("build %q: %w", one.Build.Service, err)
	}
	started := time.Now()
	progress := newProgress(one.Output)
	var response *client.SolveResponse
	var group errgroup.Group
	group.Go(func() error {
		var err error
		response, err = buildkit.Solve(ctx, nil, options, progress.updates)
		return err
	})
	group.Go(func() error { return progress.show(ctx) })
	if err := group.Wait(); err != nil && ctx.Err() != nil {
		return built, fmt.Errorf("build %q: %w", one.Build.Service, ctx.Err())
	} else if err != nil {
		return built, fmt.Errorf("build %q: %w", one.Build.Service, plain(err))
	}
	built.Duration = time.Since(started)
	built.Steps, built.Cached = progress.count()
	built.ID = imageID(response.ExporterResponse)
	info, err := e.docker.ImageInspect(ctx, built.ID)
	if err != nil {
		return built, fmt.Errorf("build %q: the engine has no image %s after the build: %w", one.Build.Service, built.ID, err)
	}
	built.Size = info.Size
	return built, nil
}

// imageID is the result's in the engine. The containerd store knows images by
// manifest digest; the classic store by configuration digest, and gives that
// out as containerimage.digest.
func imageID(response map[string]string) string { return response["containerimage.digest"] }

func solveOptions(one Image, logins LoginFunc) (client.SolveOpt, error) {
	build := one.Build
	mounts, err := mounts(build)
	if err != nil {
		return client.SolveOpt{}, err
	}
	export := map[string]string{}
	if len(one.Names) > 0 {
		export["name"] = strings.Join(one.Names, ",")
	}
	return client.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: frontendAttrs(build),
		LocalMounts:   mounts,
		SharedKey:     sharedKey(build),
		Session: []session.Attachable{
			authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{AuthConfigProvider: logins.provide}),
			secretsprovider.FromMap(one.Secrets),
		},
		Exports: []client.ExportEntry{{Type: "moby", Attrs: export}},
	}, nil
}

func mounts(build compose.Build) (map[string]fsutil.FS, error) {
	contextFS, err := fsutil.NewFS(build.Context)
	if err != nil {
		return nil, fmt.Errorf("context %s: %w", build.Context, err)
	}
	dockerfileFS, err := fsutil.NewFS(filepath.Dir(build.Dockerfile))
	if err != nil {
		return nil, fmt.Errorf("dockerfile %s: %w", build.Dockerfile, err)
	}
	return map[string]fsutil.FS{"context": contextFS, "dockerfile": dockerfileFS}, nil
}

// sharedKey lets a later build of the same folder send only what changed.
func sharedKey(build compose.Build) string {
	sum := sha256.Sum256([]byte(build.Service + "\x00" + build.Context))
	return hex.EncodeToString(sum[:])
}

// frontendAttrs are the options of BuildKit's dockerfile frontend. Source:
// moby/buildkit, frontend/dockerui/config.go.
func frontendAttrs(build compose.Build) map[string]string {
	attrs := map[string]string{"filename": filepath.Base(build.Dockerfile)}
	for name, value := range build.Args {
		attrs["build-arg:"+name] = value
	}
	for name, value := range build.Labels {
		attrs["label:"+name] = value
	}
	set := func(key, value string, wanted bool) {
		if wanted {
			attrs[key] = value
		}
	}
	set("target", build.Target, build.Target != "")
	set("no-cache", "", build.NoCache)
	set("image-resolve-mode", "pull", build.Pull)
	set("add-hosts", strings.Join(build.ExtraHosts, ","), len(build.ExtraHosts) > 0)
	set("force-network-mode", build.Network, build.Network != "" && build.Network != "default")
	set("shm-size", strconv.FormatInt(build.ShmSize, 10), build.ShmSize > 0)
	return attrs
}

func (logins LoginFunc) provide(_ context.Context, host string, _ []string, _ authprovider.ExpireCachedAuthCheck) (types.AuthConfig, error) {
	if logins == nil {
		return types.AuthConfig{}, nil
	}
	username, password, _ := logins(host)
	return types.AuthConfig{Username: username, Password: password, ServerAddress: host}, nil
}

// RemoveImages takes names away from images, and the images with their last
// name, also when the context has ended. One that is not there is no error.
func (e *Engine) RemoveImages(ctx context.Context, names []string) error {
	ctx, cancel := cleanup(ctx)
	defer cancel()
	var problems []error
	for _, name := range names {
		_, err := e.docker.ImageRemove(ctx, name, image.RemoveOptions{Force: true, PruneChildren: true})
		if err != nil && !errdefs.IsNotFound(err) {
			problems = append(problems, fmt.Errorf("remove image %q: %w", name, err))
		}
	}
	return errors.Join(problems...)
}
