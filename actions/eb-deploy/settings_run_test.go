package ebdeploy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

// value is an environment property that no output may hold.
const value = "word-of-the-api"

// TestSettingsSent has settings that the environment lacks, has and has in
// excess: only what differs goes, with the version, and only once.
func TestSettingsSent(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.Options = append(s.env.Options, [3]string{"aws:elasticbeanstalk:application:environment", "OLD", "1"})
		s.inputs["env-vars"] = "API_KEY=" + value + "\nMYSQL_HOST=db.internal.test\nOLD=\nNEVER=\n"
		s.inputs["option-settings"] = `{"aws:elasticbeanstalk:command":{"Timeout":600},"aws:autoscaling:asg":{"MaxSize":2}}`
		got := s.run(t)
		if got.result() != "deployed" || len(s.env.Updates) != 1 {
			t.Errorf("%s", got)
		}
		if diff := cmp.Diff([][]string{{"MaxSize=2", "API_KEY=" + value, "-OLD"}}, s.env.Sent); diff != "" {
			t.Errorf("settings (-want +got):\n%s", diff)
		}
		for _, line := range []string{"aws:autoscaling:asg MaxSize: added (value hidden)\n", "property API_KEY: added (value hidden)\n", "property OLD: removed\n"} {
			if !strings.Contains(got.log, line) {
				t.Errorf("the log lacks %q:\n%s", line, got.log)
			}
		}
		if got := s.run(t); got.result() != "unchanged" || len(s.env.Updates) != 1 {
			t.Errorf("again: %s", got)
		}
		s.inputs["env-vars"] = "API_KEY=" + value + "-2"
		if got := s.run(t); got.result() != "deployed" || len(s.env.Updates) != 2 {
			t.Errorf("settings alone: %s", got)
		}
		if diff := cmp.Diff([]string{"API_KEY=" + value + "-2"}, s.env.Sent[1]); diff != "" {
			t.Errorf("settings alone (-want +got):\n%s", diff)
		}
	})
}

// TestSettingsApart has an environment that takes version and settings only one
// after the other.
func TestSettingsApart(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.Separate = true
		s.inputs["env-vars"] = "API_KEY=" + value
		got := s.run(t)
		if got.result() != "deployed" || !strings.Contains(got.log, "the settings go first") {
			t.Errorf("%s", got)
		}
		if diff := cmp.Diff([][]string{{"API_KEY=" + value}, nil}, s.env.Sent); diff != "" {
			t.Errorf("settings (-want +got):\n%s", diff)
		}
		if first, second := s.env.Updates[0], asked(s.env); first != "old-1" || second != output(got, "version-label") {
			t.Errorf("updates to %s, then %s", first, second)
		}
		s.inputs["env-vars"], s.env.Script = "API_KEY=2", []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) {
			e.Report("ERROR", "Failed to deploy application.")
			e.Status = "Ready"
		}}}
		s.file(t, "docker-compose.yml", composeFile+"# more\n")
		got = s.run(t)
		if got.result() != "failed" || !strings.Contains(got.log, "the settings, before the version: Failed to deploy application.") || len(s.env.Updates) != 3 {
			t.Errorf("%s", got)
		}
	})
}

// TestSettingsApartHalf has the version refused after the settings were taken:
// the environment was changed.
func TestSettingsApartHalf(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.Separate = true
		s.inputs["env-vars"] = "API_KEY=" + value
		s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) {
			e.Finish("old-1")
			delete(s.wire.Versions, "docker-fullstack")
		}}}
		got := s.run(t)
		if got.result() != "failed" || !strings.Contains(got.log, "::error::update environment \"Dockerfullstack-env\" to version") || len(s.env.Updates) != 1 {
			t.Errorf("%s", got)
		}
	})
}

// TestSettingsRejected has settings of which something is wrong, each found
// before anything is written.
func TestSettingsRejected(t *testing.T) {
	const denied = "not authorized to perform: elasticbeanstalk:DescribeConfigurationSettings"
	for name, c := range map[string]struct {
		inputs  map[string]string
		prepare func(*stage)
		want    []string
	}{
		"inputs": {map[string]string{"env-vars": "A B=" + value, "option-settings": "{"}, nil, []string{
			"input env-vars: line 1: what stands before the = is no name of a property", "input option-settings: ends before its JSON does"}},
		"twice": {map[string]string{"env-vars": "A=1", "option-settings": `{"aws:elasticbeanstalk:application:environment":{"A":"` + value + `"}}`}, nil,
			[]string{"input option-settings: property A is given by env-vars too"}},
		"nobody to have them": {map[string]string{"env": "", "env-vars": "A=1", "option-settings": `{"aws:a:b":{"A":"1"}}`}, nil,
			[]string{"input env-vars: is given, but no environment", "input option-settings: is given, but no environment"}},
		"too large": {map[string]string{"env-vars": "A=" + strings.Repeat("x", 4096)}, nil, []string{"Elastic Beanstalk takes 4096 in all"}},
		"not comparable": {map[string]string{"env-vars": "A=1"}, func(s *stage) {
			s.wire.Fail(wiretest.Fault{Operation: "DescribeConfigurationSettings", Status: 403, Code: "AccessDenied", Message: denied, Times: 9})
		}, []string{"allow elasticbeanstalk:DescribeConfigurationSettings"}},
		"invalid": {map[string]string{"option-settings": `{"aws:autoscaling:asg":{"MaxSize":"` + value + `","MinSize":"` + value + `"}}`}, func(s *stage) {
			s.env.Invalid = map[string][2]string{"MaxSize": {"error", "Invalid option value: '" + value + "'"}, "MinSize": {"warning", "It is odd: '" + value + "'"}}
		}, []string{"option-settings: aws:autoscaling:asg MaxSize: Invalid option value: '***'"}},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				for input, text := range c.inputs {
					s.inputs[input] = text
				}
				if c.prepare != nil {
					c.prepare(s)
				}
				s.rejects(t, c.want...)
			})
		})
	}
}

// TestSettingsRefused has an update whose refusal quotes a value, and events
// that do.
func TestSettingsRefused(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["env-vars"] = "API_KEY=word-1"
		s.wire.Fail(wiretest.Fault{Operation: "UpdateEnvironment", Status: 400, Code: "InvalidParameterValue", Message: "Invalid option value: 'word-1'", Times: 1})
		if got := s.run(t); got.result() != "rejected" || !strings.Contains(got.log, "Invalid option value: '***'") {
			t.Errorf("%s", got)
		}
		s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) {
			e.Report("INFO", "The hook printed word-1")
			e.Finish(asked(e))
		}}}
		if got := s.run(t); got.result() != "deployed" || !strings.Contains(got.log, "The hook printed ***") {
			t.Errorf("%s", got)
		}
	})
}

// TestSettingsMasked shows which values the runner is told to mask: none that
// an output holds, since GitHub would drop the output.
func TestSettingsMasked(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["env-vars"] = "PORT=3306\nHOST=fullstack.test\nSTACK=docker-fullstack\nSTATE=deployed\nCITY=long enough\n"
		s.inputs["option-settings"] = `{"aws:elasticbeanstalk:command":{"DeploymentPolicy":"Immutable"},"aws:rds:dbinstance":{"DBPassword":"` + value + `"}}`
		got := s.run(t)
		if n := strings.Count(got.log, "::add-mask::"); n != 2 || !strings.Contains(got.log, "::add-mask::long enough\n") || got.result() != "deployed" {
			t.Errorf("%d masks:\n%s", n, got)
		}
	})
}
