package beanstalk

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const group = "aws:autoscaling:asg"

// have are settings as DescribeConfigurationSettings tells them: some with the
// resource that they are of.
func have() Settings {
	return newSettings(Options{
		Property("MYSQL_HOST"):                      "db.test",
		Property("OLD"):                             "1",
		Property("MYSQL_PASSWORD"):                  "pass-word-1",
		{group, "MaxSize", "AWSEBAutoScalingGroup"}: "4",
		{commandOptions, "Timeout", ""}:             "600",
		{commandOptions, "DeploymentPolicy", ""}:    "AllAtOnce",
		{environmentOptions, "SomeTruth", ""}:       "true",
	})
}

func TestChanges(t *testing.T) {
	want := Options{
		Property("MYSQL_HOST"):                "db.test",
		Property("MYSQL_PASSWORD"):            "pass-word-2",
		Property("OLD"):                       "",
		Property("NEVER"):                     "",
		Property("NEW"):                       "new-value",
		{group, "MaxSize", ""}:                "4",
		{group, "MinSize", ""}:                "2",
		{environmentOptions, "SomeTruth", ""}: "True",
		{"aws:autoscaling:scheduledaction", "MinSize", "night"}: "0",
	}
	got := have().Changes(want)
	var lines []string
	for _, one := range got {
		lines = append(lines, one.String())
	}
	diff := cmp.Diff([]string{
		"aws:autoscaling:asg MinSize: added (value hidden)",
		"aws:autoscaling:scheduledaction MinSize of night: added (value hidden)",
		"property MYSQL_PASSWORD: changed (value hidden)",
		"property NEW: added (value hidden)",
		"property OLD: removed",
	}, lines)
	if diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if text := fmt.Sprintf("%v %+v %#v %v %#v", got, got, got, want, want); strings.Contains(text, "pass-word") || strings.Contains(text, "new-value") {
		t.Errorf("a format shows a value: %s", text)
	}
	set, remove := got.sent()
	if len(set) != 4 || *set[2].Value != "pass-word-2" || set[0].ResourceName != nil || *set[1].ResourceName != "night" {
		t.Errorf("sent %d settings", len(set))
	}
	if len(remove) != 1 || *remove[0].OptionName != "OLD" {
		t.Errorf("removed %+v", remove)
	}
	if again := newSettings(have().Options.Merge(want)).Changes(want); len(again) > 0 {
		t.Errorf("once they are there, they still differ: %v", again)
	}
}

func TestSettingsWith(t *testing.T) {
	s := have()
	if got := s.With(nil).Deadline(); got != 19*time.Minute {
		t.Errorf("as it is: %s", got)
	}
	if got := s.With(Options{Property("A"): "1"}).Deadline(); got != 19*time.Minute {
		t.Errorf("with a property: %s", got)
	}
	slower := s.With(Options{{commandOptions, "Timeout", ""}: "1200"})
	if got := slower.Deadline(); got != 59*time.Minute {
		t.Errorf("with twice the time for commands, and a replacement: %s", got)
	}
	if text := s.With(Options{Property("API_KEY"): "word-22"}).Options.Secrets().with(s.secrets...).Hide("word-22, pass-word-1"); text != "***, ***" {
		t.Errorf("hidden: %s", text)
	}
}

func TestCheckProperties(t *testing.T) {
	// "A=" and 4,094 bytes come to 4,096.
	s := newSettings(Options{Property("A"): strings.Repeat("x", 4094)})
	if err := s.CheckProperties(nil); err != nil {
		t.Errorf("4,096 bytes: %v", err)
	}
	if err := s.CheckProperties(Options{Property("A"): "1", Property("B"): strings.Repeat("y", 4091)}); err != nil {
		t.Errorf("one replaced: %v", err)
	}
	err := s.CheckProperties(Options{Property("B"): "secret-value"})
	want := "env-vars: with what the environment has, its properties come to 4110 bytes; Elastic Beanstalk takes 4096 in all. " +
		"Remove some (KEY= removes one); the largest is A with 4094 bytes"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if err := s.CheckProperties(Options{Property("A"): "", Property("B"): strings.Repeat("y", 4094)}); err != nil {
		t.Errorf("one removed: %v", err)
	}
}
