package main

import (
	"errors"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/cache"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/registry"
)

// config is the action's inputs.
type config struct {
	compose.ServiceInputs
	registry.LoginInputs
	cache.Inputs
	action.CommitInputs

	Tags      action.Lines   `env:"TAGS"`
	Push      string         `env:"PUSH" envDefault:"auto"`
	BuildArgs action.Scoped  `env:"BUILD-ARGS"`
	Labels    action.Scoped  `env:"LABELS"`
	Secrets   action.Secrets `env:"SECRETS"`
	DryRun    bool           `env:"DRY-RUN" envDefault:"false"`
}

// read gathers all that is wrong with the inputs by themselves. A run that does
// not push can do without the password.
func read(r *action.Runner) (config, action.Trigger, registry.Credentials, error) {
	var c config
	err := r.Inputs(&c)
	trigger, triggerErr := r.Trigger(c.CommitInputs)
	if !c.pushes(trigger) {
		c.LoginInputs = c.ToPull(r)
	}
	credentials, credentialsErr := c.Credentials(r)
	return c, trigger, credentials, errors.Join(err, triggerErr, credentialsErr, c.checkPush(), c.Check())
}

func (c config) checkPush() error {
	switch c.Push {
	case "auto", "true", "false":
		return nil
	}
	return action.BadInput("push", "%q is none of auto, true, false", c.Push)
}

// pushes tells whether this run pushes.
func (c config) pushes(trigger action.Trigger) bool {
	return c.Push == "true" || c.Push == "auto" && !trigger.IsPullRequest()
}
