package test

import (
	"errors"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/cache"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/junit"
	"github.com/guk0/travois/internal/registry"
)

// config is the action's inputs.
type config struct {
	compose.ServiceInputs
	registry.LoginInputs
	cache.Inputs

	Suites      action.Lines   `env:"SUITES"`
	Reports     action.Lines   `env:"REPORTS"`
	Artifacts   action.Lines   `env:"ARTIFACTS"`
	PathMap     junit.PathMap  `env:"PATH-MAP"`
	FailOnEmpty bool           `env:"FAIL-ON-EMPTY" envDefault:"false"`
	Timeout     time.Duration  `env:"TIMEOUT" envDefault:"50m"`
	IdleTimeout time.Duration  `env:"IDLE-TIMEOUT" envDefault:"10m"`
	Retries     int            `env:"RETRIES" envDefault:"0"`
	Network     string         `env:"NETWORK"`
	BuildArgs   action.Scoped  `env:"BUILD-ARGS"`
	Secrets     action.Secrets `env:"SECRETS"`
	Keep        bool           `env:"KEEP" envDefault:"false"`
}

// maxRetries keeps a slip of the finger from running a suite all day.
const maxRetries = 10

// read gathers all that is wrong with the inputs by themselves.
func read(r *action.Runner) (config, registry.Credentials, error) {
	var c config
	err := r.Inputs(&c)
	c.LoginInputs = c.ToPull(r)
	credentials, credentialsErr := c.Credentials(r)
	return c, credentials, errors.Join(err, credentialsErr, c.checkLimits(), c.checkReports(), c.Check())
}

// checkReports refuses a guard that would guard nothing.
func (c config) checkReports() error {
	if c.FailOnEmpty && len(c.Reports) == 0 {
		return action.BadInput("fail-on-empty", "is true, and reports names no file that could hold tests; give reports, or leave fail-on-empty out")
	}
	return nil
}

func (c config) checkLimits() error {
	var problems []error
	if c.Timeout < 0 {
		problems = append(problems, action.BadInput("timeout", "%s is negative; give a duration, or 0s for none", c.Timeout))
	}
	if c.IdleTimeout < 0 {
		problems = append(problems, action.BadInput("idle-timeout", "%s is negative; give a duration, or 0s for none", c.IdleTimeout))
	}
	if c.Retries < 0 || c.Retries > maxRetries {
		problems = append(problems, action.BadInput("retries", "%d is not between 0 and %d", c.Retries, maxRetries))
	}
	return errors.Join(problems...)
}
