package compose

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// takeKeys reads what of a `build` is more than a name or a number, and tells
// all that is wrong with it.
func (p *Project) takeKeys(build *Build, from *types.BuildConfig, name NameFunc) error {
	var problems []error
	take := func(key string, err error) {
		for _, one := range parts(err) {
			problems = append(problems, fmt.Errorf("build.%s: %w", key, one))
		}
	}
	var err error
	build.Contexts, err = p.contexts(build.Service, from.AdditionalContexts, name)
	take("additional_contexts", err)
	build.Secrets, err = p.secrets(from.Secrets)
	take("secrets", err)
	build.SSH, err = p.keys(from.SSH)
	take("ssh", err)
	take("ssh", build.lacksKey())
	build.CacheFrom, err = caches(from.CacheFrom)
	take("cache_from", errors.Join(err, notInline(build.CacheFrom)))
	build.CacheTo, err = caches(from.CacheTo)
	take("cache_to", err)
	build.Provenance, err = attestation(from.Provenance, provenances)
	take("provenance", err)
	build.SBOM, err = attestation(from.SBOM, nil)
	take("sbom", err)
	take("platforms", checkPlatforms(build.Platforms))
	take("network", network(from.Network))
	if from.ShmSize < 0 {
		take("shm_size", fmt.Errorf("%d is less than nothing", from.ShmSize))
	}
	take("extra_hosts", checkHosts(build.ExtraHosts))
	build.Ulimits, err = ulimits(from.Ulimits)
	take("ulimits", err)
	return errors.Join(problems...)
}

// lacksKey reports an address that BuildKit fetches by SSH, for which it asks for
// the key "default".
func (b Build) lacksKey() error {
	if b.SSH[sshDefault] != "" {
		return nil
	}
	addresses := append([]string{b.Context}, slices.Sorted(maps.Values(b.Contexts))...)
	for _, one := range addresses {
		if strings.HasPrefix(one, "git@") || strings.HasPrefix(one, "ssh://") {
			return fmt.Errorf("%s is fetched by SSH: give %s=path/to/a/key", one, sshDefault)
		}
	}
	return nil
}

// sshDefault is the key of whoever names none.
const sshDefault = "default"

func parts(err error) []error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		return joined.Unwrap()
	}
	if err == nil {
		return nil
	}
	return []error{err}
}

// networks are those that BuildKit has for RUN.
var networks = []string{"", "default", "host", "none"}

func network(mode string) error {
	if slices.Contains(networks, mode) {
		return nil
	}
	return fmt.Errorf("%q is none of default, host, none: a build can't join another network", mode)
}

// contexts reads further contexts: a folder is there, and a service's image
// can be had before this one is made. They are told in the order of their
// names.
func (p *Project) contexts(service string, from types.Mapping, name NameFunc) (map[string]string, error) {
	if len(from) == 0 {
		return nil, nil
	}
	var problems []error
	all := map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(from)) {
		one, err := p.context(from[key], name)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", key, err))
		}
		all[key] = one
	}
	return all, errors.Join(append(problems, p.inCircle(service))...)
}

func (p *Project) context(from string, name NameFunc) (string, error) {
	if other, is := strings.CutPrefix(from, imageOf); is {
		return p.imageContext(other, name)
	}
	if strings.HasPrefix(from, "oci-layout://") {
		return "", errors.New("an OCI layout is not supported; push it and name it as docker-image://")
	}
	if info, err := os.Stat(from); filepath.IsAbs(from) && (err != nil || !info.IsDir()) {
		return "", fmt.Errorf("%s is no folder in the workspace", relative(p.WorkingDir, from))
	}
	return from, nil
}

// imageContext is the image of another service: one that is built first, or one
// that is pulled.
func (p *Project) imageContext(service string, name NameFunc) (string, error) {
	other, exists := p.Services[service]
	switch {
	case !exists:
		return "", fmt.Errorf("there is no service %q; there are: %s", service, strings.Join(p.Names, ", "))
	case other.Build != nil:
		return types.ServicePrefix + service, nil
	}
	reference, err := name(other.Image)
	if err != nil {
		return "", fmt.Errorf("service %q: %w", service, err)
	}
	return "docker-image://" + reference.String(), nil
}

// inCircle reports services that start from each other's images, once: for the
// first of them.
func (p *Project) inCircle(service string) error {
	way := p.circle(service)
	isIn := func(name string) bool { return slices.Contains(way, name) }
	if first := slices.IndexFunc(p.Names, isIn); first < 0 || p.Names[first] != service {
		return nil
	}
	return fmt.Errorf("the images start from each other in a circle: %s; remove one of the contexts", strings.Join(way, " → "))
}

// secrets reads the content of build secrets, by id.
func (p *Project) secrets(from []types.ServiceSecretConfig) (map[string][]byte, error) {
	if len(from) == 0 {
		return nil, nil
	}
	var problems []error
	all := map[string][]byte{}
	for _, one := range from {
		id := one.Target
		if id == "" {
			id = one.Source
		}
		content, err := p.secret(one)
		if err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", one.Source, err))
		}
		all[id] = content
	}
	return all, errors.Join(problems...)
}

func (p *Project) secret(one types.ServiceSecretConfig) ([]byte, error) {
	if one.UID != "" || one.GID != "" || one.Mode != nil {
		return nil, errors.New("uid, gid and mode have no effect in a build; give them to RUN --mount=type=secret")
	}
	secret, declared := p.Secrets[one.Source]
	if !declared {
		return nil, errors.New("is not declared below the file's secrets; declare it there, or give the value in the input secrets")
	}
	return p.content(types.FileObjectConfig(secret), "give the value in the input secrets")
}

// keys are SSH keys, or sockets of an agent, by id. The variable SSH_AUTH_SOCK
// names a socket that the action's container does not see.
func (p *Project) keys(from types.SSHConfig) (map[string]string, error) {
	if len(from) == 0 {
		return nil, nil
	}
	var problems []error
	all := map[string]string{}
	for _, one := range slices.SortedFunc(slices.Values(from), func(a, b types.SSHKey) int { return strings.Compare(a.ID, b.ID) }) { // compose-go has no order
		if one.Path == "" {
			problems = append(problems, fmt.Errorf("%s needs an agent, which the action's container lacks; write %s=path/to/a/key, or to a socket in the workspace", one.ID, one.ID))
			continue
		}
		if info, err := os.Stat(one.Path); err != nil || info.Mode().Type()&^os.ModeSocket != 0 {
			problems = append(problems, fmt.Errorf("%s: there is no file %s", one.ID, relative(p.WorkingDir, one.Path)))
		}
		all[one.ID] = one.Path
	}
	return all, errors.Join(problems...)
}
