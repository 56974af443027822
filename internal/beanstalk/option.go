package beanstalk

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// Option names a setting of an environment (Elastic Beanstalk guide,
// "Configuration options").
type Option struct {
	// Namespace is such as aws:autoscaling:asg.
	Namespace, Name string
	// Resource tells settings of the same name apart, such as those of several
	// scheduled actions; it is mostly empty.
	Resource string
}

// Property is an environment property, which the containers see as a variable.
func Property(name string) Option { return Option{Namespace: propertyOptions, Name: name} }

// IsProperty tells an environment property from other settings.
func (o Option) IsProperty() bool { return o.Namespace == propertyOptions }

// MayBeSecret tells a setting whose value may be one: every environment
// property, and of the others those that are called so, as DBPassword.
func (o Option) MayBeSecret() bool { return o.IsProperty() || secretName.MatchString(o.Name) }

// String is the setting in messages. It holds no value.
func (o Option) String() string {
	switch {
	case o.IsProperty():
		return "property " + o.Name
	case o.Resource != "":
		return fmt.Sprintf("%s %s of %s", o.Namespace, o.Name, o.Resource)
	}
	return o.Namespace + " " + o.Name
}

func compareOptions(a, b Option) int {
	return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name), cmp.Compare(a.Resource, b.Resource))
}

// Options are settings with their values. As a wish, an empty value removes
// the setting.
type Options map[Option]string

// String hides the values from every format.
func (o Options) String() string { return fmt.Sprintf("%d settings", len(o)) }

// GoString hides the values from %#v.
func (o Options) GoString() string { return o.String() }

// Sorted are the names in the order of messages.
func (o Options) Sorted() []Option { return slices.SortedFunc(maps.Keys(o), compareOptions) }

// Merge is o with the changes that other wishes for.
func (o Options) Merge(other Options) Options {
	merged := maps.Clone(o)
	if merged == nil {
		merged = Options{}
	}
	for option, value := range other {
		merged[o.find(option)] = value
	}
	maps.DeleteFunc(merged, func(_ Option, value string) bool { return value == "" })
	return merged
}

// find is the setting as an environment has it. Elastic Beanstalk tells some,
// such as those of the Auto Scaling group, with the resource that they are of,
// which is not needed to set them.
func (o Options) find(wanted Option) Option {
	if _, there := o[wanted]; there || wanted.Resource != "" {
		return wanted
	}
	for option := range o {
		if option.Namespace == wanted.Namespace && option.Name == wanted.Name {
			return option
		}
	}
	return wanted
}

// Get is the value of a setting by its name, empty where it has none.
func (o Options) Get(namespace, name string) string {
	return o[o.find(Option{Namespace: namespace, Name: name})]
}

// properties are the environment properties among the settings.
func (o Options) properties() map[string]string {
	found := map[string]string{}
	for option, value := range o {
		if option.IsProperty() {
			found[option.Name] = value
		}
	}
	return found
}

// Properties are the names of all that Elastic Beanstalk writes into the .env
// that containers read: environment properties, and those that come from a
// secret.
func (o Options) Properties() []string {
	var names []string
	for _, option := range o.Sorted() {
		if option.IsProperty() || option.Namespace == secretOptions {
			names = append(names, option.Name)
		}
	}
	return names
}

// Secrets are the values that must not be shown: those of the properties that
// are secret by their name or hold a password.
func (o Options) Secrets() Secrets { return NewSecrets(propertySecrets(o.properties())...) }

// Change is one setting that differs from what an environment has.
type Change struct {
	Option
	// What is "added", "changed" or "removed".
	What string

	value string
}

// The ways in which a setting differs.
const (
	added   = "added"
	changed = "changed"
	removed = "removed"
)

// String tells the change without a value.
func (c Change) String() string {
	if c.What == removed {
		return c.Option.String() + ": removed"
	}
	return fmt.Sprintf("%s: %s (value hidden)", c.Option, c.What)
}

// GoString hides the value from %#v.
func (c Change) GoString() string { return c.String() }

// Changes are in the order of their names.
type Changes []Change

// Changes are what is to be sent for an environment with these settings to
// have the wanted ones. What it has already, or lacks already, is left out.
func (s Settings) Changes(want Options) Changes {
	var all Changes
	for _, option := range want.Sorted() {
		value := want[option]
		have, there := s.Options[s.Options.find(option)]
		switch {
		case value == "" && there:
			all = append(all, Change{Option: option, What: removed})
		case value == "" || there && equal(have, value):
		case there:
			all = append(all, Change{option, changed, value})
		default:
			all = append(all, Change{option, added, value})
		}
	}
	return all
}

// equal compares as Elastic Beanstalk reads values: a truth in any case.
func equal(a, b string) bool {
	truth := func(text string) bool { return strings.EqualFold(text, "true") || strings.EqualFold(text, "false") }
	return a == b || truth(a) && strings.EqualFold(a, b)
}

// sent are the changes as the API takes them.
func (c Changes) sent() (set []types.ConfigurationOptionSetting, remove []types.OptionSpecification) {
	for _, one := range c {
		if one.What == removed {
			remove = append(remove, types.OptionSpecification{
				Namespace: aws.String(one.Namespace), OptionName: aws.String(one.Name), ResourceName: orNil(one.Resource),
			})
			continue
		}
		set = append(set, types.ConfigurationOptionSetting{
			Namespace: aws.String(one.Namespace), OptionName: aws.String(one.Name), ResourceName: orNil(one.Resource), Value: aws.String(one.value),
		})
	}
	return set, remove
}

func orNil(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// maxProperties is how many bytes an environment's properties may have
// together, each written as KEY=VALUE (Elastic Beanstalk guide, "Environment
// property limits").
const maxProperties = 4096

// CheckProperties refuses more properties than an environment can have: those
// there are, with the wanted changes.
func (s Settings) CheckProperties(want Options) error {
	properties := s.Options.Merge(want).properties()
	total := 0
	for name, value := range properties {
		total += len(name) + len("=") + len(value)
	}
	if total <= maxProperties {
		return nil
	}
	largest := slices.SortedFunc(maps.Keys(properties), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(properties[b]), len(properties[a])), cmp.Compare(a, b))
	})[0]
	return fmt.Errorf("env-vars: with what the environment has, its properties come to %d bytes; Elastic Beanstalk takes %d in all. "+
		"Remove some (KEY= removes one); the largest is %s with %d bytes", total, maxProperties, largest, len(properties[largest]))
}

// Undo is the wish to have the changed settings as they were before.
func (c Changes) Undo(before Settings) Options {
	wish := Options{}
	for _, one := range c {
		wish[one.Option] = before.Options[before.Options.find(one.Option)]
	}
	return wish
}
