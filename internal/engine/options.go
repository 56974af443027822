package engine

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/docker/cli/cli/config/types"
	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/session"
	"github.com/moby/buildkit/session/auth/authprovider"
	"github.com/moby/buildkit/session/secrets/secretsprovider"
	"github.com/moby/buildkit/session/sshforward/sshprovider"
	"github.com/moby/buildkit/util/entitlements"
	"github.com/tonistiigi/fsutil"

	"github.com/guk0/travois/internal/compose"
)

func solveOptions(one Image, logins LoginFunc) (client.SolveOpt, error) {
	build := one.Build
	mounts, err := mounts(build)
	if err != nil {
		return client.SolveOpt{}, err
	}
	attached, err := attachables(one, logins)
	if err != nil {
		return client.SolveOpt{}, err
	}
	options := client.SolveOpt{
		Frontend:      "dockerfile.v0",
		FrontendAttrs: frontendAttrs(build),
		LocalMounts:   mounts,
		SharedKey:     sharedKey(build),
		Session:       attached,
		CacheImports:  cacheOptions(build.CacheFrom),
		CacheExports:  cacheOptions(build.CacheTo),
	}
	if build.Network == "host" {
		options.AllowedEntitlements = []string{entitlements.EntitlementNetworkHost.String()}
	}
	return options, nil
}

// attachables are what BuildKit asks back for while it builds.
func attachables(one Image, logins LoginFunc) ([]session.Attachable, error) {
	secrets := maps.Clone(one.Build.Secrets)
	if secrets == nil {
		secrets = map[string][]byte{}
	}
	maps.Copy(secrets, one.Secrets)
	all := []session.Attachable{
		authprovider.NewDockerAuthProvider(authprovider.DockerAuthProviderConfig{AuthConfigProvider: logins.provide}),
		secretsprovider.FromMap(secrets),
	}
	if len(one.Build.SSH) == 0 {
		return all, nil
	}
	var keys []sshprovider.AgentConfig
	for _, id := range slices.Sorted(maps.Keys(one.Build.SSH)) {
		keys = append(keys, sshprovider.AgentConfig{ID: id, Paths: []string{one.Build.SSH[id]}})
	}
	provider, err := sshprovider.NewSSHAgentProvider(keys)
	if err != nil {
		return nil, fmt.Errorf("build.ssh: %w", err)
	}
	return append(all, provider), nil
}

func cacheOptions(from []compose.Cache) []client.CacheOptionsEntry {
	var all []client.CacheOptionsEntry
	for _, one := range from {
		all = append(all, client.CacheOptionsEntry{Type: one.Type, Attrs: one.Attrs})
	}
	return all
}

// mounts are the folders that BuildKit reads, by the names that it knows them
// by. An address it fetches by itself.
func mounts(build compose.Build) (map[string]fsutil.FS, error) {
	folders := map[string]string{}
	if !build.Remote() {
		folders[localContext] = build.Context
		if build.Inline == "" {
			folders[localDockerfile] = filepath.Dir(build.Dockerfile)
		}
	}
	for name, from := range build.Contexts {
		if filepath.IsAbs(from) {
			folders[localNamed(name)] = from
		}
	}
	all := map[string]fsutil.FS{}
	for name, folder := range folders {
		opened, err := fsutil.NewFS(folder)
		if err != nil {
			return nil, fmt.Errorf("folder %s: %w", folder, err)
		}
		all[name] = opened
	}
	if build.Inline != "" {
		all[localDockerfile] = inline(build.Inline)
	}
	return all, nil
}

// The names of what is sent. Source: moby/buildkit, frontend/dockerui/config.go.
const (
	localContext    = "context"
	localDockerfile = "dockerfile"
)

func localNamed(name string) string { return "context-" + name }

// sharedKey lets a later build of the same folder send only what changed.
func sharedKey(build compose.Build) string {
	sum := sha256.Sum256([]byte(build.Service + "\x00" + build.Context))
	return hex.EncodeToString(sum[:])
}

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
			from = "local:" + localNamed(name)
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
	set("target", build.Target, build.Target != "")
	set("no-cache", "", build.NoCache)
	set("image-resolve-mode", "pull", build.Pull)
	set("add-hosts", strings.Join(build.ExtraHosts, ","), len(build.ExtraHosts) > 0)
	set("force-network-mode", build.Network, build.Network != "" && build.Network != "default")
	set("shm-size", strconv.FormatInt(build.ShmSize, 10), build.ShmSize > 0)
	set("ulimit", ulimits(build.Ulimits), len(build.Ulimits) > 0)
	set("platform", strings.Join(build.Platforms, ","), len(build.Platforms) > 0)
	set("attest:provenance", attestation(build.Provenance), asked(build.Provenance))
	set("attest:sbom", attestation(build.SBOM), asked(build.SBOM))
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

// attestation is the parameters of one; "true" has none.
func attestation(value string) string {
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
