package buildpush

import (
	"errors"
	"slices"
	"strings"

	"github.com/containerd/platforms"

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
	BuilderInputs
	action.CommitInputs

	Tags      action.Lines   `env:"TAGS"`
	Push      string         `env:"PUSH" envDefault:"auto"`
	BuildArgs action.Scoped  `env:"BUILD-ARGS"`
	Labels    action.Scoped  `env:"LABELS"`
	Secrets   action.Secrets `env:"SECRETS"`

	Platforms  action.Lines `env:"PLATFORMS"`
	Provenance string       `env:"PROVENANCE"`
	SBOM       string       `env:"SBOM"`

	DryRun bool `env:"DRY-RUN" envDefault:"false"`
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
	_, builderErr := c.address()
	return c, trigger, credentials, errors.Join(err, triggerErr, credentialsErr, c.checkPush(), c.Check(), builderErr, c.checkOutcome())
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

// checkOutcome checks what the images are to be.
func (c config) checkOutcome() error {
	var problems []error
	for _, one := range c.platforms() {
		if _, err := platforms.Parse(one); err != nil || !strings.Contains(one, "/") {
			problems = append(problems, action.BadInput("platforms", "%q is no platform; write it as linux/amd64 or linux/arm64", one))
		}
	}
	if !attestable(c.Provenance, "mode=min", "mode=max") {
		problems = append(problems, action.BadInput("provenance", "%q is none of true, false, mode=min, mode=max", c.Provenance))
	}
	if !attestable(c.SBOM) && !strings.HasPrefix(c.SBOM, "generator=") {
		problems = append(problems, action.BadInput("sbom", "%q is none of true, false, generator=IMAGE", c.SBOM))
	}
	return errors.Join(problems...)
}

func attestable(value string, more ...string) bool {
	return slices.Contains(append(more, "", "true", "false"), value)
}

// platforms are the input's, on lines or with commas between, each once.
func (c config) platforms() []string {
	var all []string
	for _, one := range strings.FieldsFunc(strings.Join(c.Platforms, ","), func(r rune) bool { return r == ',' || r == ' ' }) {
		if !slices.Contains(all, one) {
			all = append(all, one)
		}
	}
	return all
}
