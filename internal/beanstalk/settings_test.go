package beanstalk

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

func options(pairs ...string) []types.ConfigurationOptionSetting {
	var all []types.ConfigurationOptionSetting
	for _, pair := range pairs {
		path, value, _ := strings.Cut(pair, "=")
		at := strings.LastIndex(path, "/")
		all = append(all, types.ConfigurationOptionSetting{
			Namespace: aws.String(path[:at]), OptionName: aws.String(path[at+1:]), Value: aws.String(value),
		})
	}
	return all
}

func TestDeadline(t *testing.T) {
	const command = "aws:elasticbeanstalk:command/"
	const batch = 14 * time.Minute // 600 s and 240 s
	for _, c := range []struct {
		name    string
		options []string
		want    time.Duration
	}{
		{"nothing set", nil, batch + 5*time.Minute},
		{"all at once", []string{command + "DeploymentPolicy=AllAtOnce", command + "Timeout=60"}, 10 * time.Minute},
		{"rolling, a third at a time", []string{command + "DeploymentPolicy=Rolling", command + "BatchSize=30"}, 4*batch + 5*time.Minute},
		{"rolling, 3 of 10", []string{command + "DeploymentPolicy=Rolling", command + "BatchSizeType=Fixed", command + "BatchSize=3", "aws:autoscaling:asg/MaxSize=10"}, 4*batch + 5*time.Minute},
		{"one instance can't roll", []string{command + "DeploymentPolicy=Rolling", command + "BatchSize=30", "aws:elasticbeanstalk:environment/EnvironmentType=SingleInstance"}, batch + 5*time.Minute},
		{"additional batch", []string{command + "DeploymentPolicy=RollingWithAdditionalBatch", command + "BatchSize=50"}, 3*batch + 10*time.Minute},
		{"immutable", []string{command + "DeploymentPolicy=Immutable"}, 2*batch + 15*time.Minute},
		{"splitting", []string{command + "DeploymentPolicy=TrafficSplitting", "aws:elasticbeanstalk:trafficsplitting/EvaluationTime=20"}, 2*batch + 35*time.Minute},
		{"nonsense counts as unset", []string{command + "Timeout=soon"}, batch + 5*time.Minute},
	} {
		if got := settings(options(c.options...)).Deadline(); got != c.want {
			t.Errorf("%s: %s; want %s", c.name, got, c.want)
		}
	}
}

func TestSecrets(t *testing.T) {
	s := Secrets(nil).with(propertySecrets(map[string]string{
		"MYSQL_PASSWORD": "word-1", "API_TOKEN": "word-1-longer", "SHORT_KEY": "abc", "PORT": "3306",
		"DATABASE_URL": "mysql://root:url-word@db.test/x",
	})...)
	got := s.Hide("word-1-longer word-1 abc 3306 mysql://root:url-word@db.test/x")
	if want := "*** *** abc 3306 mysql://root:***@db.test/x"; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
}

func TestNamesContent(t *testing.T) {
	const hash = "0123456789abcdef"
	for label, want := range map[string]bool{
		"abcdefabcdef-01234567": true, "a-b-01234567": true, "01234567": true, hash: true,
		"abcdefabcdef-11234567": false, "abcdefabcdef-0123": false, "01234567-x": false, "": false,
	} {
		if namesContent(label, hash) != want {
			t.Errorf("namesContent(%q) = %v", label, !want)
		}
	}
}

func TestReadEnd(t *testing.T) {
	text := strings.Repeat("x", 100_000) + "the end"
	if got, err := readEnd(iotest.HalfReader(strings.NewReader(text)), 10); got != "xxxthe end" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	broken := errors.New("broken")
	if _, err := readEnd(iotest.ErrReader(broken), 10); !errors.Is(err, broken) {
		t.Errorf("%v", err)
	}
}

func TestLimited(t *testing.T) {
	w := &limited{w: io.Discard, left: 5}
	if _, err := w.Write([]byte("12345")); err != nil {
		t.Error(err)
	}
	if _, err := w.Write([]byte("6")); !errors.Is(err, errTooLarge) {
		t.Errorf("%v", err)
	}
}

func TestNearest(t *testing.T) {
	names := []string{"docker-fullstack", "api"}
	for name, want := range map[string]string{"docker-fulstack": "docker-fullstack", "Docker-Fullstack": "docker-fullstack", "apo": "api", "elsewhere": ""} {
		if got := nearest(name, names); got != want {
			t.Errorf("nearest(%q) = %q; want %q", name, got, want)
		}
	}
}

func TestEventFails(t *testing.T) {
	for _, c := range []struct {
		event Event
		want  bool
	}{
		{Event{Severity: "ERROR", Message: "x", RequestID: "ours"}, true},
		{Event{Severity: "FATAL", Message: "x", RequestID: "ours"}, true},
		{Event{Severity: "WARN", Message: "Failed to deploy application.", RequestID: "ours"}, false},
		{Event{Severity: "ERROR", Message: "Failed to deploy application.", RequestID: "other"}, false},
		{Event{Severity: "ERROR", Message: "Unsuccessful command execution on instance id(s) 'i-1'."}, true},
		{Event{Severity: "ERROR", Message: "Something about a load balancer."}, false},
	} {
		if got := c.event.fails("ours"); got != c.want {
			t.Errorf("%+v: %v", c.event, got)
		}
	}
}
