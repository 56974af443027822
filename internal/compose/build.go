package compose

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/guk0/travois/internal/image"
)

// Build is how one image is built. Paths are absolute.
type Build struct {
	// Service is the service that it is for.
	Service string
	// Context is a folder, or an address that BuildKit fetches.
	Context string
	// Dockerfile is a file, in the context or elsewhere; in a context that is
	// an address its path there. It is "" with Inline.
	Dockerfile string
	// Inline is the text of a Dockerfile that stands in the Compose file, at
	// InlineAt.
	Inline   string
	InlineAt InlineAt
	// Target is a stage, "" the last one.
	Target string
	// Args are build arguments.
	Args map[string]string
	// Labels are put onto the image.
	Labels map[string]string
	// Contexts are further ones by name: a folder, an address, a
	// docker-image://REFERENCE, or service:NAME for the image of another
	// service that is built as well.
	Contexts map[string]string
	// Secrets are what RUN --mount=type=secret may read, by id.
	Secrets map[string][]byte
	// SSH are the keys that RUN --mount=type=ssh may use, as files by id.
	SSH map[string]string
	// Platforms are as "linux/arm64"; none is the builder's own.
	Platforms []string
	// CacheFrom and CacheTo are where steps are looked up and kept.
	CacheFrom, CacheTo []Cache
	// ExtraHosts are "name=address", always in one order: the steps of another
	// one are other steps to BuildKit.
	ExtraHosts []string
	// Network is the mode for RUN: "", "host" or "none".
	Network string
	// ShmSize is in bytes, 0 the engine's default.
	ShmSize int64
	// Ulimits are for RUN, as "soft:hard" by name.
	Ulimits map[string]string
	// NoCache builds every step anew; Pull asks the registry for newer bases.
	NoCache, Pull bool
	// NoCacheStages are the stages whose steps are built anew.
	NoCacheStages []string
	// Tags are further references of the image, as they stand in the file.
	Tags []string
	// Provenance and SBOM ask for attestations: "" and "false" for none,
	// "true", or parameters as "mode=max".
	Provenance, SBOM string
}

// Cache is one place of a build cache, in BuildKit's words: a type as
// "registry" and its attributes.
type Cache struct {
	Type  string
	Attrs map[string]string
}

// supported are the keys of Compose's `build` that Build carries.
var supported = []string{
	"Context", "Dockerfile", "DockerfileInline", "Target", "Args", "Labels", "AdditionalContexts", "Secrets", "SSH", "Platforms",
	"CacheFrom", "CacheTo", "ExtraHosts", "Network", "ShmSize", "Ulimits", "NoCache", "NoCacheFilter", "Pull", "Provenance", "SBOM", "Tags",
}

// NameFunc gives the reference of a service's image in the registry that it
// belongs to.
type NameFunc func(image string) (image.Reference, error)

// Build reads a service's `build`; the images of other services that it starts
// from are named by the function. The error tells all that is wrong with it:
// keys that are not supported, a context or a Dockerfile that is not there.
func (p *Project) Build(service types.ServiceConfig, name NameFunc) (Build, error) {
	from := service.Build
	if from == nil {
		return Build{}, p.At(service.Name, fmt.Errorf("service %q has no build", service.Name))
	}
	build := Build{
		Service: service.Name, Context: from.Context, Dockerfile: from.Dockerfile, Target: from.Target,
		Args: map[string]string{}, Labels: from.Labels, ExtraHosts: hosts(from.ExtraHosts), Network: from.Network,
		ShmSize: int64(from.ShmSize), NoCache: from.NoCache, NoCacheStages: from.NoCacheFilter, Pull: from.Pull, Inline: from.DockerfileInline,
		Platforms: from.Platforms, Provenance: from.Provenance, SBOM: from.SBOM, Tags: from.Tags,
	}
	if len(build.Platforms) == 0 && service.Platform != "" {
		build.Platforms = []string{service.Platform} // what runs there has to fit
	}
	for name, value := range from.Args {
		if value != nil {
			build.Args[name] = *value
		}
	}
	if build.Inline != "" {
		build.Dockerfile, build.InlineAt = "", inlineAt(p.sources, service.Name, build.Inline)
	} else if !filepath.IsAbs(build.Dockerfile) && !build.Remote() {
		build.Dockerfile = spelt(filepath.Join(build.Context, build.Dockerfile))
	}
	var problems []error
	found := append(unsupported(from), build.missing(p.WorkingDir))
	for _, problem := range append(found, parts(p.takeKeys(&build, from, name))...) {
		if problem != nil {
			problems = append(problems, p.At(service.Name, fmt.Errorf("service %q: %w", service.Name, problem)))
		}
	}
	return build, errors.Join(problems...)
}

// spelt takes a file "dockerfile" where there is no "Dockerfile", as docker build
// does.
func spelt(path string) string {
	lower := filepath.Join(filepath.Dir(path), "dockerfile")
	if filepath.Base(path) != "Dockerfile" || exists(path) || !exists(lower) {
		return path
	}
	return lower
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func unsupported(build *types.BuildConfig) []error {
	var problems []error
	value := reflect.ValueOf(*build)
	for i := range value.NumField() {
		field := value.Type().Field(i)
		if slices.Contains(supported, field.Name) || field.Name == "Extensions" || value.Field(i).IsZero() {
			continue
		}
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		problems = append(problems, fmt.Errorf("build.%s is not supported; remove it", key))
	}
	return problems
}

// Remote tells a context that BuildKit fetches by its address.
func (b Build) Remote() bool { return !filepath.IsAbs(b.Context) }

func (b Build) missing(root string) error {
	if b.Remote() {
		return nil
	}
	info, err := os.Stat(b.Context)
	if err != nil || !info.IsDir() {
		return fmt.Errorf("build.context %s is no folder in the workspace", relative(root, b.Context))
	}
	if b.Inline != "" {
		return nil
	}
	info, err = os.Stat(b.Dockerfile)
	if err == nil && !info.IsDir() {
		return nil
	}
	fix := "give build.dockerfile the name of one"
	if found, _ := filepath.Glob(filepath.Join(b.Context, "*ockerfile*")); len(found) > 0 {
		for i := range found {
			found[i] = filepath.Base(found[i])
		}
		fix = "the context has " + strings.Join(found, ", ") + "; name it in build.dockerfile"
	}
	return fmt.Errorf("there is no Dockerfile %s; %s", relative(root, b.Dockerfile), fix)
}

func relative(root, path string) string {
	if short, err := filepath.Rel(root, path); err == nil && !strings.HasPrefix(short, "..") {
		return short
	}
	return path
}
