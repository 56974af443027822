package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/container"
	"github.com/docker/docker/api/types/mount"
	"github.com/docker/docker/api/types/network"
	"github.com/docker/docker/api/types/strslice"
	"github.com/docker/docker/api/types/versions"
	"github.com/docker/go-units"
)

// Container is what a container runs.
type Container struct {
	// Image is a name or ID that the engine has.
	Image string
	// Platform is as "linux/amd64", "" for the engine's own.
	Platform string
	// Entrypoint and Command replace the image's; nil keeps them.
	Entrypoint, Command []string
	// Env is "KEY=VALUE" each.
	Env                        []string
	WorkingDir, User, Hostname string
	// Labels mark it for Sweep.
	Labels map[string]string
	// Networks are those that it joins; without any, the engine's default.
	Networks []Attachment
	// ExtraHosts are "name:address".
	ExtraHosts []string
	Volumes    []Volume
	// Tmpfs are mount options by target.
	Tmpfs map[string]string
	// The limits are in bytes, billionths of a processor and processes; 0 is
	// none.
	Memory, MemoryReservation, MemorySwap, ShmSize int64
	NanoCPUs, PidsLimit                            int64
	// Init runs it below a small init process; nil is the engine's default.
	Init                      *bool
	ReadOnly                  bool
	CapAdd, CapDrop, GroupAdd []string
	Sysctls                   map[string]string
	Ulimits                   map[string]Ulimit
	DNS                       []string
	StopSignal                string
	// Health replaces the image's check; nil keeps it.
	Health *Health
}

// Attachment is a container's place in a network.
type Attachment struct {
	// Network is a name or ID.
	Network string
	// Aliases are further names that others in it find the container by.
	Aliases []string
}

// Volume is a volume in a container. One without a name is anonymous and goes
// with the container.
type Volume struct {
	Name, Target string
	ReadOnly     bool
}

// Ulimit is a limit of setrlimit(2).
type Ulimit struct{ Soft, Hard int64 }

// Health is a health check.
type Health struct {
	// Test is as in the engine's API: CMD or CMD-SHELL and what follows, or
	// NONE.
	Test []string
	// Zero keeps the engine's default.
	Interval, Timeout, StartPeriod, StartInterval time.Duration
	Retries                                       int
}

// startInterval is the first version of the API that has Health.StartInterval.
const startInterval = "1.44"

// Create makes a container and does not start it. A cancellation is ignored
// while it does: the engine makes a container whether or not somebody waits
// for its ID, and without the ID it could not be removed.
func (e *Engine) Create(ctx context.Context, spec Container) (*Instance, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("create the container: %w", err)
	}
	if err := e.Check(spec); err != nil {
		return nil, fmt.Errorf("create the container: %w", err)
	}
	platform, err := platform(spec.Platform)
	if err != nil {
		return nil, fmt.Errorf("create the container: %w", err)
	}
	uncancelled := context.WithoutCancel(ctx)
	created, err := e.docker.ContainerCreate(uncancelled, config(spec), hostConfig(spec), networking(spec), platform, "")
	if err != nil {
		return nil, fmt.Errorf("create the container: %w", err)
	}
	instance := &Instance{ID: created.ID, engine: e}
	if err := e.join(uncancelled, created.ID, spec.Networks); err != nil {
		return nil, errors.Join(err, instance.Remove(ctx))
	}
	return instance, nil
}

// Check tells what of a container this engine can't do.
func (e *Engine) Check(spec Container) error {
	if spec.Health != nil && spec.Health.StartInterval > 0 && versions.LessThan(e.docker.ClientVersion(), startInterval) {
		return fmt.Errorf("healthcheck.start_interval needs engine 25, this is %s; remove it", e.Version)
	}
	return nil
}

// join attaches a container to its networks but the first, which engines
// before API 1.44 take alone when it is made.
func (e *Engine) join(ctx context.Context, id string, networks []Attachment) error {
	for i, one := range networks {
		if i == 0 {
			continue
		}
		settings := &network.EndpointSettings{Aliases: one.Aliases}
		if err := e.docker.NetworkConnect(ctx, one.Network, id, settings); err != nil {
			return fmt.Errorf("join the network %s: %w", one.Network, err)
		}
	}
	return nil
}

func config(spec Container) *container.Config {
	return &container.Config{
		Image: spec.Image, Entrypoint: strslice.StrSlice(spec.Entrypoint), Cmd: strslice.StrSlice(spec.Command), Env: spec.Env,
		WorkingDir: spec.WorkingDir, User: spec.User, Hostname: spec.Hostname, Labels: spec.Labels, StopSignal: spec.StopSignal,
		Healthcheck: spec.Health.config(), AttachStdout: true, AttachStderr: true,
	}
}

func (h *Health) config() *container.HealthConfig {
	if h == nil {
		return nil
	}
	return &container.HealthConfig{
		Test: h.Test, Interval: h.Interval, Timeout: h.Timeout, StartPeriod: h.StartPeriod, StartInterval: h.StartInterval, Retries: h.Retries,
	}
}

func hostConfig(spec Container) *container.HostConfig {
	host := &container.HostConfig{
		ExtraHosts: spec.ExtraHosts, Tmpfs: spec.Tmpfs, ShmSize: spec.ShmSize, Init: spec.Init, ReadonlyRootfs: spec.ReadOnly,
		CapAdd: spec.CapAdd, CapDrop: spec.CapDrop, GroupAdd: spec.GroupAdd, Sysctls: spec.Sysctls, DNS: spec.DNS,
	}
	host.Resources = container.Resources{
		Memory: spec.Memory, MemoryReservation: spec.MemoryReservation, MemorySwap: spec.MemorySwap, NanoCPUs: spec.NanoCPUs,
	}
	if spec.PidsLimit != 0 {
		host.PidsLimit = &spec.PidsLimit
	}
	for name, limit := range spec.Ulimits {
		host.Ulimits = append(host.Ulimits, &units.Ulimit{Name: name, Soft: limit.Soft, Hard: limit.Hard})
	}
	slices.SortFunc(host.Ulimits, func(a, b *units.Ulimit) int { return strings.Compare(a.Name, b.Name) })
	for _, volume := range spec.Volumes {
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeVolume, Source: volume.Name, Target: volume.Target, ReadOnly: volume.ReadOnly})
	}
	if len(spec.Networks) > 0 {
		host.NetworkMode = container.NetworkMode(spec.Networks[0].Network)
	}
	return host
}

func networking(spec Container) *network.NetworkingConfig {
	if len(spec.Networks) == 0 {
		return nil
	}
	first := spec.Networks[0]
	return &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{
		first.Network: {Aliases: first.Aliases},
	}}
}
