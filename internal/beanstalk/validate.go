package beanstalk

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// validate asks Elastic Beanstalk what it thinks of the changes, which it does
// without making them. Where it can't be asked, that is a warning: the update
// will tell.
func (c *Client) validate(ctx context.Context, app, env string, changes Changes, secrets Secrets) (warnings []string, err error) {
	set, _ := changes.sent()
	if len(set) == 0 {
		return nil, nil
	}
	hide := secrets.with(changes.values()...).Hide
	out, err := c.eb.ValidateConfigurationSettings(ctx, &elasticbeanstalk.ValidateConfigurationSettingsInput{
		ApplicationName: &app, EnvironmentName: &env, OptionSettings: set,
	})
	if code(err) == "InvalidAction" {
		return nil, nil // an endpoint that is not AWS does not know it
	}
	if err != nil {
		return []string{hide(failed(err, "check the settings for environment %q before they are sent", env).Error())}, nil
	}
	var problems []error
	for _, m := range out.Messages {
		option := Option{Namespace: aws.ToString(m.Namespace), Name: aws.ToString(m.OptionName)}
		found := fmt.Errorf("%s: %s: %s", option.input(), option, hide(aws.ToString(m.Message)))
		if m.Severity == types.ValidationSeverityError {
			problems = append(problems, found)
			continue
		}
		warnings = append(warnings, found.Error())
	}
	return warnings, errors.Join(problems...)
}

// input is the input that gives such a setting.
func (o Option) input() string {
	if o.IsProperty() {
		return "env-vars"
	}
	return "option-settings"
}

// values are what is to be sent.
func (c Changes) values() []string {
	var all []string
	for _, one := range c {
		all = append(all, one.value)
	}
	return all
}
