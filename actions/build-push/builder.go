package buildpush

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
)

// The values of the input builder that are no address.
const (
	builderEngine    = "engine"
	builderContainer = "container"
)

// BuilderInputs are the inputs that say what builds.
type BuilderInputs struct {
	Builder     string        `env:"BUILDER" envDefault:"engine"`
	BuilderCA   string        `env:"BUILDER-CA"`
	BuilderCert string        `env:"BUILDER-CERT"`
	BuilderKey  action.Secret `env:"BUILDER-KEY"`
}

func (i BuilderInputs) certificates() engine.Certificates {
	return engine.Certificates{CA: []byte(i.BuilderCA), Certificate: []byte(i.BuilderCert), Key: []byte(i.BuilderKey.Reveal())}
}

// address is the builder's, the zero one where it is in the engine or will be
// started.
func (i BuilderInputs) address() (engine.Address, error) {
	if i.Builder == builderEngine || i.Builder == builderContainer {
		if i.BuilderCA+i.BuilderCert+i.BuilderKey.Reveal() != "" {
			return engine.Address{}, action.BadInput("builder-key", "certificates are for a builder at tcp://HOST:PORT, and builder is %s", i.Builder)
		}
		return engine.Address{}, nil
	}
	address, err := engine.ParseAddress(i.Builder)
	if err == nil {
		err = address.CheckCertificates(i.certificates())
	}
	if err != nil {
		return engine.Address{}, action.BadInput("builder", "%w", err)
	}
	return address, nil
}

// needsEngine tells a builder that is in an engine or reached through one. An
// address that is none needs nothing but to be mended.
func (i BuilderInputs) needsEngine() bool {
	address, err := i.address()
	return err == nil && (address == (engine.Address{}) || address.InContainer())
}

// starts tells a builder that is started for this step.
func (i BuilderInputs) starts() bool { return i.Builder == builderContainer }

// opening is what it takes to get a builder.
type opening struct {
	inputs BuilderInputs
	getenv func(string) string
	logins registry.Credentials
	log    *action.Log
	// key is the step's among all that share the engine.
	key string
}

// builder is a builder with what it takes to reach it.
type builder struct {
	*engine.Builder
	eng *engine.Engine // nil without one
}

// open connects to the builder, or starts it for a plan.
func (o opening) open(ctx context.Context, p plan) (builder, error) {
	address, err := o.inputs.address()
	if err != nil {
		return builder{}, err
	}
	if !o.inputs.needsEngine() {
		found, err := engine.Dial(ctx, address, o.inputs.certificates(), o.logins.Insecure)
		return builder{Builder: found}, err
	}
	eng, err := engine.Connect(ctx, o.getenv)
	if err != nil {
		return builder{}, err
	}
	found, err := o.openOn(ctx, eng, address, p)
	if err != nil {
		return builder{}, errors.Join(err, eng.Close())
	}
	return builder{found, eng}, nil
}

func (o opening) openOn(ctx context.Context, eng *engine.Engine, address engine.Address, p plan) (*engine.Builder, error) {
	switch o.inputs.Builder {
	case builderEngine:
		return eng.Builder(ctx)
	case builderContainer:
		o.log.Printf("start a builder in a container of %s", engine.BuilderImage)
		return eng.StartBuilder(ctx, o.spec(p), o.logins.Lookup)
	}
	return eng.BuilderIn(ctx, address, o.logins.Insecure)
}

// spec is the builder's container. A registry on loopback is the machine's
// own, which only its network reaches.
func (o opening) spec(p plan) engine.BuilderSpec {
	return engine.BuilderSpec{
		Insecure: o.logins.InsecureHosts(), Env: proxies(o.getenv), Labels: map[string]string{label: o.key},
		HostNetwork: slices.ContainsFunc(p.reached(), registry.Loopback),
	}
}

// reached are the registries that a build of the plan reads or writes, as far
// as its Dockerfiles and caches name them.
func (p plan) reached() []string {
	var texts []string
	for _, one := range p.images {
		texts = append(texts, engine.Bases(one.build)...)
		for _, cache := range slices.Concat(one.build.CacheFrom, one.build.CacheTo) {
			texts = append(texts, cache.Attrs["ref"])
		}
	}
	var all []string
	for _, one := range p.names() {
		all = append(all, one.Registry)
	}
	for _, text := range texts {
		if reference, err := image.Parse(text); err == nil {
			all = append(all, reference.Registry)
		}
	}
	return all
}

// proxies are those of the step, as a container's variables: buildkitd takes
// them from nowhere else, so whoever may inspect the container can read them.
func proxies(getenv func(string) string) []string {
	var all []string
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"} {
		for _, spelt := range []string{name, strings.ToLower(name)} {
			if value := getenv(spelt); value != "" {
				all = append(all, spelt+"="+value)
			}
		}
	}
	return all
}

// close ends the connection, and the builder if it was started here.
func (b builder) close(ctx context.Context) error {
	err := b.Close(ctx)
	if b.eng != nil {
		err = errors.Join(err, b.eng.Close())
	}
	return err
}
