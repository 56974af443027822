package beanstalk

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// Settings are those of an environment that a deployment depends on.
type Settings struct {
	// Policy is AllAtOnce, Rolling, RollingWithAdditionalBatch, Immutable or
	// TrafficSplitting.
	Policy string
	// CommandTimeout is how long an instance may take for the commands of one
	// deployment.
	CommandTimeout time.Duration
	// Batches is into how many parts the instances are split at most.
	Batches int
	// Evaluation is how long traffic is split.
	Evaluation time.Duration
	// Options are all that have a value. Elastic Beanstalk does not tell some
	// secret ones, such as a database's password.
	Options Options

	// secrets are the secret values among the environment's properties.
	secrets []string
	// replaces tells that settings are to change which may make Elastic
	// Beanstalk replace instances one batch after the other.
	replaces bool
}

// The namespaces of the options that matter here.
const (
	commandOptions     = "aws:elasticbeanstalk:command"
	environmentOptions = "aws:elasticbeanstalk:environment"
	splittingOptions   = "aws:elasticbeanstalk:trafficsplitting"
	groupOptions       = "aws:autoscaling:asg"
	propertyOptions    = "aws:elasticbeanstalk:application:environment"
	secretOptions      = "aws:elasticbeanstalk:application:environmentsecrets"
)

// Elastic Beanstalk's own times: the default of the option Timeout, what it
// waits beyond that before it calls a batch failed, and what the start of an
// instance and the last health checks may take.
const (
	defaultCommandTimeout = 600 * time.Second
	batchMargin           = 240 * time.Second
	launchMargin          = 5 * time.Minute
	endMargin             = 5 * time.Minute
	// replaceMargin is the default of the option Timeout of
	// aws:autoscaling:updatepolicy:rollingupdate.
	replaceMargin = 30 * time.Minute
)

// Settings reads what runs now, not what is saved in a template. The secrets of
// settings that an update is about to bring are known to it too, since the
// logs of new instances hold them.
func (c *Client) Settings(ctx context.Context, app, env string) (Settings, error) {
	out, err := c.eb.DescribeConfigurationSettings(ctx, &elasticbeanstalk.DescribeConfigurationSettingsInput{
		ApplicationName: &app, EnvironmentName: &env,
	})
	if err != nil {
		return Settings{}, failed(err, "read the settings of environment %q", env)
	}
	var deployed *Settings
	var secrets []string
	for _, one := range out.ConfigurationSettings {
		s := settings(one.OptionSettings)
		secrets = append(secrets, s.secrets...)
		if one.DeploymentStatus == "" || one.DeploymentStatus == types.ConfigurationDeploymentStatusDeployed {
			deployed = &s
		}
	}
	if deployed == nil {
		return Settings{}, fmt.Errorf("read the settings of environment %q: none are deployed", env)
	}
	deployed.secrets = secrets
	return *deployed, nil
}

// Reload reads the settings and the secrets again, which an update may have
// changed. The secrets of before stay hidden. Where it fails, it is not known
// what is secret, and Secrets withholds whatever may be.
func (c *Client) Reload(ctx context.Context, app string, d *Destination) error {
	s, err := c.Settings(ctx, app, d.Environment.Name)
	d.Secrets = c.secrets(ctx, s, err).with(d.Secrets.values...)
	if err != nil {
		return fmt.Errorf("%w; texts that may hold secrets are not shown", err)
	}
	d.Settings = s
	return nil
}

func settings(all []types.ConfigurationOptionSetting) Settings {
	options := Options{}
	for _, o := range all {
		if value := aws.ToString(o.Value); value != "" {
			options[Option{aws.ToString(o.Namespace), aws.ToString(o.OptionName), aws.ToString(o.ResourceName)}] = value
		}
	}
	return newSettings(options)
}

func newSettings(options Options) Settings {
	s := Settings{Options: options, secrets: propertySecrets(options.properties())}
	s.Policy = options.Get(commandOptions, "DeploymentPolicy")
	s.CommandTimeout = time.Duration(number(options.Get(commandOptions, "Timeout"), int(defaultCommandTimeout.Seconds()))) * time.Second
	s.Evaluation = time.Duration(number(options.Get(splittingOptions, "EvaluationTime"), 5)) * time.Minute
	s.Batches = batches(s.Policy, options)
	return s
}

// With are the settings after an update that brings the wanted ones.
func (s Settings) With(want Options) Settings {
	if len(want) == 0 {
		return s
	}
	changed := newSettings(s.Options.Merge(want))
	changed.secrets = append(changed.secrets, s.secrets...)
	changed.replaces = s.replaces || slices.ContainsFunc(s.Changes(want), func(c Change) bool { return !c.IsProperty() })
	return changed
}

// batches counts the parts, from the size of a batch and the most instances
// that the environment may have.
func batches(policy string, options Options) int {
	switch policy {
	case "Immutable", "TrafficSplitting":
		return 2 // one instance to try, then the rest
	case "Rolling", "RollingWithAdditionalBatch":
	default:
		return 1
	}
	if options.Get(environmentOptions, "EnvironmentType") == "SingleInstance" {
		return 1
	}
	size := number(options.Get(commandOptions, "BatchSize"), 100)
	whole := 100
	if options.Get(commandOptions, "BatchSizeType") == "Fixed" {
		whole = number(options.Get(groupOptions, "MaxSize"), 4)
	}
	n := (whole + size - 1) / size
	if policy == "RollingWithAdditionalBatch" {
		n++
	}
	return n
}

// number reads a positive option, or gives the default.
func number(text string, otherwise int) int {
	if n, err := strconv.Atoi(text); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// Deadline is how long a deployment may take with these settings before
// Elastic Beanstalk itself has called it failed. The zero Settings, of an
// environment that could not be read, count as the longest default.
func (s Settings) Deadline() time.Duration {
	if s.Batches == 0 {
		s = Settings{Policy: "Immutable", CommandTimeout: defaultCommandTimeout, Batches: 2, replaces: s.replaces}
	}
	total := time.Duration(s.Batches)*(s.CommandTimeout+batchMargin) + endMargin
	switch s.Policy {
	case "Immutable":
		total += 2 * launchMargin
	case "TrafficSplitting":
		total += 2*launchMargin + s.Evaluation
	case "RollingWithAdditionalBatch":
		total += launchMargin
	}
	if s.replaces {
		total += replaceMargin
	}
	return total
}
