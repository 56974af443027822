package infra_test

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// template is a CloudFormation template while its references are resolved, as
// CloudFormation does when a stack is made.
type template struct {
	parameters, conditions, resources, outputs map[string]any
	// values are the parameters' for this stack.
	values map[string]any
	// used are the parameters and conditions that something asked for.
	used     map[string]bool
	problems []error
}

func load(t *testing.T, values map[string]any) *template {
	t.Helper()
	content, err := os.ReadFile("travois.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var doc yaml.Node
	if err := yaml.Unmarshal(content, &doc); err != nil {
		t.Fatal(err)
	}
	root := plain(doc.Content[0]).(map[string]any)
	section := func(name string) map[string]any {
		m, ok := root[name].(map[string]any)
		if !ok {
			t.Fatalf("the template has no %s", name)
		}
		return m
	}
	tpl := &template{parameters: section("Parameters"), conditions: section("Conditions"), resources: section("Resources"), outputs: section("Outputs"), values: map[string]any{}, used: map[string]bool{}}
	for name, p := range tpl.parameters {
		if value, ok := p.(map[string]any)["Default"]; ok {
			tpl.values[name] = value
		}
	}
	for name, value := range values {
		tpl.values[name] = value
	}
	return tpl
}

// plain is a node as a value, with !Ref and the like in their long form.
func plain(n *yaml.Node) any {
	var value any
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = plain(n.Content[i+1])
		}
		value = m
	case yaml.SequenceNode:
		list := []any{}
		for _, item := range n.Content {
			list = append(list, plain(item))
		}
		value = list
	default:
		if strings.HasPrefix(n.Tag, "!!") {
			_ = n.Decode(&value)
		} else {
			value = n.Value
		}
	}
	if !strings.HasPrefix(n.Tag, "!") || strings.HasPrefix(n.Tag, "!!") {
		return value
	}
	name := strings.TrimPrefix(n.Tag, "!")
	if name == "GetAtt" {
		resource, attribute, _ := strings.Cut(n.Value, ".")
		value = []any{resource, attribute}
	}
	if name != "Ref" && name != "Condition" {
		name = "Fn::" + name
	}
	return map[string]any{name: value}
}

func (tpl *template) problem(format string, args ...any) string {
	tpl.problems = append(tpl.problems, fmt.Errorf(format, args...))
	return "?"
}

// noValue is what !Ref AWS::NoValue leaves out.
type noValue struct{}

func (tpl *template) resolve(value any) any {
	switch v := value.(type) {
	case map[string]any:
		if len(v) == 1 {
			for name, argument := range v {
				if name == "Ref" || strings.HasPrefix(name, "Fn::") {
					return tpl.intrinsic(name, argument)
				}
			}
		}
		out := map[string]any{}
		for name, inner := range v {
			if resolved := tpl.resolve(inner); resolved != (noValue{}) {
				out[name] = resolved
			}
		}
		return out
	case []any:
		out := []any{}
		for _, inner := range v {
			resolved := tpl.resolve(inner)
			if _, none := resolved.(noValue); !none {
				out = append(out, resolved)
			}
		}
		return out
	}
	return value
}

func (tpl *template) intrinsic(name string, argument any) any {
	switch name {
	case "Ref":
		return tpl.ref(argument.(string))
	case "Fn::GetAtt":
		list := argument.([]any)
		return tpl.attribute(list[0].(string), list[1].(string))
	case "Fn::Sub":
		return tpl.substitute(argument.(string))
	case "Fn::If":
		list := argument.([]any)
		if tpl.condition(list[0].(string)) {
			return tpl.resolve(list[1])
		}
		return tpl.resolve(list[2])
	case "Fn::Join":
		list := argument.([]any)
		var texts []string
		for _, item := range tpl.resolve(list[1]).([]any) {
			texts = append(texts, fmt.Sprint(item))
		}
		return strings.Join(texts, list[0].(string))
	case "Fn::Equals":
		list := tpl.resolve(argument).([]any)
		return fmt.Sprint(list[0]) == fmt.Sprint(list[1])
	}
	return tpl.problem("%s is not known to this test", name)
}

// pseudo are CloudFormation's own parameters.
var pseudo = map[string]any{"AWS::Region": "ap-northeast-2", "AWS::AccountId": "111122223333", "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com", "AWS::NoValue": noValue{}}

func (tpl *template) ref(name string) any {
	if value, ok := pseudo[name]; ok {
		return value
	}
	if _, ok := tpl.parameters[name]; ok {
		tpl.used[name] = true
		if value, ok := tpl.values[name]; ok {
			return value
		}
		return tpl.problem("parameter %s has no value", name)
	}
	if tpl.there(name) {
		return "ref-" + name
	}
	return "?"
}

// there tells whether a resource is made in this stack.
func (tpl *template) there(name string) bool {
	resource, ok := tpl.resources[name].(map[string]any)
	if !ok {
		tpl.problem("%s is neither a parameter nor a resource", name)
		return false
	}
	if condition, ok := resource["Condition"].(string); ok && !tpl.condition(condition) {
		tpl.problem("%s is not made in this stack, and something refers to it", name)
		return false
	}
	return true
}

// attributes that GetAtt gives. Source: the CloudFormation user guide, "Return
// values" of each resource.
var attributes = map[string][]string{
	"AWS::IAM::Role":                     {"Arn", "RoleId"},
	"AWS::EC2::SecurityGroup":            {"GroupId", "VpcId"},
	"AWS::RDS::DBInstance":               {"Endpoint.Address", "Endpoint.Port", "DBInstanceArn"},
	"AWS::ElasticBeanstalk::Environment": {"EndpointURL"},
	"AWS::IAM::InstanceProfile":          {"Arn"},
	"AWS::SecretsManager::Secret":        {"Id"},
	"AWS::EC2::SecurityGroupIngress":     {"Id"},
	"AWS::IAM::OIDCProvider":             {"Arn"},
	"AWS::RDS::DBSubnetGroup":            {},
	"AWS::ElasticBeanstalk::Application": {},
}

func (tpl *template) attribute(name, attribute string) any {
	if !tpl.there(name) {
		return "?"
	}
	kind := tpl.resources[name].(map[string]any)["Type"].(string)
	if !slices.Contains(attributes[kind], attribute) {
		return tpl.problem("%s has no attribute %s; it has %s", name, attribute, strings.Join(attributes[kind], ", "))
	}
	return "att-" + name + "-" + attribute
}

var substitution = regexp.MustCompile(`\$\{([^!}]+)\}`)

func (tpl *template) substitute(text string) any {
	return substitution.ReplaceAllStringFunc(text, func(found string) string {
		name := found[2 : len(found)-1]
		if resource, attribute, ok := strings.Cut(name, "."); ok {
			return fmt.Sprint(tpl.attribute(resource, attribute))
		}
		return fmt.Sprint(tpl.ref(name))
	})
}

func (tpl *template) condition(name string) bool {
	value, ok := tpl.conditions[name]
	if !ok {
		tpl.problem("condition %s is not there", name)
		return false
	}
	tpl.used[name] = true
	answer, ok := tpl.resolve(value).(bool)
	if !ok {
		tpl.problem("condition %s is neither true nor false", name)
	}
	return answer
}

// made are the resources of this stack with everything resolved.
func (tpl *template) made() map[string]map[string]any {
	out := map[string]map[string]any{}
	for name, value := range tpl.resources {
		resource := value.(map[string]any)
		if condition, ok := resource["Condition"].(string); ok && !tpl.condition(condition) {
			continue
		}
		out[name] = tpl.resolve(resource).(map[string]any)
	}
	tpl.resolve(tpl.outputs)
	return out
}

func (tpl *template) err() error { return errors.Join(tpl.problems...) }
