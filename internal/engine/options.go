package engine

import (
	"context"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/cli/cli/config/types"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth/authprovider"
	"github.com/moby/buildkit/util/entitlements"

	"github.com/guk0/travois/internal/compose"
)

func solveOptions(build compose.Build, through *session.Session) client.SolveOpt {
	options := client.SolveOpt{
		Frontend:              "dockerfile.v0",
		FrontendAttrs:         frontendAttrs(build),
		SharedSession:         through,
		SessionPreInitialized: true,
		CacheImports:          cacheOptions(build.CacheFrom),
		CacheExports:          cacheOptions(build.CacheTo),
	}
	if build.Network == "host" {
		options.AllowedEntitlements = []string{entitlements.EntitlementNetworkHost.String()}
	}
	return options
}

func cacheOptions(from []compose.Cache) []client.CacheOptionsEntry {
	var all []client.CacheOptionsEntry
	for _, one := range from {
		all = append(all, client.CacheOptionsEntry{Type: one.Type, Attrs: one.Attrs})
	}
	return all
}

// resolveMode is the option that says where images are looked up. An engine's
// own images come first, as with docker build: one with the containerd store
// would ask the registry first by itself. Source: moby/buildkit,
// util/resolver/pool.go.
const resolveMode = "image-resolve-mode"

// frontendAttrs are the options of BuildKit's dockerfile frontend. Source:
// moby/buildkit, frontend/dockerui/config.go.
func frontendAttrs(build compose.Build) map[string]string {
	attrs := map[string]string{"filename": inlineName}
	for name, value := range build.Args {
		attrs["build-arg:"+name] = value
	}
	for name, value := range build.Labels {
		attrs["label:"+name] = value
	}
	for name, from := range build.Contexts {
		if filepath.IsAbs(from) {
			from = "local:" + contextName(from)
		}
		attrs["context:"+name] = from
	}
	set := func(key, value string, wanted bool) {
		if wanted {
			attrs[key] = value
		}
	}
	set("filename", filepath.Base(build.Dockerfile), build.Inline == "" && !build.Remote())
	set("filename", build.Dockerfile, build.Inline == "" && build.Remote())
	set("context", build.Context, build.Remote())
	set("dockerfilekey", dockerfileName(build), !build.Remote() || build.Inline != "")
	set("target", build.Target, build.Target != "")
	set("no-cache", strings.Join(build.NoCacheStages, ","), len(build.NoCacheStages) > 0)
	set("no-cache", "", build.NoCache)
	set(resolveMode, "pull", build.Pull)
	set("add-hosts", strings.Join(build.ExtraHosts, ","), len(build.ExtraHosts) > 0)
	set("force-network-mode", build.Network, build.Network != "" && build.Network != "default")
	set("shm-size", strconv.FormatInt(build.ShmSize, 10), build.ShmSize > 0)
	set("ulimit", ulimits(build.Ulimits), len(build.Ulimits) > 0)
	set("platform", strings.Join(build.Platforms, ","), len(build.Platforms) > 0)
	set("attest:provenance", provenance(build.Provenance), asked(build.Provenance))
	set("attest:sbom", sbom(build.SBOM), asked(build.SBOM))
	return attrs
}

// ulimits are "name=soft:hard", joined.
func ulimits(all map[string]string) string {
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		pairs = append(pairs, name+"="+all[name])
	}
	return strings.Join(pairs, ",")
}

// provenance is the parameters of one. BuildKit's own default is mode=max,
// which publishes the values of build arguments with the image: who wants that
// says so.
func provenance(value string) string {
	if value == "true" {
		return "mode=min"
	}
	return value
}

// sbom is the parameters of one; "true" has none.
func sbom(value string) string {
	if value == "true" {
		return ""
	}
	return value
}

func (logins LoginFunc) provide(ctx context.Context, host string, _ []string, _ authprovider.ExpireCachedAuthCheck) (types.AuthConfig, error) {
	if logins == nil {
		return types.AuthConfig{}, nil
	}
	username, password, err := logins(ctx, host)
	return types.AuthConfig{Username: username, Password: password, ServerAddress: host}, err
}
