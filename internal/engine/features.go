package engine

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/buildkit/session/sshforward/sshprovider"

	"github.com/guk0/travois/internal/compose"
)

// Refusals tells what of a build this builder can't do, one error a key. An
// engine that is asked all the same would leave most of it out in silence.
func (b *Builder) Refusals(build compose.Build) error {
	var problems []error
	refuse := func(wanted bool, key, why string) {
		if wanted {
			problems = append(problems, fmt.Errorf("service %q: build.%s: %s; this is %s", build.Service, key, why, b.Name))
		}
	}
	if !b.can.contexts {
		const why = "needs an engine of version 23 or newer"
		refuse(build.Remote() && hasFolder(build.Context), "context, a folder of a repository", why)
		refuse(strings.HasPrefix(build.Context, "ssh://"), "context, ssh://", why+", or the address as git@HOST:PATH")
		refuse(len(build.Contexts) > 0, "additional_contexts", why)
		refuse(len(build.Ulimits) > 0, "ulimits", why)
		refuse(build.ShmSize > 0, "shm_size", why)
		refuse(hasHeredoc(build), "dockerfile_inline", why+", or a first line # syntax=docker/dockerfile:1, for a here-document")
	}
	if !b.can.exports {
		const why = "needs the input builder: container, or an engine with the containerd image store (features.containerd-snapshotter in its daemon.json)"
		refuse(len(build.Platforms) > 1, "platforms, more than one", why)
		refuse(asked(build.Provenance), "provenance", why)
		refuse(asked(build.SBOM), "sbom", why)
		for _, one := range build.CacheTo {
			refuse(one.Type != "inline" && !inBucket(one), "cache_to, type "+one.Type, why+"; without it only inline works")
		}
		for _, one := range build.CacheFrom {
			refuse(one.Type != "registry" && !inBucket(one), "cache_from, type "+one.Type, why+"; without it only registry works")
		}
	}
	if b.store != nil {
		const why = "is no cache of an engine's: needs the input builder: container"
		for _, one := range build.CacheTo {
			refuse(inBucket(one), "cache_to, type "+one.Type, why)
		}
		for _, one := range build.CacheFrom {
			refuse(inBucket(one), "cache_from, type "+one.Type, why)
		}
	}
	refuse(wantsGateway(build) && b.store == nil && b.gateway == "", "extra_hosts, "+hostGateway, "is the address of an engine's machine: give the input builder: engine, or the address itself")
	for _, name := range slices.Sorted(maps.Keys(build.Contexts)) {
		isService := strings.HasPrefix(build.Contexts[name], serviceContext)
		refuse(isService && b.store == nil, "additional_contexts, "+name, "is another service's image, which only an engine keeps: give the input builder: engine")
		refuse(isService && b.store != nil && build.Pull, "pull", "would look for the image of "+name+" in additional_contexts, which is another service's, in the registry; remove one of the two")
	}
	return errors.Join(append(problems, unusableKeys(build)...)...)
}

// unusableKeys reports what stands for an SSH key and can't be used as one.
func unusableKeys(build compose.Build) []error {
	var problems []error
	for _, id := range slices.Sorted(maps.Keys(build.SSH)) {
		if _, err := sshprovider.NewSSHAgentProvider([]sshprovider.AgentConfig{{ID: id, Paths: []string{build.SSH[id]}}}); err != nil {
			problems = append(problems, fmt.Errorf("service %q: build.ssh: %s: %s is no private key without a passphrase: %w", build.Service, id, filepath.Base(build.SSH[id]), root(err)))
		}
	}
	return problems
}

// root is the error without the words that say through how many layers it came.
func root(err error) error {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err
}

// inBucket tells a cache in a cloud's storage, which the BuildKit in an engine
// was built without. Source: moby/moby, builder-next/controller.go.
func inBucket(one compose.Cache) bool { return one.Type == "s3" || one.Type == "azblob" }

// asked tells whether an attestation is wanted.
func asked(value string) bool { return value != "" && value != "false" }

// hasHeredoc tells a Dockerfile in the Compose file with a here-document, which
// an old frontend takes for something else.
func hasHeredoc(build compose.Build) bool {
	return strings.Contains(build.Inline, "<<") && !strings.HasPrefix(strings.TrimSpace(strings.ToLower(build.Inline)), "# syntax")
}

// hasFolder tells an address of a folder in a repository: REPOSITORY#REF:FOLDER.
func hasFolder(address string) bool {
	_, fragment, _ := strings.Cut(address, "#")
	_, folder, _ := strings.Cut(fragment, ":")
	return folder != ""
}
