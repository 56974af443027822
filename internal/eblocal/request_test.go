package eblocal

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// parameters is the tree of a shape that requests are made of.
func (m *model) parameters(name string, required bool) *parameter {
	s := m.Shapes[name]
	p := &parameter{Type: s.Type, Required: required, Min: s.Min, Max: s.Max, Enum: s.Enum, Pattern: s.Pattern}
	if s.Member != nil {
		p.Member = m.parameters(s.Member.Shape, false)
	}
	if len(s.Members) > 0 {
		p.Members = map[string]*parameter{}
	}
	for member, ref := range s.Members {
		p.Members[member] = m.parameters(ref.Shape, slices.Contains(s.Required, member))
	}
	return p
}

// TestRequestsAreTheModel holds what requests are checked against to AWS's models.
func TestRequestsAreTheModel(t *testing.T) {
	b, _ := faked(t)
	all := map[string]*parameter{}
	for service, actions := range map[string]map[string]action{serviceBeanstalk: b.beanstalkActions(), serviceSTS: b.stsActions()} {
		m := loadModel(t, service)
		for name := range actions {
			operation, ok := m.Operations[name]
			if !ok {
				t.Errorf("%s is no operation of the service", name)
				continue
			}
			all[name] = &parameter{Type: "structure"}
			if operation.Input != nil {
				all[name] = m.parameters(operation.Input.Shape, false)
			}
		}
	}
	data, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if data = append(data, '\n'); *updateGolden {
		if err := os.WriteFile("requests.json", data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if file, err := os.ReadFile("requests.json"); err != nil || !bytes.Equal(file, data) {
		t.Errorf("requests.json differs from the model (%v); run go test ./internal/eblocal -run RequestsAreTheModel -update:\n%s", err, cmp.Diff(string(data), string(file)))
	}
}

func TestRequestsAreChecked(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	long := strings.Repeat("x", 201)
	cases := []struct {
		action string
		values []string
		want   string
	}{
		{"DescribeEvents", []string{"Severity", "LOUD"}, "1 validation error detected: Value 'LOUD' at 'severity' failed to satisfy constraint: Member must satisfy enum value set: [TRACE, DEBUG, INFO, WARN, ERROR, FATAL]"},
		{"DescribeEvents", []string{"MaxRecords", "1001"}, "Value '1001' at 'maxRecords' failed to satisfy constraint: Member must have value less than or equal to 1000"},
		{"DescribeEvents", []string{"MaxRecords", "0"}, "Member must have value greater than or equal to 1"},
		{"DescribeEvents", []string{"MaxRecords", "many"}, "Member must be a number"},
		{"DescribeEvents", []string{"StartTime", "today"}, "at 'startTime' failed to satisfy constraint: Member must be a time"},
		{"CreateApplicationVersion", []string{"ApplicationName", testApp}, "Value null at 'versionLabel' failed to satisfy constraint: Member must not be null"},
		{"CreateApplicationVersion", []string{"ApplicationName", testApp, "VersionLabel", long, "Description", long, "Process", "maybe"},
			"3 validation errors detected: Value '" + long + "' at 'description' failed to satisfy constraint: Member must have length less than or equal to 200; Value 'maybe' at 'process' failed to satisfy constraint: Member must be true or false; Value '" + long + "' at 'versionLabel' failed to satisfy constraint: Member must have length less than or equal to 100"},
		{"CreateApplicationVersion", []string{"ApplicationName", testApp, "VersionLabel", "v1", "SourceBuildInformation.SourceType", "Git"}, "Value null at 'sourceBuildInformation.sourceLocation'"},
		{"CreateEnvironment", []string{"ApplicationName", testApp, "EnvironmentName", "abc"}, "Member must have length greater than or equal to 4"},
		{"UpdateEnvironment", []string{"EnvironmentName", testEnv, "OptionSettings.member.2.OptionName", "x", "OptionSettings.member.1.ResourceName", long + long}, "Value '" + long + long + "' at 'optionSettings.1.member.resourceName' failed to satisfy constraint: Member must have length less than or equal to 256"},
	}
	for _, c := range cases {
		form := url.Values{"Action": {c.action}}
		for i := 0; i < len(c.values); i += 2 {
			form.Set(c.values[i], c.values[i+1])
		}
		status, root := b.query(form)
		failure, _ := root.child("Error")
		code, _ := failure.child("Code")
		message, _ := failure.child("Message")
		if status != 400 || code.Text != "ValidationError" || !strings.Contains(message.Text, c.want) {
			t.Errorf("%s: status %d, %s: %s\nexpected: %s", c.action, status, code.Text, message.Text, c.want)
		}
	}
}

// TestParametersAreOnesOfTheModel makes sure that reading another one is noticed.
func TestParametersAreOnesOfTheModel(t *testing.T) {
	c := &call{values: url.Values{}, params: requests["ListPlatformVersions"]}
	for name, want := range map[string]bool{"Filters": true, "Filters.Type": true, member("Filters", 3) + ".Values": true, "MaxRecords": true, "Filter": false, "Filters.Kind": false} {
		if got := c.takes(name); got != want {
			t.Errorf("%s: taken %v, expected %v", name, got, want)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a parameter that the model does not have was read")
		}
	}()
	c.str("EnvironmentName")
}
