package main

import (
	"errors"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/registry"
)

// config is the action's inputs.
type config struct {
	compose.ServiceInputs
	registry.LoginInputs

	Suites    action.Lines   `env:"SUITES"`
	BuildArgs action.Scoped  `env:"BUILD-ARGS"`
	Secrets   action.Secrets `env:"SECRETS"`
	Keep      bool           `env:"KEEP" envDefault:"false"`
}

// read gathers all that is wrong with the inputs by themselves.
func read(r *action.Runner) (config, registry.Credentials, error) {
	var c config
	err := r.Inputs(&c)
	if c.WithoutSecret() {
		r.Log.Notice("the input password is empty: images that are not public can't be pulled")
		c.LoginInputs = c.Anonymous()
	}
	credentials, credentialsErr := c.Credentials()
	for _, secret := range credentials.Secrets() {
		r.Log.Mask(secret)
	}
	return c, credentials, errors.Join(err, credentialsErr)
}
