package ebdeploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/bundle"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
)

// imageTime bounds the look-ups in the registries.
const imageTime = 30 * time.Second

// privateECR lets the instances in by their profile, so that what the
// credentials of the step may see there decides nothing.
var privateECR = regexp.MustCompile(`^\d{12}\.dkr[.-]ecr[.-]`)

// lookup is an image to look for.
type lookup struct {
	service string
	ref     image.Reference
	// pinned tells that the deploy file names it, at the line; it is given
	// otherwise.
	pinned bool
	line   int
}

// lookups are the images that instances pull, the given ones and those that the
// deploy file itself names.
func (p plan) lookups() []lookup {
	var all []lookup
	for _, service := range slices.Sorted(maps.Keys(p.images)) {
		if p.images[service] != unknownImage {
			all = append(all, lookup{service: service, ref: p.images[service]})
		}
	}
	if p.existing || p.file.kind == bundle.DockerrunV1 && len(p.images) > 0 {
		return all // The one image of version 1 is given under any name.
	}
	there, _ := bundle.Images(p.file.kind, p.file.source)
	for _, service := range slices.Sorted(maps.Keys(there)) {
		if _, given := p.images[service]; given || there[service].Build || strings.Contains(there[service].Text, "$") {
			continue // What is built is not pulled.
		}
		if ref, err := image.Parse(there[service].Text); err == nil {
			all = append(all, lookup{service, ref, true, there[service].Line})
		}
	}
	return all
}

// whose tells whose image it is; version 1 of Dockerrun.aws.json has no names.
func (l lookup) whose() string {
	if l.service == "" {
		return "the container"
	}
	return strconv.Quote(l.service)
}

// checkImages looks whether the images are in their registries. One that is
// certainly missing stops the deployment; what can't be seen is a warning.
func (p plan) checkImages(ctx context.Context) findings {
	var found findings
	if !p.config.CheckImages {
		return found
	}
	ctx, cancel := context.WithTimeout(ctx, imageTime)
	defer cancel()
	wanted := p.lookups()
	errs := make([]error, len(wanted))
	var all sync.WaitGroup
	for i, one := range wanted {
		all.Go(func() { _, errs[i] = p.credentials.Digest(ctx, one.ref) })
	}
	all.Wait()
	for i, one := range wanted {
		login, err := p.credentials.Login(ctx, one.ref.Registry)
		p.judge(&found, one, login != registry.Login{}, errors.Join(errs[i], err))
	}
	return found
}

// judge takes the answer to one look-up. Docker Hub answers alike for a private
// repository and for none. What the deploy file pins, the instances may be let
// to by a login of their own.
func (p plan) judge(f *findings, l lookup, login bool, err error) {
	if err == nil {
		return
	}
	at := func(format string, args ...any) error {
		if l.pinned {
			return p.file.at(l.line, fmt.Errorf(format, args...))
		}
		return action.BadInput("images", format, args...)
	}
	unseen := fmt.Errorf("the image of %s can't be looked up before it is deployed: %w", l.whose(), err)
	var answer *transport.Error
	if !errors.As(err, &answer) {
		f.warn(unseen)
		return
	}
	denied := answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden
	switch {
	case answer.StatusCode == http.StatusNotFound && l.pinned:
		f.refuse(at("%s of %s is not in its registry: correct the name, or push it (check-images: false deploys without looking)", l.ref, l.whose()))
	case answer.StatusCode == http.StatusNotFound:
		f.refuse(at("%s of %s is not in its registry: was it pushed? (check-images: false deploys without looking)", l.ref, l.whose()))
	case denied && privateECR.MatchString(l.ref.Registry):
		f.warn(fmt.Errorf("%s of %s can't be looked up before it is deployed: allow who deploys ecr:BatchGetImage on its repository (check-images: false deploys without looking)", l.ref, l.whose()))
	case denied && login && l.pinned:
		f.warn(at("registry %s does not show %s of %s with the login given: the instances need one that it does", l.ref.Registry, l.ref, l.whose()))
	case denied && login:
		f.refuse(at("registry %s does not show %s of %s with the login given: check the name, username and password (check-images: false deploys without looking)", l.ref.Registry, l.ref, l.whose()))
	case denied:
		f.warn(fmt.Errorf("%s of %s is private or not there, which can't be told without a login: the instances need one too (registry-auth)", l.ref, l.whose()))
	default:
		f.warn(unseen)
	}
}
