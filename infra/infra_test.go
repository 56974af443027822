// Package infra_test holds the CloudFormation template against AWS's own
// description of its resources, and resolves every reference in it.
package infra_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/guk0/travois/internal/beanstalk"
)

// stacks are parameters of stacks that differ in every condition.
var stacks = map[string]map[string]any{
	"as a new account takes it": {},
	"with a provider, one instance": {
		"OIDCProviderArn":   "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com",
		"EnvironmentType":   "SingleInstance",
		"DeployPermissions": "managed-policy",
	},
}

// given are what only a user knows.
func given(more map[string]any) map[string]any {
	values := map[string]any{
		"GitHubRepository": "guk0/docker-fullstack",
		"VpcId":            "vpc-0123456789abcdef0",
		"SubnetIds":        []any{"subnet-0123456789abcdef0", "subnet-0123456789abcdef1"},
		"SolutionStack":    "64bit Amazon Linux 2023 v4.0.1 running Docker",
	}
	for name, value := range more {
		values[name] = value
	}
	return values
}

// Every resource fits its description: no property that does not exist, none
// missing, each of the right type. testdata/schema.json is cut out of the
// schema that goformation v7.14.9 makes of AWS's resource specification.
func TestSchema(t *testing.T) {
	compiler := schemas(t)
	for name, values := range stacks {
		for resource, content := range load(t, given(values)).made() {
			if err := fits(compiler, content); err != nil {
				t.Errorf("%s: %s: %v", name, resource, err)
			}
		}
	}
}

// What does not fit is found.
func TestSchemaIsChecked(t *testing.T) {
	compiler := schemas(t)
	for what, change := range map[string]func(properties map[string]any){
		"a property that does not exist": func(p map[string]any) { p["SubnetId"] = []any{"subnet-0"} },
		"a property that is missing":     func(p map[string]any) { delete(p, "SubnetIds") },
		"a property of another type":     func(p map[string]any) { p["SubnetIds"] = true },
	} {
		content := load(t, given(nil)).made()["DatabaseSubnets"]
		change(content["Properties"].(map[string]any))
		if err := fits(compiler, content); err == nil {
			t.Errorf("%s passes", what)
		}
	}
}

func fits(compiler *jsonschema.Compiler, content map[string]any) error {
	compiled, err := compiler.Compile(fmt.Sprintf("schema.json#/definitions/%s", content["Type"]))
	if err != nil {
		return err
	}
	return compiled.Validate(typed(content))
}

func schemas(t *testing.T) *jsonschema.Compiler {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	file, err := os.Open(filepath.Join("testdata", "schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	schema, err := jsonschema.UnmarshalJSON(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := compiler.AddResource("schema.json", schema); err != nil {
		t.Fatal(err)
	}
	return compiler
}

// flags are properties that CloudFormation takes as text, though
// the schema wants a boolean.
var flags = []string{"MultiAZ", "DeletionProtection"}

// typed makes texts of parameters what the schema wants, and numbers of option
// settings texts, as CloudFormation does.
func typed(value any) any {
	switch v := value.(type) {
	case map[string]any:
		out := map[string]any{}
		for name, inner := range v {
			text, isText := inner.(string)
			number, isNumber := inner.(int)
			switch {
			case slices.Contains(flags, name) && isText:
				out[name] = text == "true"
			case isNumber && (name == "Value" || name == "AllocatedStorage"):
				out[name] = fmt.Sprint(number)
			case isNumber:
				out[name] = float64(number)
			default:
				out[name] = typed(inner)
			}
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = typed(inner)
		}
		return out
	}
	return value
}

// Every reference leads to something that is made in the same stack, and every
// parameter and condition is used.
func TestReferences(t *testing.T) {
	used := map[string]bool{}
	var tpl *template
	for name, values := range stacks {
		tpl = load(t, given(values))
		tpl.made()
		if err := tpl.err(); err != nil {
			t.Errorf("%s:\n%v", name, err)
		}
		for what := range tpl.used {
			used[what] = true
		}
	}
	for _, section := range []map[string]any{tpl.parameters, tpl.conditions} {
		for name := range section {
			if !used[name] {
				t.Errorf("nothing uses %s", name)
			}
		}
	}
}

// A reference that leads nowhere is found.
func TestReferencesAreChecked(t *testing.T) {
	for text, want := range map[string]any{
		"Ref":        map[string]any{"Ref": "Nothing"},
		"GetAtt":     map[string]any{"Fn::GetAtt": []any{"Members", "Color"}},
		"Sub":        map[string]any{"Fn::Sub": "x-${Nothing}"},
		"If":         map[string]any{"Fn::If": []any{"Never", "a", "b"}},
		"not made":   map[string]any{"Ref": "Provider"},
		"no such fn": map[string]any{"Fn::Guess": "x"},
	} {
		tpl := load(t, given(map[string]any{"OIDCProviderArn": "arn:x"}))
		tpl.resolve(want)
		if tpl.err() == nil {
			t.Errorf("%s: no problem is found", text)
		}
	}
}

// Defaults keep to the parameter's own limits.
func TestDefaults(t *testing.T) {
	tpl := load(t, nil)
	for name, value := range tpl.parameters {
		p := value.(map[string]any)
		text := fmt.Sprint(p["Default"])
		if p["Default"] == nil {
			if p["Description"] == nil {
				t.Errorf("%s has neither a default nor a description", name)
			}
			continue
		}
		if pattern, ok := p["AllowedPattern"].(string); ok && !regexp.MustCompile("^(?:"+pattern+")$").MatchString(text) {
			t.Errorf("%s: the default %q does not match %s", name, text, pattern)
		}
		if allowed, ok := p["AllowedValues"].([]any); ok && !slices.ContainsFunc(allowed, func(a any) bool { return fmt.Sprint(a) == text }) {
			t.Errorf("%s: the default %q is not among %v", name, text, allowed)
		}
		number, isNumber := p["Default"].(int)
		least, hasLeast := p["MinValue"].(int)
		most, hasMost := p["MaxValue"].(int)
		if isNumber && (hasLeast && number < least || hasMost && number > most) {
			t.Errorf("%s: the default %d is not in %d to %d", name, number, least, most)
		}
	}
}

// What is safe stays so: no database in the open, no password in the template,
// a role for one branch of one repository.
func TestSafe(t *testing.T) {
	made := load(t, given(nil)).made()
	database := made["Database"]["Properties"].(map[string]any)
	if database["PubliclyAccessible"] != false || database["StorageEncrypted"] != true {
		t.Error("the database is in the open, or not encrypted")
	}
	if password := fmt.Sprint(database["MasterUserPassword"]); !strings.HasPrefix(password, "{{resolve:secretsmanager:") {
		t.Errorf("the password is %s, want a reference to Secrets Manager", password)
	}
	ingress := made["MembersToMembers"]["Properties"].(map[string]any)
	if ingress["GroupId"] != ingress["SourceSecurityGroupId"] || ingress["CidrIp"] != nil {
		t.Errorf("others than members reach the database: %v", ingress)
	}
	trust := made["DeployRole"]["Properties"].(map[string]any)["AssumeRolePolicyDocument"].(map[string]any)["Statement"].([]any)[0].(map[string]any)
	want := map[string]any{
		"token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
		"token.actions.githubusercontent.com:sub": "repo:guk0/docker-fullstack:ref:refs/heads/master",
	}
	if got := trust["Condition"].(map[string]any)["StringEquals"]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the role trusts %v, want %v", got, want)
	}
}

// The role may do what eb-deploy prints that it needs, whatever inputs a
// deployment has that creates nothing, and no more.
func TestPolicy(t *testing.T) {
	use := beanstalk.Use{
		Region: "ap-northeast-2", Account: "111122223333", App: "docker-fullstack", Envs: []string{"Dockerfullstack-env"}, Folder: "docker-fullstack",
		Makes: true, Settings: true, Prunes: true, PrunesBundles: true, Aborts: true,
	}
	var want struct{ Statement any }
	if err := json.Unmarshal([]byte(use.Policy()), &want); err != nil {
		t.Fatal(err)
	}
	policies := load(t, given(nil)).made()["DeployRole"]["Properties"].(map[string]any)["Policies"].([]any)
	got := policies[0].(map[string]any)["PolicyDocument"].(map[string]any)["Statement"]
	if diff := cmp.Diff(lists(want.Statement), lists(got)); diff != "" {
		t.Errorf("the policy of the role that deploys (-eb-deploy +template):\n%s", diff)
	}
}

// lists are statements with every resource as a list, as IAM reads them.
func lists(statements any) any {
	for _, one := range statements.([]any) {
		statement := one.(map[string]any)
		if text, ok := statement["Resource"].(string); ok {
			statement["Resource"] = []any{text}
		}
	}
	return statements
}

var optionLine = regexp.MustCompile(`"Namespace": "([^"]+)", "OptionName": "([^"]+)"`)

// TestByHand holds the settings of the environment that docs/aws-setup.md makes
// by hand against those of the template.
func TestByHand(t *testing.T) {
	text, err := os.ReadFile("../docs/aws-setup.md")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, setting := range load(t, given(nil)).made()["Environment"]["Properties"].(map[string]any)["OptionSettings"].([]any) {
		option := setting.(map[string]any)
		known = append(known, fmt.Sprintf("%s %s", option["Namespace"], option["OptionName"]))
	}
	found := optionLine.FindAllStringSubmatch(string(text), -1)
	if len(found) < 10 {
		t.Errorf("the document has %d settings", len(found))
	}
	for _, one := range found {
		if name := one[1] + " " + one[2]; !slices.Contains(known, name) {
			t.Errorf("the template has no setting %s", name)
		}
	}
}

var variable = regexp.MustCompile(`\$\{([A-Z_]+)\}`)

// What the example's docker-compose.yml asks for are properties of the
// environment.
func TestExample(t *testing.T) {
	properties := map[string]bool{}
	settings := load(t, given(nil)).made()["Environment"]["Properties"].(map[string]any)["OptionSettings"].([]any)
	for _, setting := range settings {
		option := setting.(map[string]any)
		if option["Namespace"] == "aws:elasticbeanstalk:application:environment" {
			properties[option["OptionName"].(string)] = true
		}
	}
	compose, err := os.ReadFile("../examples/fullstack/docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range variable.FindAllStringSubmatch(string(compose), -1) {
		if !properties[found[1]] {
			t.Errorf("docker-compose.yml asks for %s, which is no property of the environment", found[1])
		}
	}
}
