package beanstalk

import (
	"context"
	"fmt"
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

	// secrets are the secret values among the environment's properties.
	secrets []string
}

// The namespaces of the options that matter here.
const (
	commandOptions     = "aws:elasticbeanstalk:command"
	environmentOptions = "aws:elasticbeanstalk:environment"
	splittingOptions   = "aws:elasticbeanstalk:trafficsplitting"
	groupOptions       = "aws:autoscaling:asg"
	propertyOptions    = "aws:elasticbeanstalk:application:environment"
)

// Elastic Beanstalk's own times: the default of the option Timeout, what it
// waits beyond that before it calls a batch failed, and what the start of an
// instance and the last health checks may take.
const (
	defaultCommandTimeout = 600 * time.Second
	batchMargin           = 240 * time.Second
	launchMargin          = 5 * time.Minute
	endMargin             = 5 * time.Minute
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
	options, properties := map[string]string{}, map[string]string{}
	var s Settings
	for _, o := range all {
		namespace, name, value := aws.ToString(o.Namespace), aws.ToString(o.OptionName), aws.ToString(o.Value)
		if namespace == propertyOptions {
			properties[name] = value
			continue
		}
		options[namespace+"/"+name] = value
	}
	s.secrets = propertySecrets(properties)
	s.Policy = options[commandOptions+"/DeploymentPolicy"]
	s.CommandTimeout = time.Duration(number(options[commandOptions+"/Timeout"], int(defaultCommandTimeout.Seconds()))) * time.Second
	s.Evaluation = time.Duration(number(options[splittingOptions+"/EvaluationTime"], 5)) * time.Minute
	s.Batches = batches(s.Policy, options)
	return s
}

// batches counts the parts, from the size of a batch and the most instances
// that the environment may have.
func batches(policy string, options map[string]string) int {
	switch policy {
	case "Immutable", "TrafficSplitting":
		return 2 // one instance to try, then the rest
	case "Rolling", "RollingWithAdditionalBatch":
	default:
		return 1
	}
	if options[environmentOptions+"/EnvironmentType"] == "SingleInstance" {
		return 1
	}
	size := number(options[commandOptions+"/BatchSize"], 100)
	whole := 100
	if options[commandOptions+"/BatchSizeType"] == "Fixed" {
		whole = number(options[groupOptions+"/MaxSize"], 4)
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
		s = Settings{Policy: "Immutable", CommandTimeout: defaultCommandTimeout, Batches: 2}
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
	return total
}
