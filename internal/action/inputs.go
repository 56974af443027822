package action

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/caarlos0/env/v10"
)

// inputPrefix begins the variables that carry inputs: INPUT_ and the name in
// capitals, hyphens kept (actions/runner, Handler.cs).
const inputPrefix = "INPUT_"

// Inputs fills a struct whose fields have `env:"NAME"` tags (the input's name
// in capitals) and `envDefault`. Every secret is masked before it returns. All
// bad inputs are reported at once, by the names that action.yml gives them.
func (r *Runner) Inputs(config any) error {
	options := env.Options{Prefix: inputPrefix, Environment: r.trimmed()}
	err := env.ParseWithOptions(config, options)
	for _, secret := range masks(reflect.ValueOf(config).Elem()) {
		r.Log.Mask(secret)
	}
	return inputErrors(config, options, err)
}

// trimmed drops the space after every input and, from inputs of one line,
// also the space before.
func (r *Runner) trimmed() map[string]string {
	inputs := maps.Clone(r.env)
	for key, value := range inputs {
		if !strings.HasPrefix(key, inputPrefix) {
			continue
		}
		value = strings.TrimRight(value, " \t\r\n")
		if !strings.Contains(value, "\n") {
			value = strings.TrimSpace(value)
		}
		inputs[key] = value
	}
	return inputs
}

// InputNames lists the inputs that a config struct reads, as action.yml names
// them, with their defaults.
func InputNames(config any) (map[string]string, error) {
	fields, err := env.GetFieldParamsWithOptions(config, env.Options{})
	if err != nil {
		return nil, fmt.Errorf("read the tags of %T: %w", config, err)
	}
	names := make(map[string]string, len(fields))
	for _, field := range fields {
		names[strings.ToLower(field.Key)] = field.DefaultValue
	}
	return names, nil
}

// masker is a type of input that holds values to be masked.
type masker interface{ Masks() []string }

func masks(value reflect.Value) []string {
	var all []string
	for i := range value.NumField() {
		field := value.Field(i)
		if secret, ok := field.Interface().(masker); ok {
			all = append(all, secret.Masks()...)
		} else if field.Kind() == reflect.Struct {
			all = append(all, masks(field)...)
		}
	}
	return all
}

func inputErrors(config any, options env.Options, err error) error {
	var aggregate env.AggregateError
	if err == nil || !errors.As(err, &aggregate) {
		return err
	}
	var all []error
	for _, one := range aggregate.Errors {
		all = append(all, inputError(reflect.TypeOf(config).Elem(), options, one))
	}
	return errors.Join(all...)
}

func inputError(config reflect.Type, options env.Options, err error) error {
	var empty env.EmptyEnvVarError
	if errors.As(err, &empty) {
		name := strings.ToLower(strings.TrimPrefix(empty.Key, inputPrefix))
		return BadInput(name, "is empty; give it a value under `with:`")
	}
	var parse env.ParseError
	if !errors.As(err, &parse) {
		return err
	}
	key := tagOf(config, parse.Name)
	name := strings.ToLower(key)
	found := options.Environment[inputPrefix+key]
	switch parse.Type.Kind() {
	case reflect.Bool:
		return BadInput(name, "%q is neither true nor false", found)
	case reflect.Int, reflect.Int64:
		if parse.Type.String() == "time.Duration" {
			return BadInput(name, "%q is no duration; write it as 90s, 10m or 1h30m", found)
		}
		return BadInput(name, "%q is no whole number", found)
	}
	return BadInput(name, "%w", parse.Err)
}

// tagOf is the variable behind a field, which env's errors name by its Go
// name.
func tagOf(config reflect.Type, field string) string {
	found, ok := config.FieldByName(field)
	if !ok {
		return field
	}
	key, _, _ := strings.Cut(found.Tag.Get("env"), ",")
	return key
}
