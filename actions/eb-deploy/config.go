package ebdeploy

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/registry"
)

// config is the action's inputs.
type config struct {
	Region     string `env:"REGION,notEmpty"`
	App        string `env:"APP,notEmpty"`
	Envs       names  `env:"ENV"`
	BucketName string `env:"BUCKET-NAME"`
	BucketPath string `env:"BUCKET-PATH"`

	MaxParallel int  `env:"MAX-PARALLEL" envDefault:"0"`
	FailFast    bool `env:"FAIL-FAST" envDefault:"true"`

	Images  string `env:"IMAGES"`
	Tags    string `env:"TAGS"`
	Digests string `env:"DIGESTS"`
	registry.LoginInputs
	CheckImages bool `env:"CHECK-IMAGES" envDefault:"true"`

	Source      string       `env:"SOURCE" envDefault:"."`
	ComposeFile action.Lines `env:"COMPOSE-FILE"`
	Bundle      string       `env:"BUNDLE" envDefault:"minimal"`
	KeepMounts  bool         `env:"KEEP-MOUNTS" envDefault:"false"`

	VersionLabel string `env:"VERSION-LABEL"`
	Description  string `env:"DESCRIPTION"`

	Wait         bool          `env:"WAIT" envDefault:"true"`
	Timeout      time.Duration `env:"TIMEOUT"`
	AcceptHealth healths       `env:"ACCEPT-HEALTH" envDefault:"Green,Yellow"`
	OnFailure    aftermath     `env:"ON-FAILURE" envDefault:"none"`
	Force        bool          `env:"FORCE" envDefault:"false"`
	DryRun       bool          `env:"DRY-RUN" envDefault:"false"`

	AccountInputs
	SettingInputs
	RetentionInputs
	CreateInputs
	action.CommitInputs
}

// names are separated by commas, blanks or line ends.
type names []string

// UnmarshalText never fails.
func (n *names) UnmarshalText(text []byte) error {
	*n = strings.FieldsFunc(string(text), func(r rune) bool { return strings.ContainsRune(", \t\r\n", r) })
	return nil
}

// healths is a list of names of healths.
type healths []string

// allHealths are the colours that an environment may have.
var allHealths = healths{"Green", "Yellow", "Red", "Grey"}

// UnmarshalText takes the names in any case. It fails on others, and on an
// empty list, which no environment could ever satisfy.
func (h *healths) UnmarshalText(text []byte) error {
	var all names
	if err := all.UnmarshalText(text); err != nil {
		return err
	}
	*h = nil
	for _, name := range all {
		known := slices.IndexFunc(allHealths, func(one string) bool { return strings.EqualFold(one, name) })
		if known < 0 {
			return fmt.Errorf("%q is none of %s", name, strings.Join(allHealths, ", "))
		}
		*h = append(*h, allHealths[known])
	}
	if len(*h) == 0 {
		return fmt.Errorf("%q names none of %s", text, strings.Join(allHealths, ", "))
	}
	return nil
}

// read gathers all that is wrong with the inputs by themselves.
func read(r *action.Runner) (config, error) {
	var c config
	err := r.Inputs(&c)
	if c.DryRun {
		c.LoginInputs = c.ToPull(r)
		c.noticeNoLogin(r)
	}
	return c, errors.Join(err, c.checkNames(), c.checkChoices())
}

// checkNames holds the names against the limits of Elastic Beanstalk and S3.
func (c config) checkNames() error {
	var problems []error
	for _, one := range []struct {
		input, value string
		check        func(string) error
	}{
		{"region", c.Region, beanstalk.CheckRegion},
		{"app", c.App, beanstalk.CheckApplication},
		{"bucket-name", c.BucketName, beanstalk.CheckBucket},
		{"version-label", c.VersionLabel, beanstalk.CheckLabel},
		{"role-to-assume", c.RoleToAssume, beanstalk.CheckRole},
	} {
		if one.value == "" {
			continue
		}
		if err := one.check(one.value); err != nil {
			problems = append(problems, action.BadInput(one.input, "%w", err))
		}
	}
	return errors.Join(append(problems, c.checkEnvs()...)...)
}

func (c config) checkEnvs() []error {
	var problems []error
	for i, name := range c.Envs {
		if slices.Contains(c.Envs[:i], name) {
			problems = append(problems, action.BadInput("env", "%q stands there twice", name))
		} else if err := beanstalk.CheckEnvironment(name); err != nil {
			problems = append(problems, action.BadInput("env", "%w", err))
		}
	}
	return problems
}

func (c config) checkChoices() error {
	var problems []error
	if c.Timeout < 0 {
		problems = append(problems, action.BadInput("timeout", "%s is negative", c.Timeout))
	}
	if c.MaxParallel < 0 {
		problems = append(problems, action.BadInput("max-parallel", "%d is negative; 0 stands for all at once", c.MaxParallel))
	}
	if len(c.Envs) == 0 && c.deploysExisting() {
		problems = append(problems, action.BadInput("env", "is empty, and no images are given to make a version of: there is nothing to do; name the environment that is to run version %q", c.VersionLabel))
	}
	if key := c.key(strings.Repeat("x", 100), strings.Repeat("0", 64)); len(key) > 1024 {
		problems = append(problems, action.BadInput("bucket-path", "is too long: an S3 key has at most 1024 bytes"))
	}
	return errors.Join(append(append(problems, c.checkRetention()...), c.checkSettings(), c.checkLogin(), c.checkCreate())...)
}

// deploysExisting tells that no version is made: one that is there is deployed.
func (c config) deploysExisting() bool {
	return c.VersionLabel != "" && c.Images+c.Tags+c.Digests == ""
}

// key is where the bundle of a version is kept.
func (c config) key(label, hash string) string {
	return beanstalk.Key(c.folder(), label, hash)
}

func (c config) folder() string {
	return cmp.Or(strings.Trim(c.BucketPath, "/"), c.App)
}
