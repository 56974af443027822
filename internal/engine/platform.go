package engine

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/containerd/platforms"
	"github.com/docker/docker/api/types/image"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/guk0/travois/internal/compose"
)

// CheckPlatform refuses what is no platform, as "linux/amd64" is.
func CheckPlatform(text string) error {
	_, err := platform(text)
	return err
}

// platform is nil for "", the engine's own.
func platform(text string) (*ocispec.Platform, error) {
	if text == "" {
		return nil, nil
	}
	parsed, err := platforms.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("%q is no platform; write it as linux/amd64", text)
	}
	return &parsed, nil
}

// notEmulated adds to the error of a build that ran a program of another
// platform than the builder's what to do about it.
func (b *Builder) notEmulated(build compose.Build, err error) error {
	return fmt.Errorf("%w: exec format error, as of a program for another platform (built for %s, and this builder runs %s): put docker/setup-qemu-action before this step, or begin the stage that runs it with FROM --platform=$BUILDPLATFORM and cross-compile",
		err, cmp.Or(strings.Join(build.Platforms, ", "), "its own"), strings.Join(b.Platforms, ", "))
}

// isFor tells whether an image can be taken for one of a platform.
func isFor(text string, info image.InspectResponse) bool {
	wanted, err := platform(text)
	if wanted == nil || err != nil {
		return err == nil
	}
	has := ocispec.Platform{OS: info.Os, Architecture: info.Architecture, Variant: info.Variant}
	return platforms.OnlyStrict(*wanted).Match(platforms.Normalize(has))
}
