package ebdeploy

import (
	"cmp"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

const propertyOptions = "aws:elasticbeanstalk:application:environment"

// TestLocalSettings begins with v1 running, and OLD and KEPT among its
// properties.
func TestLocalSettings(t *testing.T) {
	onV2 := end{"v2", "Green", v2, both, 2}
	const timeout = `{"aws:elasticbeanstalk:command":{"Timeout":"300"}}`
	changed := map[string]string{"KEPT": "yes", "OLD": "", "NEW": value, "Timeout": "300"}
	before := map[string]string{"KEPT": "yes", "OLD": "1", "NEW": "", "Timeout": "600"}
	for name, c := range map[string]struct {
		faults eblocal.Faults
		broken []eblocaltest.Breakage
		inputs map[string]string
		writes []string
		want   expected
		set    map[string]string
	}{
		"in one step": {writes: []string{"CreateStorageLocation", "PutObject", "CreateApplicationVersion", "UpdateEnvironment"},
			want: expected{result: "deployed", end: onV2}, set: changed},
		"in two steps": {faults: eblocal.Faults{Separate: true},
			writes: []string{"CreateStorageLocation", "PutObject", "CreateApplicationVersion", "UpdateEnvironment", "UpdateEnvironment", "UpdateEnvironment"},
			want:   expected{result: "deployed", end: onV2}, set: changed},
		"in two steps, the version fails": {faults: eblocal.Faults{Separate: true}, broken: dies(0),
			want: expected{result: "rolled-back", code: 1, log: why, end: end{"v1", "Green", v1, both, 2}}, set: changed},
		"taken back with the version": {broken: dies(0),
			want: expected{result: "rolled-back", code: 1, log: why, end: end{"v1", "Green", v1, both, 2}}, set: before},
		"in two steps, taken back by on-failure": {faults: eblocal.Faults{Separate: true}, broken: dies(0), inputs: map[string]string{"on-failure": "rollback"},
			want: expected{result: "rolled-back", code: 1, log: append(why[:2:2], `version "v1" has the settings of before again and runs`), end: end{"v1", "Green", v1, both, 2}}, set: before},
		"in one step, on-failure has nothing to do": {broken: dies(0), inputs: map[string]string{"on-failure": "rollback"},
			want: expected{result: "rolled-back", code: 1, log: why, not: []string{"on-failure: "}, end: end{"v1", "Green", v1, both, 2}}, set: before},
		"refused": {inputs: map[string]string{"option-settings": `{"aws:elasticbeanstalk:command":{"Timeout":"never","DeploymentPolicy":"Slowly"}}`},
			want: expected{result: "rejected", code: 1, log: []string{"Timeout", "DeploymentPolicy"}, end: end{"v1", "Green", v1, []string{"v1"}, 1}}, set: before},
		"too large": {inputs: map[string]string{"env-vars": "NEW=" + strings.Repeat("x", 4096)},
			want: expected{result: "rejected", code: 1, log: []string{"4096", "env-vars"}, end: end{"v1", "Green", v1, []string{"v1"}, 1}}, set: before},
	} {
		t.Run(name, func(t *testing.T) {
			locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
				l.inputs["env-vars"] = "KEPT=yes\nOLD=1"
				l.deployed(t, "v1")
				l.aws.SetFaults(c.faults)
				for _, b := range c.broken {
					l.aws.Engine.Break(b)
				}
				l.inputs["env-vars"], l.inputs["option-settings"] = "KEPT=yes\nOLD=\nNEW="+value, timeout
				maps.Copy(l.inputs, c.inputs)
				before := len(l.aws.Wrote())
				got := l.version(t, "v2")
				if c.writes != nil {
					l.wrote(t, before, c.writes...)
				}
				l.must(t, got, c.want)
				l.mustBeSet(t, c.set)
			})
		})
	}
}

// mustBeSet holds the properties, and the option Timeout.
func (l *local) mustBeSet(t *testing.T, want map[string]string) {
	t.Helper()
	env := l.aws.Account(t).Env(eblocaltest.Env)
	got := map[string]string{}
	for name := range want {
		got[name] = env.Set(propertyOptions, name)
		if name == "Timeout" {
			got[name] = cmp.Or(env.Set(commandOptions, name), "600")
		}
	}
	if !maps.Equal(want, got) {
		t.Errorf("settings %v; want %v", got, want)
	}
}

// TestLocalSettingsAlone changes settings of the version that runs: no version is
// made, and a second run changes nothing. That the environment reads Ready at
// first, with that version, proves nothing where the instances can't be asked.
func TestLocalSettingsAlone(t *testing.T) {
	t.Run("shown at once", func(t *testing.T) { settingsAlone(t, "enhanced", eblocal.Faults{}) })
	t.Run("shown late", func(t *testing.T) { settingsAlone(t, "basic", eblocal.Faults{LateUpdating: 20 * time.Second}) })
}

func settingsAlone(t *testing.T, health string, faults eblocal.Faults) {
	t.Helper()
	locally(t, eblocal.Options{}, func(t *testing.T, l *local) {
		l.deployed(t, "v1")
		l.set(t, [3]string{"aws:elasticbeanstalk:healthreporting:system", "SystemType", health})
		l.aws.SetFaults(faults)
		l.inputs["env-vars"] = "NEW=" + value
		before := len(l.aws.Wrote())
		onV1 := end{"v1", "Green", v1, []string{"v1"}, 1}
		l.must(t, l.version(t, "v1"), expected{result: "deployed", log: []string{"NEW"}, end: onV1})
		l.must(t, l.version(t, "v1"), expected{result: "unchanged", end: onV1})
		l.wrote(t, before, "UpdateEnvironment")
		l.mustBeSet(t, map[string]string{"NEW": value})
		for _, file := range l.aws.Engine.Running() {
			if !strings.Contains(file, ":v1") {
				t.Errorf("there runs\n%s", file)
			}
		}
		// Settings that the instances don't take are put back.
		l.aws.Engine.Break(eblocaltest.Breakage{Match: ":v1", Service: "backend", Exit: 3})
		l.inputs["env-vars"] = "NEW=other"
		l.must(t, l.version(t, "v1"), expected{result: "failed", code: 1, log: []string{`Container "backend" exited with code 3.`}, end: onV1})
		l.mustBeSet(t, map[string]string{"NEW": value})
	})
}
