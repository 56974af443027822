package registry

import (
	"errors"
	"slices"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/image"
)

// LoginInputs are the inputs that name registries and log in, alike in every
// action.
type LoginInputs struct {
	Registry     string        `env:"REGISTRY" envDefault:"docker.io"`
	Username     string        `env:"USERNAME"`
	Password     action.Secret `env:"PASSWORD"`
	ConnectionID string        `env:"OIDC-CONNECTION-ID"`
	Auths        action.Secret `env:"AUTHS"`
	Insecure     action.Lines  `env:"INSECURE-REGISTRIES"`
}

// ToPull are the inputs of a run that only pulls: a login whose secret is
// missing, as in pull requests from forks and from Dependabot, is left out and
// noticed.
func (i LoginInputs) ToPull(r *action.Runner) LoginInputs {
	missing := ""
	switch {
	case i.Username == "" || i.Password != "":
		return i
	case i.ConnectionID == "":
		missing = "the input password is empty"
	case !r.HasIDToken():
		missing = "the job has no ID token"
	default:
		return i
	}
	r.Log.Notice("%s: images that are not public can't be pulled", missing)
	i.Username, i.ConnectionID = "", ""
	return i
}

// Credentials are the logins that the inputs give, and that the step's
// surroundings give when they are first needed. All are masked.
func (i LoginInputs) Credentials(r *action.Runner) (Credentials, error) {
	login := Login{i.Username, i.Password.Reveal()}
	exchanged := i.ConnectionID != ""
	if exchanged {
		login = Login{}
	}
	credentials, err := NewCredentials(i.Registry, login, i.Auths.Reveal())
	for _, secret := range credentials.secrets() {
		r.Log.Mask(secret)
	}
	credentials.leases, credentials.say = newLeases(r.Log.Mask), r.Log.Printf
	problems := append([]error{CheckHost(i.Registry), err}, i.checkConnection()...)
	if exchanged {
		delete(credentials.logins, host(i.Registry))
		credentials.withHub(i.Registry, i.Username, i.ConnectionID, r.IDToken)
	}
	credentials, insecure := credentials.WithInsecure(i.Insecure)
	return credentials, errors.Join(append(problems, insecure...)...)
}

func (i LoginInputs) checkConnection() []error {
	if i.ConnectionID == "" {
		return nil
	}
	var problems []error
	if !connectionID.MatchString(i.ConnectionID) {
		problems = append(problems, action.BadInput("oidc-connection-id", "%q is no ID of an OIDC connection; Docker Hub shows it with the connection, 8-4-4-4-12 hexadecimal digits", i.ConnectionID))
	}
	if i.Username == "" {
		problems = append(problems, action.BadInput("username", "is empty while oidc-connection-id is given; give the name of the organization at Docker Hub"))
	}
	if i.Password != "" {
		problems = append(problems, action.BadInput("password", "is given beside oidc-connection-id, which needs none; give one of the two"))
	}
	if !slices.Contains(oidcHosts, host(i.Registry)) {
		problems = append(problems, action.BadInput("oidc-connection-id", "is for Docker Hub, and registry is %s; leave one of the two out", i.Registry))
	}
	return problems
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
