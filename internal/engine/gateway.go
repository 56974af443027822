package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/docker/docker/api/types/network"

	"github.com/guk0/travois/internal/compose"
)

// hostGateway stands in extra_hosts for the address of the engine's machine.
const hostGateway = "host-gateway"

// gatewayLabel is where an engine's BuildKit tells that address, from Engine 23
// on. Source: moby/moby, daemon/internal/builder-next/worker/label.
const gatewayLabel = "org.mobyproject.buildkit.worker.moby.host-gateway-ip"

// atGateway puts the machine's address into a build's extra hosts. BuildKit
// takes addresses alone.
func (b *Builder) atGateway(ctx context.Context, build compose.Build) (compose.Build, error) {
	if !wantsGateway(build) {
		return build, nil
	}
	address, err := b.gatewayAddress(ctx)
	if err != nil {
		return build, fmt.Errorf("build.extra_hosts: %s: %w", hostGateway, err)
	}
	build.ExtraHosts = slices.Clone(build.ExtraHosts)
	for i, one := range build.ExtraHosts {
		if name, is := strings.CutSuffix(one, "="+hostGateway); is {
			build.ExtraHosts[i] = name + "=" + address
		}
	}
	return build, nil
}

func wantsGateway(build compose.Build) bool {
	return slices.ContainsFunc(build.ExtraHosts, func(one string) bool { return strings.HasSuffix(one, "="+hostGateway) })
}

// gatewayAddress is what the builder tells, else the address that the machine
// has in the network of the engine's builds.
func (b *Builder) gatewayAddress(ctx context.Context) (string, error) {
	if b.gateway != "" {
		return b.gateway, nil
	}
	found, err := b.store.docker.NetworkInspect(ctx, "bridge", network.InspectOptions{})
	if err != nil {
		return "", err
	}
	for _, one := range found.IPAM.Config {
		if one.Gateway != "" {
			return one.Gateway, nil
		}
	}
	return "", errors.New("the engine's network has no gateway")
}
