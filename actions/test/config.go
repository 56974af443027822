package main

import (
	"crypto/sha256"
	"encoding/hex"
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
	credentials, credentialsErr := c.Credentials()
	for _, secret := range credentials.Secrets() {
		r.Log.Mask(secret)
	}
	return c, credentials, errors.Join(err, credentialsErr)
}

// runKey names this step of this run among all that share an engine: legs of a
// matrix have one job and one run, but each its runner.
func runKey(r *action.Runner) string {
	hash := sha256.New()
	for _, variable := range []string{
		"GITHUB_SERVER_URL", "GITHUB_REPOSITORY", "GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB", "GITHUB_ACTION", "RUNNER_NAME", "GITHUB_WORKSPACE",
	} {
		hash.Write([]byte(r.Getenv(variable) + "\x00"))
	}
	return hex.EncodeToString(hash.Sum(nil))[:16]
}
