package ebdeploy

import (
	"maps"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

const secondEnv = "second-env"

// TestLocalSeveral begins with two environments that run v1.
func TestLocalSeveral(t *testing.T) {
	const first = eblocaltest.Env
	breaks := eblocaltest.Breakage{Match: ":v2", Service: "backend", Skip: 1, Exit: 3}
	for name, c := range map[string]struct {
		inputs map[string]string
		broken []eblocaltest.Breakage
		envs   string
		want   expected
		labels map[string]string
	}{
		"side by side": {envs: first + " " + secondEnv, labels: map[string]string{first: "v2", secondEnv: "v2"},
			want: expected{result: "deployed", log: []string{first + " | ", secondEnv + " | "}, end: end{"v2", "Green", v2, both, 2},
				outputs: map[string]string{"results": `{"Dockerfullstack-env":"deployed","second-env":"deployed"}`, "previous-version-label": `{"Dockerfullstack-env":"v1","second-env":"v1"}`}}},
		"one after the other, the last one fails": {envs: first + " " + secondEnv, broken: []eblocaltest.Breakage{breaks}, inputs: map[string]string{"max-parallel": "1"},
			labels: map[string]string{first: "v2", secondEnv: "v1"},
			want: expected{result: "rolled-back", code: 1, log: []string{"second-env: rolled-back: "}, end: end{"v2", "Green", v2, both, 2},
				outputs: map[string]string{"results": `{"Dockerfullstack-env":"deployed","second-env":"rolled-back"}`}}},
		"the first one fails": {envs: secondEnv + " " + first, broken: []eblocaltest.Breakage{{Match: ":v2", Service: "backend", Times: 1, Exit: 3}}, inputs: map[string]string{"max-parallel": "1"},
			labels: map[string]string{first: "v1", secondEnv: "v1"},
			want: expected{result: "rolled-back", code: 1, log: []string{`not begun: environment "second-env" ended rolled-back`}, end: end{"v1", "Green", v1, both, 2},
				outputs: map[string]string{"results": `{"Dockerfullstack-env":"rejected","second-env":"rolled-back"}`}}},
		"the first one fails, fail-fast: false": {envs: secondEnv + " " + first, broken: []eblocaltest.Breakage{{Match: ":v2", Service: "backend", Times: 1, Exit: 3}},
			inputs: map[string]string{"max-parallel": "1", "fail-fast": "false"}, labels: map[string]string{first: "v2", secondEnv: "v1"},
			want: expected{result: "rolled-back", code: 1, end: end{"v2", "Green", v2, both, 2},
				outputs: map[string]string{"results": `{"Dockerfullstack-env":"deployed","second-env":"rolled-back"}`}}},
		"one is not there": {envs: first + " third-env", labels: map[string]string{first: "v1", secondEnv: "v1"},
			want: expected{result: "rejected", code: 1, log: []string{`no environment "third-env"`}, end: end{"v1", "Green", v1, []string{"v1"}, 1}}},
	} {
		t.Run(name, func(t *testing.T) {
			locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
				l.pair(t)
				for _, b := range c.broken {
					l.aws.Engine.Break(b)
				}
				maps.Copy(l.inputs, c.inputs)
				l.inputs["env"] = c.envs
				before := len(l.aws.Wrote())
				got := l.version(t, "v2")
				l.must(t, got, c.want)
				if n := strings.Count(strings.Join(l.aws.Wrote()[before:], " "), "PutObject"); n > 1 {
					t.Errorf("the bundle was uploaded %d times", n)
				}
				for env, label := range c.labels {
					if found := l.aws.Account(t).Env(env); found.Label != label || found.Status != "Ready" {
						t.Errorf("%s is %s with %q; want %q", env, found.Status, found.Label, label)
					}
				}
			})
		})
	}
}

// pair makes a second environment, and has both run v1.
func (l *local) pair(t *testing.T) {
	t.Helper()
	l.deployed(t, "v1")
	l.inputs["create"], l.inputs["env"], l.inputs["option-settings"] = "true", secondEnv, profile
	l.deployed(t, "v1")
	l.inputs["create"], l.inputs["env"], l.inputs["option-settings"] = "false", eblocaltest.Env, ""
}

// TestLocalPromote takes a version that one environment has tried to the other.
func TestLocalPromote(t *testing.T) {
	locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
		l.pair(t)
		l.inputs["env"] = secondEnv
		l.deployed(t, "v2")
		before := len(l.aws.Wrote())
		l.inputs["env"] = eblocaltest.Env
		got := l.existing(t, "v2")
		l.wrote(t, before, "UpdateEnvironment")
		l.must(t, got, expected{result: "deployed", end: end{"v2", "Green", v2, both, 2}, outputs: map[string]string{"previous-version-label": "v1", "version-label": "v2"}})
		if got := l.existing(t, "v2"); got.result() != "unchanged" {
			t.Errorf("again: %s", got)
		}
	})
}

// TestLocalCreate makes application, bucket and environment, and one that fails.
func TestLocalCreate(t *testing.T) {
	locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
		l.inputs["app"], l.inputs["env"], l.inputs["create"], l.inputs["option-settings"] = "another-app", "another-env", "true", profile
		l.inputs["bucket-name"] = "bundles-of-ours"
		got := l.deployed(t, "v1")
		l.wrote(t, 0, "CreateApplication", "CreateBucket", "PutObject", "CreateApplicationVersion", "CreateEnvironment")
		env := l.aws.Account(t).Env("another-env")
		if env.Label != "v1" || env.Health != "Green" || !strings.HasPrefix(output(got, "s3-uri"), "s3://bundles-of-ours/") {
			t.Errorf("%+v\n%s", env, got)
		}
		l.aws.Engine.Break(eblocaltest.Breakage{Match: ":v2", Service: "backend", Exit: 3, Log: "no route to the database"})
		l.inputs["env"] = "broken-env"
		got = l.version(t, "v2")
		env = l.aws.Account(t).Env("broken-env")
		if got.result() != "failed" || got.code != 1 || !strings.Contains(got.log, "no route to the database") || env.Status != "Ready" || env.Health != "Red" {
			t.Errorf("%+v\n%s", env, got)
		}
	})
}
