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
	for _, c := range []struct{ name, value, text, want string }{
		{"MYSQL_PASSWORD", "word-1", "word-1 word-2", "*** word-2"},
		{"API_TOKEN", "word-1", "<word-1>", "<***>"},
		{"SHORT_KEY", "abc", "abc", "abc"},
		{"PORT", "3306", "3306", "3306"},
		{"MYSQL_PWD", "word-1", "word-1", "***"},
		{"DB_PASSWD", "word-1", "word-1", "***"},
		{"PASSWORD_SALT", "word-1", "word-1", "***"},
		{"TLS_CERT", "word-1", "word-1", "***"},
		{"COOKIE_SIGNING", "word-1", "word-1", "***"},
		{"SENTRY_DSN", "https://word-1@sentry.test/1", "at https://word-1@sentry.test/1", "at ***"},
		{"DATABASE_URL", "mysql://root:url-word@db.test/x", "mysql://root:url-word@db.test/x", "mysql://root:***@db.test/x"},
		{"DATABASE", "user:pw-word@tcp(db)/x", "user:pw-word@tcp(db)/x", "user:***@tcp(db)/x"},
		{"DATABASE", "user:p/w@word:1@tcp(db)/x", "denied: p/w@word:1", "denied: ***"},
		{"UPSTREAM", "user:pw-word@db.test:80", "pw-word", "***"},
		{"BROKERS", "a:word-1@one.test,b:word-2@two.test", "word-1 word-2", "*** ***"},
		{"PAGE", "http://web.test:8080/a@b", "8080/a", "8080/a"},
		{"IMAGE", "docker-nginx:sha-1234@sha256:0123", "sha-1234", "sha-1234"},
	} {
		got := NewSecrets(propertySecrets(map[string]string{c.name: c.value})...).Hide(c.text)
		if got != c.want {
			t.Errorf("%s=%s: %q becomes %q; want %q", c.name, c.value, c.text, got, c.want)
		}
	}
}

func TestSecretsThatHoldEachOther(t *testing.T) {
	if got := NewSecrets("word-1", "word-1-longer").Hide("word-1-longer word-1"); got != "*** ***" {
		t.Errorf("got %q", got)
	}
}

func TestSecretsThatAreNotKnown(t *testing.T) {
	s := Secrets{unread: errors.New("denied")}
	for text, want := range map[string]string{
		"The hook printed word-1": Withheld, "Environment update is starting. word-1": Withheld,
		"Environment update is starting.": "Environment update is starting.",
	} {
		if got := s.Hide(text); got != want {
			t.Errorf("%q becomes %q; want %q", text, got, want)
		}
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
