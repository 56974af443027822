package beanstalk

import "testing"

func TestNewestStack(t *testing.T) {
	stacks := []string{
		"64bit Amazon Linux 2 v10.1.0 running Docker", "64bit Amazon Linux 2023 v4.9.3 running Docker", "64bit Amazon Linux 2023 v4.10.0 running Docker",
		"64bit Amazon Linux 2018.03 v2.17.0 running Docker 20.10.7-ce", "64bit Debian jessie v2.16.0 running Go 1.4 (Preconfigured - Docker)",
	}
	for name, want := range map[string]string{"Docker": "64bit Amazon Linux 2023 v4.10.0 running Docker", "ECS": ""} {
		if got := newestStack(stacks, name); got != want {
			t.Errorf("%s: %q; want %q", name, got, want)
		}
	}
}
