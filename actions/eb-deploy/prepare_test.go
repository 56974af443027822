package ebdeploy

import (
	"path/filepath"
	"strings"
	"testing"
)

// rejects runs the action and wants all of the errors from one run, which
// changes nothing.
func (s *stage) rejects(t *testing.T, want ...string) ended {
	t.Helper()
	got := s.run(t)
	if got.code != 1 || got.result() != "rejected" || strings.Count(got.log, "::error") != len(want) {
		t.Errorf("exit code %d, result %s; want %d errors:\n%s", got.code, got.result(), len(want), got.log)
	}
	for _, one := range want {
		if !strings.Contains(got.log, one) {
			t.Errorf("the log lacks %q:\n%s", one, got.log)
		}
	}
	if wrote := s.wire.Wrote(); len(wrote) > 0 {
		t.Errorf("it wrote: %v", wrote)
	}
	return got
}

// TestSeedsTogether has both of the seed's files in the tree, and a service
// that neither has.
func TestSeedsTogether(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		for _, name := range []string{"docker-compose.yml", "Dockerrun.aws.json"} {
			s.file(t, name, readFile(t, filepath.Join("testdata", "seed", name)))
		}
		s.inputs["tags"], s.inputs["digests"] = `{"frontend":"t","backend":"t","ngin":"t"}`, ""
		golden(t, "rejected-seeds", s.run(t))
	})
}

func TestMisspeltVersionAlone(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.Stack = "64bit Amazon Linux 2023 v4.1.0 running ECS"
		s.file(t, "ecs/Dockerrun.aws.json", strings.Replace(dockerrunFile, "AWSEBDockerrunVersion", "AWSEBDOCKERrunVersion", 1))
		s.inputs["source"] = "ecs"
		s.inputs["tags"], s.inputs["digests"] = `{"frontend":"t","backend":"t","ngin":"t"}`, ""
		s.rejects(t, `ecs/Dockerrun.aws.json:2: unknown key "AWSEBDOCKERrunVersion"; did you mean "AWSEBDockerrunVersion"?`,
			`an image is given for "ngin", which is no container of the file; it has backend, frontend`)
	})
}

// TestAccountBesideOthers has problems that AWS knows beside others.
func TestAccountBesideOthers(t *testing.T) {
	const noEnv, timeout = `env: no environment "Dockerfulstack-env"`, `input timeout: "20" is no duration`
	for name, c := range map[string]struct {
		inputs map[string]string
		file   string
		want   []string
		silent bool
	}{
		"an input":               {map[string]string{"timeout": "20"}, composeFile, []string{timeout, noEnv}, false},
		"the file":               {nil, composeFile + "  more: {}\n", []string{`docker-compose.yml:13: service "more"`, noEnv}, false},
		"a broken file":          {nil, "\t" + composeFile, []string{"docker-compose.yml:1: a tab in the indentation", noEnv}, false},
		"a bad bucket name":      {map[string]string{"bucket-name": "Info"}, composeFile, []string{"input bucket-name: ", noEnv}, false},
		"a missing version":      {map[string]string{"timeout": "20", "tags": "", "digests": "", "version-label": "v7"}, composeFile, []string{timeout, noEnv, `version-label: application "docker-fullstack" has no version "v7"`}, false},
		"a region that can't be": {map[string]string{"region": "Seoul", "timeout": "20"}, composeFile, []string{timeout, "input region: "}, true},
		"a dry run":              {map[string]string{"dry-run": "true", "timeout": "20"}, composeFile, []string{timeout, noEnv}, false},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				s.inputs["env"] = "Dockerfulstack-env"
				for input, value := range c.inputs {
					s.inputs[input] = value
				}
				s.file(t, "docker-compose.yml", c.file)
				s.rejects(t, c.want...)
				if calls := s.wire.Calls(); (len(calls) == 0) != c.silent {
					t.Errorf("AWS was asked: %v", calls)
				}
			})
		})
	}
}

// TestUndecided has two files, and an environment that can't tell which.
func TestUndecided(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["env"] = "Dockerfulstack-env"
		s.file(t, "docker-compose.yml", composeFile+"  more: {}\n")
		s.file(t, "Dockerrun.aws.json", strings.Replace(dockerrunFile, `"memory": 128}`, `"memory": 0}`, 1))
		s.file(t, ".ebextensions/.git/config", "x")
		s.file(t, `.platform/a\b`, "x")
		s.rejects(t, `docker-compose.yml:13: service "more"`, `Dockerrun.aws.json:5: container "backend": memory is 0`,
			`rename it`, `env: no environment "Dockerfulstack-env"`)
	})
}

// TestBundleBesideRender has a file that can't be rendered and names what is
// not there; lines and path are the author's.
func TestBundleBesideRender(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["source"] = "app"
		file := composeFile + "    env_file: web.env\n    volumes: ['./gone.conf:/x']\n"
		s.file(t, "app/docker-compose.yml", file)
		bundled := []string{"app/docker-compose.yml:13: env_file web.env does not exist", "app/docker-compose.yml:14: volume ./gone.conf does not exist"}
		s.rejects(t, bundled...)
		s.inputs["tags"], s.inputs["digests"] = `{"backend":"t"}`, ""
		s.rejects(t, append(bundled, `app/docker-compose.yml:5: service "frontend" has build, and no image is given for it`)...)
		s.file(t, "app/docker-compose.yml", strings.Replace(file, "    environment:", "\tenvironment:", 1))
		s.rejects(t, append(bundled, `app/docker-compose.yml:5: service "frontend" has build, and no image is given for it`, "app/docker-compose.yml:11: a tab in the indentation")...)
	})
}

// TestFileInSubfolder names a file that was found from the deploy file's own
// folder.
func TestFileInSubfolder(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["source"], s.inputs["compose-file"] = "app", "./ops/prod.yml"
		s.file(t, "app/ops/prod.yml", composeFile+"    env_file: web.env\n")
		s.file(t, "app/ops/web.env", "A=1\n")
		s.rejects(t, "app/ops/prod.yml:13: env_file web.env is not there: paths count from `source`, at whose root the file stands as docker-compose.yml in the bundle; there is ops/web.env: write ./ops/web.env")
		s.file(t, "app/ops/prod.yml", composeFile+"    env_file: ./ops/web.env\n")
		if got := s.run(t); got.result() != "deployed" {
			t.Errorf("%s", got)
		}
	})
}
