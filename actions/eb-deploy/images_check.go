package ebdeploy

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
)

// imageTime bounds the look-ups in the registries.
const imageTime = 30 * time.Second

// privateECR lets the instances in by their profile, so that what the
// credentials of the step may see there decides nothing.
var privateECR = regexp.MustCompile(`^\d{12}\.dkr[.-]ecr[.-]`)

// checkImages looks whether the images are in their registries. One that is
// certainly missing stops the deployment; what can't be seen is a warning.
func (p plan) checkImages(ctx context.Context) findings {
	var found findings
	if !p.config.CheckImages {
		return found
	}
	ctx, cancel := context.WithTimeout(ctx, imageTime)
	defer cancel()
	services := slices.Sorted(maps.Keys(p.images))
	errs := make([]error, len(services))
	var all sync.WaitGroup
	for i, service := range services {
		all.Go(func() { _, errs[i] = p.credentials.Digest(ctx, p.images[service]) })
	}
	all.Wait()
	for i, service := range services {
		login, err := p.credentials.Login(ctx, p.images[service].Registry)
		found.image(service, p.images[service], login != registry.Login{}, errors.Join(errs[i], err))
	}
	return found
}

// image judges one look-up. Docker Hub answers alike for a private repository
// and for none.
func (f *findings) image(service string, ref image.Reference, login bool, err error) {
	if err == nil {
		return
	}
	var answer *transport.Error
	if !errors.As(err, &answer) {
		f.warn(fmt.Errorf("the image of %q can't be looked up before it is deployed: %w", service, err))
		return
	}
	denied := answer.StatusCode == http.StatusUnauthorized || answer.StatusCode == http.StatusForbidden
	switch {
	case answer.StatusCode == http.StatusNotFound:
		f.refuse(action.BadInput("images", "%s of %q is not in its registry: was it pushed? (check-images: false deploys without looking)", ref, service))
	case denied && privateECR.MatchString(ref.Registry):
		f.warn(fmt.Errorf("%s of %q can't be looked up before it is deployed: allow who deploys ecr:BatchGetImage on its repository (check-images: false deploys without looking)", ref, service))
	case denied && login:
		f.refuse(action.BadInput("images", "registry %s does not show %s of %q with the login given: check the name, username and password (check-images: false deploys without looking)", ref.Registry, ref, service))
	case denied:
		f.warn(fmt.Errorf("%s of %q is private or not there, which can't be told without a login: the instances need one too (registry-auth)", ref, service))
	default:
		f.warn(fmt.Errorf("the image of %q can't be looked up before it is deployed: %w", service, err))
	}
}
