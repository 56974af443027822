// Package image owns the names of images: references, tags and digests. It is
// a leaf without I/O.
package image

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// DockerHub is the registry of a reference that names none.
const DockerHub = "docker.io"

// Reference names an image: [registry/]repository[:tag][@digest].
type Reference struct {
	// Registry is host[:port] in lower case, empty when the text named none.
	Registry string
	// Repository is the path below the registry, as "guk0/docker-frontend".
	Repository string
	// Tag is without its colon, empty when the text had none.
	Tag string
	// Digest is "sha256:<64 hex digits>", empty when the text had none.
	Digest string
}

// Parse reads a reference as Docker does. The error says what is wrong with
// the text and, for upper-case letters, what to write instead.
func Parse(text string) (Reference, error) {
	named, err := reference.ParseNormalizedNamed(text)
	if err != nil {
		return Reference{}, explain(text, err)
	}
	if host, _, _ := strings.Cut(text, "/"); strings.ToLower(host) != host && !namesRegistry(host) && strings.Contains(text, "/") {
		return Reference{}, explain(text, reference.ErrNameContainsUppercase)
	}
	ref := Reference{Repository: reference.Path(named)}
	if host, _, found := strings.Cut(text, "/"); found && namesRegistry(host) {
		ref.Registry = strings.ToLower(host)
	} else if !strings.HasPrefix(text, "library/") {
		ref.Repository = strings.TrimPrefix(ref.Repository, "library/")
	}
	if tagged, ok := named.(reference.Tagged); ok {
		ref.Tag = tagged.Tag()
	}
	if digested, ok := named.(reference.Digested); ok {
		ref.Digest = digested.Digest().String()
	}
	return ref, nil
}

// namesRegistry tells a registry's host from the first element of a path.
// github.com/distribution/reference also takes capitals for a host; they are
// a misspelt user name far more often.
func namesRegistry(host string) bool {
	return strings.ContainsAny(host, ".:") || host == "localhost"
}

func explain(text string, err error) error {
	lower := strings.ToLower(text)
	if _, again := reference.ParseNormalizedNamed(lower); again == nil && lower != text {
		return fmt.Errorf("image %q: a repository name must be lower case: write %q", text, lower)
	}
	return fmt.Errorf("image %q is no image reference ([registry/]repository[:tag][@digest]): %w", text, err)
}

// In fills in the registry of a reference that names none. On Docker Hub an
// official image gets its library/ prefix.
func (r Reference) In(registry string) Reference {
	if r.Registry != "" {
		return r
	}
	if registry == "" {
		registry = DockerHub
	}
	r.Registry = registry
	if registry == DockerHub && !strings.Contains(r.Repository, "/") {
		r.Repository = "library/" + r.Repository
	}
	return r
}

// Name is the reference without tag and digest.
func (r Reference) Name() string {
	if r.Registry == "" {
		return r.Repository
	}
	return r.Registry + "/" + r.Repository
}

// WithTag is the reference with another tag and no digest.
func (r Reference) WithTag(tag string) Reference {
	r.Tag, r.Digest = tag, ""
	return r
}

// WithDigest is the reference with its tag and another digest.
func (r Reference) WithDigest(digest string) Reference {
	r.Digest = digest
	return r
}

// String is the reference as Docker reads it.
func (r Reference) String() string {
	text := r.Name()
	if r.Tag != "" {
		text += ":" + r.Tag
	}
	if r.Digest != "" {
		text += "@" + r.Digest
	}
	return text
}
