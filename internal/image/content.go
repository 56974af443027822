package image

import (
	"bytes"
	"encoding/json"
	"time"
)

// Content is all that makes a container of an image what it is. Two images of
// one content may have two digests: BuildKit writes into the configuration
// where the cached steps came from, and that differs from build to build.
type Content struct {
	OS, Architecture string
	// Layers are the digests of the uncompressed layers.
	Layers  []string
	Created time.Time

	Config Config
}

// Config is what an image says about its containers, in the words of JSON that
// engines and registries share. Source: the OCI image specification, config.md,
// and Docker's additions to it.
type Config struct {
	Env, Entrypoint, Cmd, Shell, OnBuild []string
	WorkingDir, User, StopSignal         string
	Labels                               map[string]string
	ExposedPorts, Volumes                map[string]struct{}
	Healthcheck                          any
}

// Equal tells whether two images have one content. One without layers equals
// none, since nothing is known of it.
func (c Content) Equal(other Content) bool {
	if len(c.Layers) == 0 || !c.Created.Equal(other.Created) {
		return false
	}
	mine, err := json.Marshal(c.normal())
	if err != nil {
		return false
	}
	theirs, err := json.Marshal(other.normal())
	return err == nil && bytes.Equal(mine, theirs)
}

// normal is the same in one of the ways to say it: what is empty is null.
func (c Content) normal() Content {
	c.Created = time.Time{}
	one := &c.Config
	for _, list := range []*[]string{&one.Env, &one.Entrypoint, &one.Cmd, &one.Shell, &one.OnBuild} {
		if len(*list) == 0 {
			*list = nil
		}
	}
	for _, set := range []*map[string]struct{}{&one.ExposedPorts, &one.Volumes} {
		if len(*set) == 0 {
			*set = nil
		}
	}
	if len(one.Labels) == 0 {
		one.Labels = nil
	}
	return c
}
