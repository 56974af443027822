// Package bundle owns what Elastic Beanstalk is given: the deploy file with the
// images written into it, and the zip that it travels in.
//
// A deploy file is rendered by its bytes. Parsing only locates what changes;
// all else stays as its author wrote it. Each result is parsed again and
// compared with the source before anyone sees it.
package bundle

import (
	"fmt"
	"slices"
)

// Rendered is a deploy file that names what to deploy. Beside an error it has
// no content, but Minimal can still check what the file needs.
type Rendered struct {
	// Content is the whole file. Without changes it is the source.
	Content []byte
	// Changes are in the order of the source.
	Changes []Change

	// file is the source's path for messages.
	file string
	// needs is what the result names, at its places in the source.
	needs []named
	// pulled tells that it is a Dockerrun.aws.json of version 1 that names an image.
	// Elastic Beanstalk would build a Dockerfile beside it in its place (its guide,
	// "Docker configuration").
	pulled bool
}

// EnvFiles are the paths, in the bundle, of the files of variables that a Compose
// file names and Docker Compose parses, each once. Some may not be there.
func (r Rendered) EnvFiles() []string {
	var all []string
	for _, n := range r.needs {
		if p, ok := n.ofBundle(); ok && n.what == envFile && !n.raw && !slices.Contains(all, p) {
			all = append(all, p)
		}
	}
	return all
}

// AsItIs is a deploy file that names no image.
func AsItIs(file string, src []byte) Rendered { return Rendered{Content: src, file: file} }

// Change is one thing that differs from what the author wrote, for people.
type Change struct {
	// Line counts from 1 in the source; 0 when it is about no line.
	Line int
	// Service is the Compose service or the container; empty when it is about
	// the whole.
	Service string
	// What is a clause such as `build removed`.
	What string
}

func (c Change) String() string {
	if c.Service == "" {
		return c.What
	}
	return c.Service + ": " + c.What
}

func imageChange(line int, service, from, to string) Change {
	return Change{Line: line, Service: service, What: fmt.Sprintf("image %q → %q", from, to)}
}

// Option adjusts how a deploy file is rendered.
type Option func(*options)

type options struct{ keepMounts, built bool }

// KeepMounts leaves the mounts of a build context, which otherwise go since
// they would hide the image.
func KeepMounts(keep bool) Option {
	return func(o *options) { o.keepMounts = keep }
}

// Built tells that a Dockerfile goes in beside the deploy file, which the instances
// build where a Dockerrun.aws.json of version 1 names no image.
func Built(beside bool) Option {
	return func(o *options) { o.built = beside }
}

func collect(opts []Option) options {
	var o options
	for _, opt := range opts {
		opt(&o)
	}
	return o
}
