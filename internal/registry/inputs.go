package registry

import (
	"errors"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/image"
)

// LoginInputs are the inputs that name a registry and log in, alike in every
// action.
type LoginInputs struct {
	Registry string        `env:"REGISTRY" envDefault:"docker.io"`
	Username string        `env:"USERNAME"`
	Password action.Secret `env:"PASSWORD"`
	Auths    action.Secret `env:"AUTHS"`
}

// WithoutSecret tells that a user name is given and its password is empty, as
// secrets are in pull requests from forks and from Dependabot.
func (i LoginInputs) WithoutSecret() bool { return i.Username != "" && i.Password == "" }

// Anonymous are the inputs without their login.
func (i LoginInputs) Anonymous() LoginInputs {
	i.Username, i.Password = "", ""
	return i
}

// Credentials are the logins that the inputs give.
func (i LoginInputs) Credentials() (Credentials, error) {
	credentials, err := NewCredentials(i.Registry, Login{i.Username, i.Password.Reveal()}, i.Auths.Reveal())
	return credentials, errors.Join(CheckHost(i.Registry), err)
}

// Name is the reference of a service's image in the registry that it belongs
// to. A reference that names its registry is not changed.
func (i LoginInputs) Name(text string) (image.Reference, error) {
	reference, err := image.Parse(text)
	if err != nil {
		return image.Reference{}, err
	}
	return reference.In(host(i.Registry)), nil
}
