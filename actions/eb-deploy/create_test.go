package ebdeploy

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

const profile = `{"aws:autoscaling:launchconfiguration":{"IamInstanceProfile":"aws-elasticbeanstalk-ec2-role"}}`

var stacks = []string{
	"64bit Amazon Linux 2023 v4.0.9 running ECS", "64bit Amazon Linux 2 v10.1.0 running Docker", "64bit Amazon Linux 2023 v4.9.0 running Docker",
	"64bit Amazon Linux 2023 v4.10.0 running Docker", "64bit Amazon Linux 2023 v4.10.0 running Python 3.13",
}

// TestCreate makes all that is missing, once.
func TestCreate(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.wire.Apps, s.wire.Stacks = map[string][]*wiretest.Environment{}, stacks
		s.inputs["create"], s.inputs["bucket-name"] = "true", "new-bundles"
		s.inputs["env-vars"], s.inputs["option-settings"] = "MYSQL_HOST=db\nAPI_KEY="+value, profile
		got := s.run(t)
		golden(t, "created-all", got)
		if diff := cmp.Diff([]string{"CreateApplication", "PutBucket", "PutObject", "CreateApplicationVersion", "CreateEnvironment"}, s.wire.Wrote()); diff != "" || got.code != 0 {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
		env := s.wire.Apps["docker-fullstack"][0]
		if env.Stack != "64bit Amazon Linux 2023 v4.10.0 running Docker" || env.Label != output(got, "version-label") {
			t.Errorf("%s runs %s", env.Stack, env.Label)
		}
		if diff := cmp.Diff([]string{"IamInstanceProfile=aws-elasticbeanstalk-ec2-role", "API_KEY=" + value, "MYSQL_HOST=db"}, env.Sent[0]); diff != "" {
			t.Errorf("settings (-want +got):\n%s", diff)
		}
		wrote := len(s.wire.Wrote())
		if got := s.run(t); got.result() != "unchanged" || len(s.wire.Wrote()) != wrote {
			t.Errorf("again: %s", got)
		}
	})
}

// TestCreateWithLogin makes the bucket before the logins go into it, and once.
func TestCreateWithLogin(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.wire.Apps, s.wire.Stacks = map[string][]*wiretest.Environment{}, stacks
		s.inputs["create"], s.inputs["bucket-name"] = "true", "new-bundles"
		s.inputs["env-vars"], s.inputs["option-settings"] = "MYSQL_HOST=db", profile
		s.inputs["registry-auth"], s.inputs["username"], s.inputs["password"] = "true", "guk0", value
		got := s.run(t)
		want := []string{"PutBucket", "PutObject", "CreateApplication", "PutObject", "CreateApplicationVersion", "CreateEnvironment"}
		if diff := cmp.Diff(want, s.wire.Wrote()); diff != "" || got.result() != "deployed" {
			t.Errorf("writes (-want +got):\n%s\n%s", diff, got)
		}
	})
}

// TestCreateLosesTheAnswer follows the environment that the first attempt made.
func TestCreateLosesTheAnswer(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.wire.Apps, s.wire.Stacks = map[string][]*wiretest.Environment{}, stacks
		s.inputs["create"], s.inputs["env-vars"], s.inputs["option-settings"] = "true", "MYSQL_HOST=db", profile
		s.wire.Fail(wiretest.Fault{Operation: "CreateEnvironment", Late: true, Times: 1})
		got := s.run(t)
		if got.result() != "deployed" || len(s.wire.Apps["docker-fullstack"]) != 1 || !strings.Contains(got.log, "following that") || !strings.Contains(got.log, "Environment update is starting.") {
			t.Errorf("%s", got)
		}
	})
}

// TestCreateListedLate has the new environment come into lists only after a
// while, also where the answer that it is being made is lost. One that does not
// come at all is gone.
func TestCreateListedLate(t *testing.T) {
	for _, c := range []struct {
		late   time.Duration
		lost   bool
		result string
	}{
		{20 * time.Second, false, "deployed"}, {20 * time.Second, true, "deployed"}, {time.Hour, false, "failed"}, {time.Hour, true, "rejected"},
	} {
		on(t, func(t *testing.T, s *stage) {
			s.wire.Apps, s.wire.Stacks, s.wire.ListsLate = map[string][]*wiretest.Environment{}, stacks, c.late
			s.inputs["create"], s.inputs["env-vars"], s.inputs["option-settings"] = "true", "MYSQL_HOST=db", profile
			if c.lost {
				s.wire.Fail(wiretest.Fault{Operation: "CreateEnvironment", Late: true, Times: 1})
			}
			if got := s.run(t); got.result() != c.result || strings.Contains(got.log, "is gone") != (c.late == time.Hour && !c.lost) {
				t.Errorf("%+v: %s", c, got)
			}
		})
	}
}

// TestCreateOneOfTwo makes an environment beside one that is there.
func TestCreateOneOfTwo(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.wire.Stacks = stacks
		s.inputs["env"], s.inputs["create"], s.inputs["platform"] = "Dockerfullstack-env, second", "true", "64bit Amazon Linux 2023 v4.9.0 running Docker"
		s.inputs["env-vars"], s.inputs["option-settings"] = "MYSQL_HOST=db", profile
		got := s.run(t)
		if got.result() != "deployed" || len(s.wire.Apps["docker-fullstack"]) != 2 || s.wire.Apps["docker-fullstack"][1].Stack != s.inputs["platform"] {
			t.Errorf("%s", got)
		}
	})
}

const platformARN = "arn:aws:elasticbeanstalk:ap-northeast-2:957930470982:platform/ours/1.0.0"

// TestCreateOnARN has the platform named by its ARN, whose kind only AWS tells.
func TestCreateOnARN(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.wire.Platforms = map[string]string{platformARN: "64bit Amazon Linux 2023 v1.0.0 running ECS"}
		s.inputs["env"], s.inputs["create"], s.inputs["env-vars"], s.inputs["option-settings"] = "new-env", "true", "MYSQL_HOST=db", profile
		s.inputs["platform"] = platformARN
		s.rejects(t, `env: environment "new-env" runs "`+platformARN+`", which does not take a Compose file`)
		s.wire.Platforms[platformARN] = "64bit Amazon Linux 2023 v1.0.0 running Docker"
		if got := s.run(t); got.result() != "deployed" || s.wire.Apps["docker-fullstack"][1].PlatformARN != platformARN {
			t.Errorf("%s", got)
		}
	})
}

// TestCreateRejected has what keeps an environment from being made.
func TestCreateRejected(t *testing.T) {
	for name, c := range map[string]struct {
		inputs map[string]string
		want   []string
	}{
		"no profile": {map[string]string{"option-settings": ""}, []string{`create: a new environment needs an instance profile; give option-settings {"aws:autoscaling:launchconfiguration"`}},
		"platform":   {map[string]string{"platform": "64bit Windows"}, []string{`platform: there is no "64bit Windows" in ap-northeast-2; give Docker or ECS for the newest`}},
		"an ARN":     {map[string]string{"platform": platformARN}, []string{`platform: there is no "` + platformARN + `" in ap-northeast-2 (InvalidParameterValue: No Platform named`}},
		"kind":       {map[string]string{"platform": "ECS"}, []string{`env: environment "new-env" runs "64bit Amazon Linux 2023 v4.0.9 running ECS", which does not take a Compose file`}},
		"a name of another application": {map[string]string{"app": "other-app", "env": "Dockerfullstack-env", "platform": "64bit Windows"}, []string{
			`env: environment "Dockerfullstack-env" is there already, in application "docker-fullstack"; its name is unique in ap-northeast-2`,
			`platform: there is no "64bit Windows"`}},
		"a variable": {map[string]string{"env-vars": ""}, []string{`${MYSQL_HOST} has no value`}},
		"an existing version": {map[string]string{"app": "other-app", "platform": "Docker", "tags": "", "digests": "", "version-label": "v1"}, []string{
			`version-label: application "other-app" is to be created, so it has no version "v1"`}},
		"an existing version's platform": {map[string]string{"tags": "", "digests": "", "version-label": "v1"}, []string{
			`platform: is empty, and version "v1" is deployed as it is, so nothing says what environment "new-env" is to run; give Docker, or ECS`,
			`version-label: application "docker-fullstack" has no version "v1"`}},
		"not to create": {map[string]string{"create": "false", "platform": "Docker"}, []string{"input platform: is that of a new environment", `env: no environment "new-env"`}},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				s.wire.Stacks = stacks
				s.inputs["env"], s.inputs["create"], s.inputs["env-vars"], s.inputs["option-settings"] = "new-env", "true", "MYSQL_HOST=db", profile
				for input, text := range c.inputs {
					s.inputs[input] = text
				}
				s.rejects(t, c.want...)
			})
		})
	}
}

// TestCreateQuota has no room for what is to be made, one too few or just enough.
func TestCreateQuota(t *testing.T) {
	const apps = "create: the application can't be made: there are 1 of 1 applications in the region; delete one that is not needed, or ask AWS for a higher quota"
	const envs = "create: 2 to be made, and there are 1 of 2 environments, which all applications of the account share in the region; delete one that is not needed, or ask AWS for a higher quota"
	for name, c := range map[string]struct {
		app        string
		apps, envs int
		want       []string
	}{
		"neither": {"other-app", 1, 2, []string{apps, envs}}, "environments": {"docker-fullstack", 1, 2, []string{envs}}, "enough": {"docker-fullstack", 1, 3, nil},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				s.wire.Stacks, s.wire.AppQuota, s.wire.EnvQuota = stacks, c.apps, c.envs
				s.inputs["app"], s.inputs["env"], s.inputs["create"], s.inputs["env-vars"], s.inputs["option-settings"] = c.app, "new-env, newer-env", "true", "MYSQL_HOST=db", profile
				if c.want != nil {
					s.rejects(t, c.want...)
				} else if got := s.run(t); got.result() != "deployed" {
					t.Errorf("%s", got)
				}
			})
		})
	}
}

// TestCreateFails refuses the environment at once, with a value in the words.
func TestCreateFails(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.wire.Stacks = stacks
		s.inputs["env"], s.inputs["create"], s.inputs["env-vars"], s.inputs["option-settings"] = "new-env", "true", "MYSQL_HOST="+value, profile
		s.wire.Fail(wiretest.Fault{Operation: "CreateEnvironment", Status: 400, Code: "InvalidParameterValue", Message: "odd: " + value, Times: 1})
		got := s.run(t)
		if got.result() != "rejected" || !strings.Contains(got.log, `create environment "new-env": InvalidParameterValue: odd: ***`) {
			t.Errorf("%s", got)
		}
		if got := s.previews(t); got.result() != "planned" || !strings.Contains(got.log, "is not there; it is made on 64bit Amazon Linux 2023 v4.10.0 running Docker") {
			t.Errorf("%s", got)
		}
	})
}
