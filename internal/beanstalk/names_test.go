package beanstalk_test

import (
	"strings"
	"testing"

	"github.com/guk0/travois/internal/beanstalk"
)

// check runs a table of names and the words that the refusal must have; no
// words mean that the name is good.
func check(t *testing.T, what string, f func(string) error, table map[string]string) {
	t.Helper()
	for name, want := range table {
		err := f(name)
		switch {
		case want == "" && err != nil:
			t.Errorf("%s %q is refused: %v", what, name, err)
		case want != "" && err == nil:
			t.Errorf("%s %q passes; want %q", what, name, want)
		case want != "" && !strings.Contains(err.Error(), want):
			t.Errorf("%s %q: %v; want %q", what, name, err, want)
		}
	}
}

func TestCheckNames(t *testing.T) {
	check(t, "label", beanstalk.CheckLabel, map[string]string{
		"1234567890ab-12345678": "", "한국어 label": "", "v1.2+x": "",
		"": "has 0 characters; allowed are 1 to 100", strings.Repeat("a", 101): "has 101 characters",
		"release/1.0": `write "release-1.0"`, "a\nb": "control characters",
	})
	check(t, "environment", beanstalk.CheckEnvironment, map[string]string{
		"Dockerfullstack-env": "", "abc": "allowed are 4 to 40", "-abcd": "hyphen at either end", "ab_cd": "letters, digits and hyphens",
	})
	check(t, "region", beanstalk.CheckRegion, map[string]string{
		"ap-northeast-2": "", "us-gov-west-1": "", "cn-north-1": "", "mx-central-1": "",
		"ap-northeast-2a": `is an availability zone; write the region: "ap-northeast-2"`, "Seoul": "is no region",
	})
	check(t, "application", beanstalk.CheckApplication, map[string]string{"docker-fullstack": "", "": "allowed are 1 to 100"})
}

func TestDescription(t *testing.T) {
	for text, want := range map[string]string{
		" Fix\tthe \x00 page\n\nmore ": "Fix the page more",
		strings.Repeat("가", 201):       strings.Repeat("가", 199) + "…",
		strings.Repeat("가", 200):       strings.Repeat("가", 200),
	} {
		if got := beanstalk.Description(text); got != want {
			t.Errorf("Description(%q) = %q; want %q", text, got, want)
		}
	}
}

func TestPlatformKind(t *testing.T) {
	for _, c := range []struct {
		stack, arn string
		want       beanstalk.Kind
	}{
		{"64bit Amazon Linux 2023 v4.1.0 running Docker", "", beanstalk.Docker},
		{"64bit Amazon Linux 2023 v4.0.8 running ECS", "", beanstalk.ECS},
		{"64bit Amazon Linux 2017.09 v2.8.0 running Docker 17.06.2-ce", "", beanstalk.Docker},
		{"64bit Amazon Linux 2015.09 v2.0.6 running Multi-container Docker 1.7.1 (Generic)", "", beanstalk.ECS},
		{"64bit Debian jessie v2.0.0 running Python 3.4 (Preconfigured - Docker)", "", beanstalk.Other},
		{"64bit Amazon Linux 2023 v6.1.0 running Node.js 20", "", beanstalk.Other},
		{"", "arn:aws:elasticbeanstalk:us-east-2::platform/Docker running on 64bit Amazon Linux 2/3.0.1", beanstalk.Docker},
		{"", "arn:aws-cn:elasticbeanstalk:cn-north-1::platform/ECS running on 64bit Amazon Linux 2023/4.0.8", beanstalk.ECS},
		{"", "arn:aws:elasticbeanstalk:us-east-2:123456789012:platform/Docker running on mine/1.0.0", beanstalk.Unknown},
		{"", "", beanstalk.Unknown},
	} {
		if got := beanstalk.PlatformKind(c.stack, c.arn); got != c.want {
			t.Errorf("PlatformKind(%q, %q) = %q; want %q", c.stack, c.arn, got, c.want)
		}
	}
}
