package ebdeploy

import (
	"context"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

// previews runs a dry run, which writes nothing.
func (s *stage) previews(t *testing.T) ended {
	t.Helper()
	before := len(s.wire.Wrote())
	s.inputs["dry-run"] = "true"
	got := s.run(t)
	s.inputs["dry-run"] = "false"
	if wrote := s.wire.Wrote()[before:]; len(wrote) > 0 {
		t.Errorf("it wrote: %v", wrote)
	}
	return got
}

// TestDryRun is one against an environment whose version is a stranger's.
func TestDryRun(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.file(t, ".ebextensions/a.config", "option_settings: {}\n")
		s.file(t, ".env", "MYSQL_ROOT_PASSWORD="+password+"\n")
		golden(t, "dry-run", s.previews(t))
	})
}

// TestDryRunAgainstRunning compares with a version of ours, and with settings.
func TestDryRunAgainstRunning(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		if got := s.run(t); got.result() != "deployed" {
			t.Fatalf("%s", got)
		}
		s.file(t, "docker-compose.yml", strings.Replace(composeFile, "5000", "5001", 1)+"    labels: {api_token: "+value+"}\n")
		s.inputs["env-vars"] = "API_KEY=" + value + "\nMYSQL_ROOT_PASSWORD=\n"
		s.inputs["tags"] = `{"frontend":"sha-2","backend":"sha-0123456789ab"}`
		got := s.previews(t)
		golden(t, "dry-run-changes", got)
		s.inputs["env-vars"] = ""
		if got := s.run(t); got.result() != "deployed" {
			t.Fatalf("%s", got)
		}
		if got := s.previews(t); !strings.Contains(got.log, "no change: version 0123456789ab-") || !strings.Contains(got.log, "settings: no change") {
			t.Errorf("nothing to do: %s", got)
		}
	})
}

// TestDryRunOfExisting compares two versions that are there.
func TestDryRunOfExisting(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		first := output(s.run(t), "version-label")
		s.inputs["tags"], s.inputs["digests"] = `{"frontend":"sha-2","backend":"sha-2"}`, ""
		s.run(t)
		s.inputs["tags"], s.inputs["version-label"] = "", first
		got := s.previews(t)
		if got.result() != "planned" || !strings.Contains(got.log, "-    image: guk0/docker-backend:sha-2\n+    image: guk0/docker-backend:sha-0123456789ab@"+digest) {
			t.Errorf("%s", got)
		}
	})
}

// TestDryRunOfExistingPolicy lets read the bundle where the version has it.
func TestDryRunOfExistingPolicy(t *testing.T) {
	for key, want := range map[string]string{"other/v1.zip": "/other/*", "v1.zip": "/*"} {
		on(t, func(t *testing.T, s *stage) {
			s.wire.Buckets["others"] = map[string]*wiretest.Object{key: {Body: []byte("zip")}}
			s.wire.Versions["docker-fullstack"] = []*wiretest.Version{{Label: "v1", Bucket: "others", Key: key}}
			s.inputs["tags"], s.inputs["digests"], s.inputs["version-label"] = "", "", "v1"
			got := s.previews(t)
			if got.result() != "planned" || !strings.Contains(got.log, `"arn:aws:s3:::others`+want+`"`) {
				t.Errorf("%s: %s", key, got)
			}
		})
	}
}

// TestDryRunWithoutLogin plans registry-auth without its secret, as a pull
// request from a fork has it.
func TestDryRunWithoutLogin(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["registry-auth"], s.inputs["username"] = "true", "guk0"
		got := s.previews(t)
		if got.result() != "planned" || !strings.Contains(got.log, "::notice::registry-auth: there is no login that the instances could have") ||
			!strings.Contains(got.log, "logins of the registries are read from s3://") {
			t.Errorf("%s", got)
		}
	})
}

// TestDryRunWithoutCredentials is what a pull request from a fork has.
func TestDryRunWithoutCredentials(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		load := s.load
		s.load = func(ctx context.Context, region string) (aws.Config, error) {
			cfg, err := load(ctx, region)
			cfg.Credentials = nil
			return cfg, err
		}
		for _, role := range []string{"", "arn:aws:iam::957930470982:role/deploy"} {
			s.inputs["role-to-assume"] = role
			got := s.previews(t)
			if got.code != 0 || got.result() != "planned" || !strings.Contains(got.log, "::notice::the plan is not compared with what runs: ") || !strings.Contains(got.log, "frontend: build removed") {
				t.Errorf("%q: %s", role, got)
			}
		}
		s.file(t, "docker-compose.yml", composeFile+"    mem_limit: 1q\n")
		if got := s.previews(t); got.result() != "rejected" || !strings.Contains(got.log, "::notice::the plan is not compared") || strings.Count(got.log, "::error") != 1 {
			t.Errorf("with a broken file: %s", got)
		}
		if calls := s.wire.Calls(); len(calls) > 0 {
			t.Errorf("AWS was asked: %v", calls)
		}
	})
}

// TestDryRunRejected shows the plan beside what is wrong.
func TestDryRunRejected(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["env"] = "Dockerfulstack-env"
		got := s.previews(t)
		if got.code != 1 || got.result() != "rejected" || !strings.Contains(got.log, "::error::env: no environment") || !strings.Contains(got.log, "frontend: build removed") {
			t.Errorf("%s", got)
		}
		s.inputs["env"] = "Dockerfullstack-env"
		s.wire.Fail(wiretest.Fault{Operation: "GetCallerIdentity", Status: 403, Code: "InvalidClientTokenId", Times: 1})
		if got := s.previews(t); got.code != 1 || !strings.Contains(got.log, "::error::AWS refuses the credentials") {
			t.Errorf("%s", got)
		}
	})
}

func TestConceal(t *testing.T) {
	for text, want := range map[string]string{
		"      MYSQL_PASSWORD: word # it":                      "      MYSQL_PASSWORD: ***",
		"      - API_KEY=word":                                 "      - API_KEY=***",
		"      MYSQL_PASSWORD: ${MYSQL_PASSWORD}":              "      MYSQL_PASSWORD: ${MYSQL_PASSWORD}",
		"      PORT: 3306":                                     "      PORT: 3306",
		`{"name": "DB_PWD", "value": "a\"b"}, {"name": "X"`:    `{"name": "DB_PWD", "value": "***"}, {"name": "X"`,
		`{"name": "PORT", "value": "80"}`:                      `{"name": "PORT", "value": "80"}`,
		`"authentication": {"bucket": "b", "key": "k"}`:        `"authentication": {"bucket": "b", "key": "k"}`,
		"  token-service:\n    image: a/b:1\n":                 "  token-service:\n    image: a/b:1\n",
		"    DB_PASSWORD: |-\n      word\n\n      x\n    A: b": "    DB_PASSWORD: ***\n    A: b",
		"    DB_PASSWORD: $$word":                              "    DB_PASSWORD: ***",
		"    DB_PASSWORD: ${X:-word}":                          "    DB_PASSWORD: ***",
		"    SIGNING_KEY: word\r\n":                            "    SIGNING_KEY: ***\r\n",
		"    URL: mysql://root:word@db/x":                      "    URL: mysql://root:***@db/x",
		`{"value": "word", "name": "DB_PWD"}`:                  `{"value": "***", "name": "DB_PWD"}`,
		"      HOST: known-word":                               "      HOST: ***",
	} {
		if got := string(conceal(text, beanstalk.NewSecrets("known-word"))); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", text, got, want)
		}
	}
}
