package ebdeploy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
)

// SettingInputs are the settings that the environment is to have.
type SettingInputs struct {
	EnvVars        properties `env:"ENV-VARS"`
	OptionSettings settings   `env:"OPTION-SETTINGS"`
}

// options are both together.
func (i SettingInputs) options() beanstalk.Options {
	all := beanstalk.Options{}
	maps.Copy(all, i.OptionSettings)
	for name, value := range i.EnvVars {
		all[beanstalk.Property(name)] = value
	}
	return all
}

func (c config) checkSettings() error {
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(c.EnvVars)) {
		if _, twice := c.OptionSettings[beanstalk.Property(name)]; twice {
			problems = append(problems, action.BadInput("option-settings", "%s is given by env-vars too; give it once", beanstalk.Property(name)))
		}
	}
	if len(c.Envs) == 0 && len(c.EnvVars) > 0 {
		problems = append(problems, action.BadInput("env-vars", "is given, but no environment that is to have them; name it in env"))
	}
	if len(c.Envs) == 0 && len(c.OptionSettings) > 0 {
		problems = append(problems, action.BadInput("option-settings", "is given, but no environment that is to have them; name it in env"))
	}
	return errors.Join(problems...)
}

// shortestMask keeps a value such as 3306 from turning logs into asterisks.
const shortestMask = 8

// mask hides the values in this log and in those of the steps that follow. One
// that is a part of an output is left, since GitHub drops an output that holds
// a masked value.
func (p plan) mask(log *action.Log, t beanstalk.Target) {
	public := p.public(t)
	for option, value := range p.config.options() {
		if !option.MayBeSecret() {
			continue
		}
		for line := range strings.Lines(value) {
			line = strings.TrimSpace(line)
			if len(line) >= shortestMask && !strings.Contains(public, line) {
				log.Mask(line)
			}
		}
	}
}

// public is all that an output may hold.
func (p plan) public(t beanstalk.Target) string {
	texts := []string{
		p.config.Region, p.config.App, p.label, p.hash, p.key, p.config.BucketName,
		beanstalk.AccountBucket(p.config.Region, t.Identity.Account),
	}
	for _, r := range severity {
		texts = append(texts, string(r))
	}
	for _, d := range t.Destinations {
		texts = append(texts, d.Environment.Name, d.Environment.ID, d.Environment.URL(), d.Environment.VersionLabel)
	}
	if t.Version != nil {
		texts = append(texts, t.Version.URI())
	}
	return strings.Join(texts, "\n")
}

// properties are environment properties: KEY=VALUE lines. KEY= removes one.
// Its errors name lines by number, since a value may stand where a key should.
type properties map[string]string

// String hides the values from every format.
func (p properties) String() string { return fmt.Sprintf("%d properties", len(p)) }

// GoString hides the values from %#v.
func (p properties) GoString() string { return p.String() }

// propertyName is what Elastic Beanstalk takes as a property's name (its guide,
// "Environment properties").
var propertyName = regexp.MustCompile(`^[A-Za-z0-9_.:/+\\@-]{1,128}$`)

// UnmarshalText reports every bad line.
func (p *properties) UnmarshalText(text []byte) error {
	*p = properties{}
	var problems []error
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		if strings.TrimSpace(line) == "" {
			continue
		}
		key, value, found := strings.Cut(strings.TrimRight(line, "\r\n"), "=")
		key = strings.TrimSpace(key)
		_, twice := (*p)[key]
		switch {
		case !found:
			problems = append(problems, fmt.Errorf("line %d is not KEY=VALUE", number))
		case !propertyName.MatchString(key):
			problems = append(problems, fmt.Errorf("line %d: what stands before the = is no name of a property: allowed are letters, digits and _ . : / + \\ - @, without a space", number))
		case twice:
			problems = append(problems, fmt.Errorf("line %d gives a property a second time", number))
		}
		(*p)[key] = value
	}
	return errors.Join(problems...)
}

// settings are other settings of an environment, as JSON: by namespace as in
// .ebextensions, or the list that the AWS CLI takes.
type settings beanstalk.Options

// String hides the values from every format.
func (s settings) String() string { return beanstalk.Options(s).String() }

// GoString hides the values from %#v.
func (s settings) GoString() string { return s.String() }

const settingsShapes = `write {"aws:autoscaling:asg":{"MaxSize":"4"}}, or [{"Namespace":"aws:autoscaling:asg","OptionName":"MaxSize","Value":"4"}]`

// UnmarshalText never quotes a value in its errors.
func (s *settings) UnmarshalText(text []byte) error {
	*s = settings{}
	text = bytes.TrimSpace(text)
	switch {
	case len(text) == 0:
		return nil
	case text[0] == '[':
		return s.fromList(text)
	}
	return s.fromNamespaces(text)
}

func (s *settings) fromNamespaces(text []byte) error {
	var all map[string]map[string]any
	if err := decode(text, &all); err != nil {
		return err
	}
	var problems []error
	for namespace, options := range all {
		for name, value := range options {
			problems = append(problems, s.add(beanstalk.Option{Namespace: namespace, Name: name}, value))
		}
	}
	return inOrder(problems)
}

func (s *settings) fromList(text []byte) error {
	var all []struct {
		Namespace, OptionName, ResourceName string
		Value                               any
	}
	if err := decode(text, &all); err != nil {
		return err
	}
	var problems []error
	for i, one := range all {
		option := beanstalk.Option{Namespace: one.Namespace, Name: one.OptionName, Resource: one.ResourceName}
		if _, twice := (*s)[option]; twice {
			problems = append(problems, fmt.Errorf("entry %d gives %s a second time", i+1, option))
		}
		if one.OptionName == "" {
			problems = append(problems, fmt.Errorf("entry %d has no OptionName", i+1))
			continue
		}
		problems = append(problems, s.add(option, one.Value))
	}
	return inOrder(problems)
}

func (s *settings) add(option beanstalk.Option, value any) error {
	if !strings.Contains(option.Namespace, ":") {
		return fmt.Errorf("%q is no namespace; %s", option.Namespace, settingsShapes)
	}
	switch value := value.(type) {
	case nil:
		(*s)[option] = ""
	case string, bool, json.Number:
		(*s)[option] = fmt.Sprint(value)
	default:
		return fmt.Errorf("%s is neither text, number nor truth; write a list as one text with commas", option)
	}
	return nil
}

// decode keeps numbers as they are written, and says where the text is broken.
func decode(text []byte, into any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	decoder.DisallowUnknownFields()
	err := decoder.Decode(into)
	if err == nil && decoder.More() {
		err = errors.New("more follows after its end")
	}
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case err == nil:
		return repeated(text)
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("ends before its JSON does; %s", settingsShapes)
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d is no JSON; %s", 1+bytes.Count(text[:syntax.Offset], []byte("\n")), settingsShapes)
	case errors.As(err, &kind):
		return fmt.Errorf("line %d is not of the shape; %s", 1+bytes.Count(text[:kind.Offset], []byte("\n")), settingsShapes)
	}
	return fmt.Errorf("%w; %s", err, settingsShapes)
}

// inOrder joins problems that were found in no order.
func inOrder(problems []error) error {
	err := errors.Join(problems...)
	if err == nil {
		return nil
	}
	lines := strings.Split(err.Error(), "\n")
	slices.Sort(lines)
	return errors.New(strings.Join(lines, "\n"))
}
