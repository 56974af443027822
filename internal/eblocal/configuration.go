package eblocal

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

const (
	propertyNamespace    = "aws:elasticbeanstalk:application:environment"
	commandNamespace     = "aws:elasticbeanstalk:command"
	environmentNamespace = "aws:elasticbeanstalk:environment"
	groupNamespace       = "aws:autoscaling:asg"
	healthNamespace      = "aws:elasticbeanstalk:healthreporting:system"
	splittingNamespace   = "aws:elasticbeanstalk:trafficsplitting"
	maxPropertyBytes     = 4096
	// maxSize is how many instances an environment may have here.
	maxSize = 20
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
	{commandNamespace, "Timeout", "600"},
	{environmentNamespace, "EnvironmentType", "LoadBalanced"},
	{environmentNamespace, "LoadBalancerType", "application"},
	{groupNamespace, "MaxSize", "4"},
	{groupNamespace, "MinSize", "1"},
	{healthNamespace, "SystemType", "enhanced"},
	{splittingNamespace, "EvaluationTime", "5"},
	{splittingNamespace, "NewVersionPercent", "10"},
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

// with lays a setting over others.
func with(settings []setting, o setting) []setting {
	return append(without(settings, o.Namespace, o.Name), o)
}

func without(settings []setting, namespace, name string) []setting {
	return slices.DeleteFunc(slices.Clone(settings), func(s setting) bool {
		return s.Namespace == namespace && s.Name == name
	})
}

// allSettings are the defaults with what was set laid over them.
func allSettings(settings []setting) []setting {
	all := slices.Clone(defaultSettings)
	for _, o := range settings {
		all = with(all, o)
	}
	slices.SortStableFunc(all, func(a, b setting) int {
		return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
	})
	return all
}

// valueOf is the value of a setting, its default included.
func valueOf(settings []setting, namespace, name string) string {
	for _, o := range slices.Backward(slices.Concat(defaultSettings, settings)) {
		if o.Namespace == namespace && o.Name == name {
			return o.Value
		}
	}
	return ""
}

func numberOf(settings []setting, namespace, name string) int {
	n, _ := strconv.Atoi(valueOf(settings, namespace, name)) // was checked when it was set
	return n
}

// sizeOf is how many instances an environment has.
func sizeOf(settings []setting) int {
	if valueOf(settings, environmentNamespace, "EnvironmentType") == "SingleInstance" {
		return 1
	}
	return numberOf(settings, groupNamespace, "MinSize")
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

// newSettings is the configuration that a call asks for.
func (c *call) newSettings(settings []setting) ([]setting, error) {
	next := slices.Clone(settings)
	for _, fields := range c.structs("OptionSettings", "Namespace", "OptionName", "Value") {
		next = with(next, setting{fields["Namespace"], fields["OptionName"], fields["Value"]})
	}
	for _, fields := range c.structs("OptionsToRemove", "Namespace", "OptionName") {
		next = without(next, fields["Namespace"], fields["OptionName"])
	}
	for _, p := range problems(next) {
		return nil, &apiError{http.StatusBadRequest, "ConfigurationValidationException", "Configuration validation exception: " + p.message}
	}
	return next, nil
}

func (s *Server) describeConfigurationSettings(c *call) (any, error) {
	if _, err := c.required("ApplicationName"); err != nil {
		return nil, err
	}
	if c.has("TemplateName") || !c.has("EnvironmentName") {
		return nil, invalidCombination("Either a configuration template or an environment must be named; templates are not known here.")
	}
	e, err := s.named(c)
	if err != nil {
		return nil, err
	}
	return struct {
		ConfigurationSettings list[configurationDescription]
	}{listOf(s.configurations(e))}, nil
}

// configurations are what runs and, while an update is in progress, what it is
// about to set.
func (s *Server) configurations(e *environment) []configurationDescription {
	if e.Before == nil {
		return []configurationDescription{s.configuration(e, "deployed", e.Settings)}
	}
	return []configurationDescription{
		s.configuration(e, "deployed", e.Before.Settings),
		s.configuration(e, "pending", e.Settings),
	}
}

func (s *Server) configuration(e *environment, status string, settings []setting) configurationDescription {
	var options []optionSetting
	for _, o := range allSettings(settings) {
		options = append(options, optionSetting{o.Namespace, o.Name, o.Value})
	}
	return configurationDescription{
		SolutionStackName: e.release().stack(), PlatformArn: s.platformArn(e.release()), ApplicationName: e.App,
		Description: e.Description, EnvironmentName: e.Name, DeploymentStatus: status,
		DateCreated: stamp(e.Created), DateUpdated: stamp(e.Updated), OptionSettings: listOf(options),
	}
}
