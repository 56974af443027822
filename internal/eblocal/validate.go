package eblocal

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// problem is what is wrong with a setting.
type problem struct {
	setting
	message string
}

// problems are all that is wrong with a configuration.
func problems(settings []setting) []problem {
	var found []problem
	for _, o := range settings {
		if text := o.problem(); text != "" {
			found = append(found, problem{o, text})
		}
	}
	if valueOf(settings, commandNamespace, "DeploymentPolicy") == splitting &&
		(valueOf(settings, environmentNamespace, "EnvironmentType") == "SingleInstance" || valueOf(settings, environmentNamespace, "LoadBalancerType") != "application") {
		found = append(found, problem{setting{commandNamespace, "DeploymentPolicy", splitting},
			"Traffic-splitting deployments require an Application Load Balancer."})
	}
	return append(found, propertyProblems(settings)...)
}

// choices are the values of options that take one of a few.
var choices = map[[2]string][]string{
	{commandNamespace, "DeploymentPolicy"}:     {allAtOnce, rolling, additionalBatch, immutable, splitting},
	{commandNamespace, "BatchSizeType"}:        {"Percentage", "Fixed"},
	{environmentNamespace, "EnvironmentType"}:  {"SingleInstance", "LoadBalanced"},
	{healthNamespace, "SystemType"}:            {"basic", "enhanced"},
	{commandNamespace, "IgnoreHealthCheck"}:    {"true", "false"},
	{environmentNamespace, "LoadBalancerType"}: {"classic", "application", "network"},
}

// ranges are the least and the most of options that are numbers.
var ranges = map[[2]string][2]int{
	{commandNamespace, "Timeout"}:             {1, 3600},
	{commandNamespace, "BatchSize"}:           {1, 10000},
	{groupNamespace, "MinSize"}:               {1, maxSize},
	{groupNamespace, "MaxSize"}:               {1, 10000},
	{splittingNamespace, "EvaluationTime"}:    {3, 600},
	{splittingNamespace, "NewVersionPercent"}: {1, 100},
}

// known tells whether there may be such an option. Of most namespaces the options
// are not listed here.
func (o setting) known() bool {
	key := [2]string{o.Namespace, o.Name}
	switch o.Namespace {
	case commandNamespace, splittingNamespace:
		_, number := ranges[key]
		return number || choices[key] != nil
	}
	return strings.HasPrefix(o.Namespace, "aws:") && o.Name != ""
}

func (o setting) problem() string {
	if !o.known() {
		return fmt.Sprintf("Invalid option specification (Namespace: '%s', OptionName: '%s'): Unknown configuration setting.", o.Namespace, o.Name)
	}
	invalid := func(why string) string {
		return fmt.Sprintf("Invalid option value: '%s' (Namespace: '%s', OptionName: '%s'): %s", o.Value, o.Namespace, o.Name, why)
	}
	key := [2]string{o.Namespace, o.Name}
	if allowed := choices[key]; allowed != nil && !slices.Contains(allowed, o.Value) {
		return invalid("Value is not one of the allowed values: [" + strings.Join(allowed, ", ") + "]")
	}
	if bounds, ok := ranges[key]; ok {
		if n, err := strconv.Atoi(o.Value); err != nil || n < bounds[0] || n > bounds[1] {
			return invalid(fmt.Sprintf("Value is not in the range %d to %d.", bounds[0], bounds[1]))
		}
	}
	return ""
}

func propertyProblems(settings []setting) []problem {
	var found []problem
	total := 0
	for name, value := range properties(settings) {
		if !propertyName.MatchString(name) {
			found = append(found, problem{setting{propertyNamespace, name, ""}, fmt.Sprintf("Environment property name '%s' is not valid.", name)})
		}
		total += len(name) + len("=") + len(value)
	}
	if total > maxPropertyBytes {
		found = append(found, problem{setting{Namespace: propertyNamespace},
			fmt.Sprintf("Environment properties are %d bytes in total; at most %d are allowed.", total, maxPropertyBytes)})
	}
	return found
}

type validationMessage struct {
	Message    string
	Severity   string
	Namespace  string
	OptionName string
}

// validateConfigurationSettings says everything that is wrong at once, where an
// update stops at the first.
func (s *Server) validateConfigurationSettings(c *call) (any, error) {
	if _, err := c.required("ApplicationName"); err != nil {
		return nil, err
	}
	var settings []setting
	if c.has("EnvironmentName") {
		e, err := s.named(c)
		if err != nil {
			return nil, err
		}
		settings = e.Settings
	}
	for _, fields := range c.structs("OptionSettings", "Namespace", "OptionName", "Value") {
		settings = with(settings, setting{fields["Namespace"], fields["OptionName"], fields["Value"]})
	}
	var messages []validationMessage
	for _, p := range problems(settings) {
		messages = append(messages, validationMessage{p.message, "error", p.Namespace, p.Name})
	}
	return struct{ Messages list[validationMessage] }{listOf(messages)}, nil
}
