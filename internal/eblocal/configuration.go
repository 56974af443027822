package eblocal

import (
	"slices"
	"strconv"
	"time"
)

const (
	propertyNamespace = "aws:elasticbeanstalk:application:environment"
	commandNamespace  = "aws:elasticbeanstalk:command"
	maxPropertyBytes  = 4096
	// On AWS a deployment may take so many seconds more than the option says.
	defaultCommandTimeout = 600
)

// setting is a configuration option and its value.
type setting struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Value     string `json:"value"`
}

// defaultSettings are those that an environment has without being asked.
var defaultSettings = []setting{
	{commandNamespace, "BatchSize", "100"},
	{commandNamespace, "BatchSizeType", "Percentage"},
	{commandNamespace, "DeploymentPolicy", "Immutable"},
	{commandNamespace, "IgnoreHealthCheck", "false"},
	{commandNamespace, "Timeout", strconv.Itoa(defaultCommandTimeout)},
	{"aws:elasticbeanstalk:environment", "EnvironmentType", "LoadBalanced"},
	{"aws:elasticbeanstalk:environment", "LoadBalancerType", "application"},
	{"aws:elasticbeanstalk:healthreporting:system", "SystemType", "enhanced"},
}

type optionSetting struct{ Namespace, OptionName, Value string }

type configurationDescription struct {
	SolutionStackName string
	PlatformArn       string
	ApplicationName   string
	Description       string `xml:",omitempty"`
	EnvironmentName   string
	DeploymentStatus  string
	DateCreated       string
	DateUpdated       string
	OptionSettings    list[optionSetting]
}

func (e *environment) set(o setting) {
	e.unset(o.Namespace, o.Name)
	e.Settings = append(e.Settings, o)
}

func (e *environment) unset(namespace, name string) {
	e.Settings = slices.DeleteFunc(e.Settings, func(s setting) bool {
		return s.Namespace == namespace && s.Name == name
	})
}

// allSettings are the defaults with what was set laid over them.
func allSettings(settings []setting) []setting {
	all := environment{Settings: slices.Clone(defaultSettings)}
	for _, o := range settings {
		all.set(o)
	}
	slices.SortStableFunc(all.Settings, func(a, b setting) int {
		if a.Namespace+"\x00"+a.Name < b.Namespace+"\x00"+b.Name {
			return -1
		}
		return 1
	})
	return all.Settings
}

// properties are the environment properties among settings.
func properties(settings []setting) map[string]string {
	props := map[string]string{}
	for _, o := range settings {
		if o.Namespace == propertyNamespace {
			props[o.Name] = o.Value
		}
	}
	return props
}

// commandTimeout is how long a deployment may take.
func (e *environment) commandTimeout() time.Duration {
	for _, o := range e.Settings {
		if o.Namespace == commandNamespace && o.Name == "Timeout" {
			if n, err := strconv.Atoi(o.Value); err == nil {
				return time.Duration(n) * time.Second
			}
		}
	}
	return defaultCommandTimeout * time.Second
}

// newSettings is the configuration that an update asks for.
func (s *Server) newSettings(c *call) ([]setting, error) {
	next := environment{Settings: slices.Clone(s.state.Env.Settings)}
	for _, fields := range c.structs("OptionSettings") {
		o := setting{fields["Namespace"], fields["OptionName"], fields["Value"]}
		if err := o.check(); err != nil {
			return nil, err
		}
		next.set(o)
	}
	for _, fields := range c.structs("OptionsToRemove") {
		next.unset(fields["Namespace"], fields["OptionName"])
	}
	return next.Settings, next.checkProperties()
}

func (o setting) check() error {
	if o.Namespace == "" || o.Name == "" {
		return invalidValue("Option setting (Namespace: '%s', OptionName: '%s'): both must be given.", o.Namespace, o.Name)
	}
	if o.Namespace != commandNamespace {
		return nil
	}
	switch o.Name {
	case "DeploymentPolicy":
		if o.Value != "Immutable" {
			return invalidValue("Invalid option value: '%s' (Namespace: '%s', OptionName: 'DeploymentPolicy'): the only policy that is known here is Immutable.", o.Value, o.Namespace)
		}
	case "Timeout":
		if n, err := strconv.Atoi(o.Value); err != nil || n < 1 || n > 3600 {
			return invalidValue("Invalid option value: '%s' (Namespace: '%s', OptionName: 'Timeout'): Value is not in the range 1 to 3600.", o.Value, o.Namespace)
		}
	}
	return nil
}

func (e *environment) checkProperties() error {
	total := 0
	for name, value := range properties(e.Settings) {
		if !propertyName.MatchString(name) {
			return invalidValue("Environment property name '%s' is not valid.", name)
		}
		total += len(name) + len("=") + len(value)
	}
	if total > maxPropertyBytes {
		return invalidValue("Environment properties are %d bytes in total; at most %d are allowed.", total, maxPropertyBytes)
	}
	return nil
}

func (s *Server) describeConfigurationSettings(c *call) (any, error) {
	app, err := c.required("ApplicationName")
	if err != nil {
		return nil, err
	}
	env := &s.state.Env
	if c.has("TemplateName") || !c.has("EnvironmentName") {
		return nil, invalidCombination("Either a configuration template or an environment must be named; templates are not known here.")
	}
	if app != env.App || c.str("EnvironmentName") != env.Name {
		return nil, invalidValue("No Environment found for EnvironmentName = '%s'.", c.str("EnvironmentName"))
	}
	return struct {
		ConfigurationSettings list[configurationDescription]
	}{listOf(s.configurations())}, nil
}

// configurations are what runs and, while an update is in progress, what it is
// about to set.
func (s *Server) configurations() []configurationDescription {
	e := &s.state.Env
	if e.Before == nil {
		return []configurationDescription{s.configuration("deployed", e.Settings)}
	}
	return []configurationDescription{
		s.configuration("deployed", e.Before.Settings),
		s.configuration("pending", e.Settings),
	}
}

func (s *Server) configuration(status string, settings []setting) configurationDescription {
	e := &s.state.Env
	var options []optionSetting
	for _, o := range allSettings(settings) {
		options = append(options, optionSetting{o.Namespace, o.Name, o.Value})
	}
	return configurationDescription{
		SolutionStackName: s.solutionStack(), PlatformArn: s.platformArn(), ApplicationName: e.App,
		Description: e.Description, EnvironmentName: e.Name, DeploymentStatus: status,
		DateCreated: stamp(e.Created), DateUpdated: stamp(e.Updated), OptionSettings: listOf(options),
	}
}
