package ebdeploy

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/beanstalk/wiretest"
)

const (
	digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	// password is an environment property that no output may hold.
	password = "pass-word-1"
)

const composeFile = `# the app
services:
  frontend:
    image: "guk0/docker-frontend"
    build: ./frontend
    volumes:
      - /app/node_modules
      - ./frontend:/app
  backend:
    image: guk0/docker-backend:${TAG:-latest}
    environment: {MYSQL_HOST: "${MYSQL_HOST}"}
    ports: ["80:5000"]
`

const dockerrunFile = `{
  "AWSEBDockerrunVersion": 2,
  "containerDefinitions": [
    {"name": "frontend", "image": "guk0/docker-frontend", "memory": 128, "essential": true, "portMappings": [{"hostPort": 80, "containerPort": 3000}]},
    {"name": "backend", "image": "guk0/docker-backend", "memory": 128}
  ]
}
`

// stage is a workspace, an account and what the action is given.
type stage struct {
	wire   *wiretest.AWS
	env    *wiretest.Environment
	dir    string
	inputs map[string]string
	// environ is what the step's environment has beside.
	environ []string
	load    func(context.Context, string) (aws.Config, error)
	cancel  context.CancelFunc
	// runID is the workflow run's; empty is none.
	runID string
}

func (s *stage) file(t *testing.T, name, content string) {
	t.Helper()
	path := filepath.Join(s.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// ended is all that a run leaves.
type ended struct {
	code                  int
	log, outputs, summary string
}

func (e ended) String() string {
	return fmt.Sprintf("exit code %d\n--- log\n%s--- outputs\n%s--- summary\n%s", e.code, e.log, e.outputs, e.summary)
}

func (e ended) result() string {
	first, _, _ := strings.Cut(e.outputs[strings.Index(e.outputs, "result=")+len("result="):], "\n")
	return first
}

// run is a whole run of the action, in process.
func (s *stage) run(t *testing.T) ended {
	t.Helper()
	runner := t.TempDir()
	outputs, summary := filepath.Join(runner, "outputs"), filepath.Join(runner, "summary")
	environ := []string{
		"GITHUB_WORKSPACE=" + s.dir, "GITHUB_OUTPUT=" + outputs, "GITHUB_STEP_SUMMARY=" + summary,
		"GITHUB_SHA=0123456789abcdef0123456789abcdef01234567", "GITHUB_RUN_ID=" + s.runID, "INPUT_COMMIT-MESSAGE=Fix the page\n\nAll of it.",
	}
	environ = append(environ, s.environ...)
	for _, name := range slices.Sorted(maps.Keys(s.inputs)) {
		environ = append(environ, "INPUT_"+strings.ToUpper(name)+"="+s.inputs[name])
	}
	var log bytes.Buffer
	r := action.NewRunner(environ, &log)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.cancel = cancel
	code := r.Run(ctx, func(ctx context.Context, r *action.Runner) error { return deployment{r, s.load}.run(ctx) })
	e := ended{code, plain(log.String()), readFile(t, outputs), readFile(t, summary)}
	for _, secret := range []string{wiretest.Secret, password, value, "signed-word"} {
		if strings.Contains(masks.ReplaceAllString(e.String(), ""), secret) {
			t.Errorf("the run shows %q:\n%s", secret, e)
		}
	}
	return e
}

func readFile(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	guard = regexp.MustCompile(`(?m)^::(stop-commands::)?[A-Z0-9]{26}(::)?\n`)
	masks = regexp.MustCompile(`(?m)^::add-mask::.*\n`)
	took  = regexp.MustCompile(`\d+\.\d s`)
)

func plain(log string) string { return guard.ReplaceAllString(log, "") }

// on runs a test in a bubble of its own time, on the repaired seed.
func on(t *testing.T, f func(t *testing.T, s *stage)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		wire, env := wiretest.New()
		env.Options = append(env.Options, [3]string{"aws:elasticbeanstalk:application:environment", "MYSQL_HOST", "db.internal.test"},
			[3]string{"aws:elasticbeanstalk:application:environment", "MYSQL_ROOT_PASSWORD", password})
		s := &stage{wire: wire, env: env, dir: dir, inputs: map[string]string{
			"region": "ap-northeast-2", "app": "docker-fullstack", "env": "Dockerfullstack-env", "check-images": "false",
			"tags":    `{"frontend":"sha-0123456789ab","backend":"sha-0123456789ab"}`,
			"digests": `{"frontend":"` + digest + `","backend":"` + digest + `"}`,
		}}
		s.load = func(_ context.Context, region string) (aws.Config, error) {
			cfg := wire.Config()
			cfg.Region = region
			return cfg, nil
		}
		s.file(t, "docker-compose.yml", composeFile)
		f(t, s)
	})
}

func golden(t *testing.T, name string, got ended) {
	t.Helper()
	text := took.ReplaceAllString(got.String(), "N s")
	actiontest.Golden(t, filepath.Join("testdata", name+".golden"), text)
}

// asked is the version that the running update is to.
func asked(e *wiretest.Environment) string { return e.Updates[len(e.Updates)-1] }

// before is the version that ran before the update.
func before(*wiretest.Environment) string { return "old-1" }

// fails is a script that ends in an error event, with a version running.
func fails(runs func(*wiretest.Environment) string) []wiretest.Step {
	return []wiretest.Step{
		{After: 10 * time.Second, Do: func(e *wiretest.Environment) {
			e.Report("INFO", "Immutable deployment policy enabled. Launching one instance with the new settings to verify health.")
			e.Report("WARN", "##[error]::error::The hook printed "+password)
		}},
		{After: 90 * time.Second, Do: func(e *wiretest.Environment) {
			e.Report("ERROR", "Failed to deploy application.")
			e.Status, e.Label = "Ready", runs(e)
			e.Causes = []string{"Application deployment failed at 2000-01-01T00:01:30Z with exit status 1."}
			e.Tail = map[string]string{"i-1": "----- /var/log/backend.log -----\n```\n::error::Access denied for user 'root' (using password: " + password + ")\n"}
		}},
	}
}

func TestDeployed(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		got := s.run(t)
		golden(t, "deployed", got)
		if diff := cmp.Diff([]string{"CreateStorageLocation", "PutObject", "CreateApplicationVersion", "UpdateEnvironment"}, s.wire.Wrote()); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
		first := len(s.wire.Calls())
		again := s.run(t)
		golden(t, "unchanged", again)
		for _, call := range s.wire.Calls()[first:] {
			if !strings.HasPrefix(call, "Describe") && call != "GetCallerIdentity" && call != "HeadObject" {
				t.Errorf("the second run called %s", call)
			}
		}
	})
}

func TestVerdicts(t *testing.T) {
	for name, script := range map[string][]wiretest.Step{
		"rolled-back": fails(before),
		"failed":      fails(asked),
		"unhealthy": {{After: time.Minute, Do: func(e *wiretest.Environment) {
			e.Finish(asked(e))
			e.Health, e.HealthStatus = "Red", "Severe"
			e.Causes = []string{"100.0 % of the requests are failing with HTTP 5xx."}
		}}},
		"timed-out": fails(before)[:1],
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				s.env.Script = script
				got := s.run(t)
				golden(t, name, got)
				if got.code != 1 || got.result() != name {
					t.Errorf("exit code %d, result %s", got.code, got.result())
				}
			})
		})
	}
}

// TestFailedThenAgain runs a deployment again that has failed with its label
// on the environment: nothing but a good update makes it green.
func TestFailedThenAgain(t *testing.T) {
	for name, instances := range map[string][]wiretest.Instance{
		"basic health":   nil,
		"one has failed": {{ID: "i-1", Deployment: "Deployed"}, {ID: "i-2", Deployment: "Failed"}},
		"one is silent":  {{ID: "i-1", Deployment: "Deployed"}, {ID: "i-2"}},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				s.env.Script = append(fails(asked), wiretest.Step{After: 90 * time.Second, Do: func(e *wiretest.Environment) {
					e.Instances = labelled(instances, asked(e))
				}})
				for range 2 {
					if got := s.run(t); got.code != 1 || got.result() != "failed" {
						t.Fatalf("%s", got)
					}
				}
				s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) {
					e.Finish(asked(e))
					for i := range e.Instances {
						e.Instances[i].Deployment = "Deployed"
					}
				}}}
				got := s.run(t)
				if got.code != 0 || got.result() != "deployed" || !strings.Contains(got.log, "already, but ") {
					t.Errorf("%s", got)
				}
				if n := len(s.env.Updates); n != 3 {
					t.Errorf("%d updates; want 3", n)
				}
				if got := s.run(t); got.code != 0 || got.result() != "unchanged" {
					t.Errorf("%s", got)
				}
			})
		})
	}
}

func labelled(all []wiretest.Instance, label string) []wiretest.Instance {
	all = slices.Clone(all)
	for i := range all {
		all[i].Label = label
	}
	return all
}

// TestNotUndone has a policy that leaves a failed update as it is.
func TestNotUndone(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.Options[0][2] = "AllAtOnce"
		s.env.Script = fails(before)
		if got := s.run(t); got.result() != "failed" || !strings.Contains(got.log, "what its instances run is not known") {
			t.Errorf("%s", got)
		}
	})
}

// TestSecretsUnknown can't read the settings, so it shows nothing that may hold
// a secret; run looks for the password in all that is shown.
func TestSecretsUnknown(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.wire.Fail(wiretest.Fault{
			Operation: "DescribeConfigurationSettings", Status: 403, Code: "AccessDenied",
			Message: "not authorized to perform: elasticbeanstalk:DescribeConfigurationSettings", Times: 1000,
		})
		s.env.Script = append(fails(asked), wiretest.Step{After: 90 * time.Second, Do: func(e *wiretest.Environment) { e.Causes = []string{"it printed " + password} }})
		golden(t, "secrets-unknown", s.run(t))
	})
}

// TestSettingsDuringAnUpdate starts while another update runs, whose settings
// are not deployed yet.
func TestSettingsDuringAnUpdate(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.OptionsPending = true
		s.env.Script = []wiretest.Step{{After: 20 * time.Second, Do: func(e *wiretest.Environment) { e.Finish("old-1") }}}
		s.env.Begin("old-1", "not-ours", time.Now())
		s.env.Script = fails(before)
		got := s.run(t)
		if got.result() != "rolled-back" || !strings.Contains(got.log, "The hook printed ***") || !strings.Contains(got.log, "(using password: ***)") {
			t.Errorf("%s", got)
		}
	})
}

// TestPropertiesOfTheBundle has properties that only the update brings.
func TestPropertiesOfTheBundle(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		password := s.env.Options[len(s.env.Options)-1]
		s.env.Options = s.env.Options[:len(s.env.Options)-1]
		s.env.Script = append(fails(before)[1:], wiretest.Step{After: 90 * time.Second, Do: func(e *wiretest.Environment) { e.Options = append(e.Options, password) }})
		if got := s.run(t); got.result() != "rolled-back" || !strings.Contains(got.log, "(using password: ***)") {
			t.Errorf("%s", got)
		}
	})
}

func TestNoVersionRuns(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.Label, s.env.Health = "", "Grey"
		if got := s.run(t); got.result() != "deployed" || !strings.Contains(got.log, ") runs no version, health Grey;") {
			t.Errorf("%s", got)
		}
	})
}

func TestCreated(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["env"], s.inputs["bucket-name"], s.inputs["bucket-path"] = "", "elasticbeanstalk-ap-northeast-2-957930470982", "/a/b/"
		s.inputs["version-label"], s.inputs["description"] = "v 1", "by hand"
		got := s.run(t)
		golden(t, "created", got)
		if got.code != 0 || got.result() != "created" || !strings.Contains(got.outputs, "s3-uri=s3://elasticbeanstalk-ap-northeast-2-957930470982/a/b/v 1-"+output(got, "bundle-sha256")[:8]+".zip") {
			t.Errorf("%s", got)
		}
		if v := s.wire.Versions["docker-fullstack"][0]; v.Description != "by hand" || v.Label != "v 1" {
			t.Errorf("%+v", v)
		}
		s.file(t, "docker-compose.yml", composeFile+"# more\n")
		got = s.run(t)
		if got.code != 1 || got.result() != "rejected" || !strings.Contains(got.log, `application version "v 1" exists with other content`) {
			t.Errorf("%s", got)
		}
	})
}

func TestExistingVersion(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		delete(s.inputs, "tags")
		delete(s.inputs, "digests")
		s.inputs["version-label"] = "v7"
		if got := s.run(t); got.result() != "rejected" || !strings.Contains(got.log, `has no version "v7"`) {
			t.Errorf("%s", got)
		}
		s.wire.Versions["docker-fullstack"] = []*wiretest.Version{{Label: "v7", Bucket: "b", Key: "k.zip"}}
		if got := s.run(t); got.result() != "rejected" || !strings.Contains(got.log, `version "v7" can't be deployed: its bundle s3://b/k.zip is gone`) {
			t.Errorf("%s", got)
		}
		s.wire.Buckets["b"] = map[string]*wiretest.Object{"k.zip": {Body: []byte("zip")}}
		s.file(t, "docker-compose.yml", "not read")
		if got := s.run(t); got.code != 0 || got.result() != "deployed" || !strings.Contains(got.outputs, "s3-uri=s3://b/k.zip") {
			t.Errorf("%s", got)
		}
		if diff := cmp.Diff([]string{"UpdateEnvironment"}, s.wire.Wrote()); diff != "" {
			t.Error(diff)
		}
		if got := s.run(t); got.result() != "unchanged" {
			t.Errorf("%s", got)
		}
		s.inputs["env"] = ""
		if got := s.run(t); got.result() != "rejected" || !strings.Contains(got.log, "input env: is empty") {
			t.Errorf("%s", got)
		}
	})
}

// TestPlatformDecides has both deploy files in the tree.
func TestPlatformDecides(t *testing.T) {
	for stack, want := range map[string]string{"running Docker": "docker-compose.yml, from", "running ECS": "Dockerrun.aws.json, from"} {
		on(t, func(t *testing.T, s *stage) {
			s.file(t, "Dockerrun.aws.json", dockerrunFile)
			s.env.Stack = "64bit Amazon Linux 2023 v4.1.0 " + stack
			s.inputs["dry-run"] = "true"
			if got := s.run(t); got.result() != "planned" || !strings.Contains(got.log, want) {
				t.Errorf("%s: %s", stack, got)
			}
			s.inputs["dry-run"] = "false"
			if got := s.run(t); got.result() != "deployed" {
				t.Errorf("%s: %s", stack, got)
			}
		})
	}
}

func TestRejected(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, s *stage){
		"rejected-inputs": func(t *testing.T, s *stage) {
			s.inputs["bucket-name"] = "elasticbeanstalk-ap-northeast-2-957930470982Info"
			s.inputs["region"] = "ap-northeast-2a"
			s.inputs["app"] = ""
			s.inputs["env"] = "x"
			s.inputs["digests"] = `{"frontend":"sha256:1","bakend":"` + digest + `"}`
			s.inputs["tags"] = "latest"
			s.inputs["wait"] = "yess"
			s.inputs["timeout"] = "20"
			s.inputs["accept-health"] = "Green, Blue"
			s.file(t, "docker-compose.yml", readFile(t, filepath.Join("testdata", "seed", "docker-compose.yml")))
		},
		"rejected-dockerrun": func(t *testing.T, s *stage) {
			if err := os.Remove(filepath.Join(s.dir, "docker-compose.yml")); err != nil {
				t.Fatal(err)
			}
			s.file(t, "Dockerrun.aws.json", readFile(t, filepath.Join("testdata", "seed", "Dockerrun.aws.json")))
		},
		"rejected-services": func(_ *testing.T, s *stage) {
			s.inputs["tags"], s.inputs["digests"] = "", ""
			s.inputs["images"] = `{"backend":"guk0/docker-backend:1","bakend":"guk0/docker-backend:1"}`
		},
		"rejected-account": func(_ *testing.T, s *stage) {
			s.inputs["env"], s.inputs["bucket-name"] = "Dockerfulstack-env", "some-other-bucket"
		},
		"rejected-update": func(_ *testing.T, s *stage) {
			s.wire.Fail(wiretest.Fault{Operation: "UpdateEnvironment", Status: 403, Code: "AccessDenied", Message: "not authorized to perform: elasticbeanstalk:UpdateEnvironment", Times: 1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				prepare(t, s)
				got := s.run(t)
				golden(t, name, got)
				if got.code != 1 || got.result() != "rejected" {
					t.Errorf("exit code %d, result %s", got.code, got.result())
				}
				if wrote := s.wire.Wrote(); len(wrote) > 0 && name != "rejected-update" {
					t.Errorf("it wrote: %v", wrote)
				}
			})
		})
	}
}

// TestErrorsOfOthers has another operation fail meanwhile: it is shown, and does
// not count.
func TestErrorsOfOthers(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.Script = []wiretest.Step{
			{After: 10 * time.Second, Do: func(e *wiretest.Environment) {
				e.Events = append(e.Events, wiretest.Event{At: time.Now(), Severity: "ERROR", Message: "Failed to deploy configuration.", RequestID: "not-ours"})
			}},
			{After: time.Minute, Do: func(e *wiretest.Environment) { e.Finish(asked(e)) }},
		}
		got := s.run(t)
		if got.code != 0 || got.result() != "deployed" || !strings.Contains(got.log, " ERROR Failed to deploy configuration. (of another operation; it does not count)") || !strings.Contains(got.log, "::warning::") {
			t.Errorf("%s", got)
		}
	})
}

// TestWaitsForItsTurn comes while another update runs that takes nearly as long
// as it may, as ours does then.
func TestWaitsForItsTurn(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		slow := []wiretest.Step{{After: 40 * time.Minute, Do: func(e *wiretest.Environment) { e.Finish(asked(e)) }}}
		s.env.Script = slow
		s.env.Begin("other", "not-ours", time.Now())
		got := s.run(t)
		if got.code != 0 || got.result() != "deployed" || !strings.Contains(got.log, "the deadline is 1h26m0s") || output(got, "previous-version-label") != "other" {
			t.Errorf("%s", got)
		}
	})
}

func TestNotReady(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["timeout"] = "1m"
		s.env.Status = "Updating"
		got := s.run(t)
		if got.result() != "timed-out" || !strings.Contains(got.log, "which is Updating, to be Ready") {
			t.Errorf("%s", got)
		}
		if wrote := s.wire.Wrote(); len(wrote) > 0 {
			t.Errorf("it wrote: %v", wrote)
		}
	})
}

func TestNoWait(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["wait"] = "false"
		got := s.run(t)
		golden(t, "created-no-wait", got)
		if got.code != 0 || got.result() != "created" || len(s.env.Updates) != 1 {
			t.Errorf("%s", got)
		}
	})
}

func TestCancelled(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.Script = []wiretest.Step{{After: 5 * time.Second, Do: func(*wiretest.Environment) { s.cancel() }}}
		got := s.run(t)
		if got.code != 1 || got.result() != "failed" || !strings.Contains(got.log, "::error::cancelled") {
			t.Errorf("%s", got)
		}
	})
}

// TestNetworkTimesOut has a connection that times out, which looks like a deadline
// that has passed, but is none.
func TestNetworkTimesOut(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		load := s.load
		s.load = func(ctx context.Context, region string) (aws.Config, error) {
			cfg, err := load(ctx, region)
			cfg.HTTPClient = timesOut{cfg.HTTPClient}
			return cfg, err
		}
		if got := s.run(t); got.code != 1 || got.result() == "timed-out" || !strings.Contains(got.log, "i/o timeout") || strings.Contains(got.log, "deadline of") {
			t.Errorf("%s", got)
		}
	})
}

// timesOut loses the requests for updates.
type timesOut struct{ aws.HTTPClient }

func (o timesOut) Do(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		return o.HTTPClient.Do(r)
	}
	form, err := io.ReadAll(r.Body)
	if err == nil && bytes.Contains(form, []byte("Action=UpdateEnvironment")) {
		dialer := net.Dialer{Deadline: time.Unix(1, 0)}
		_, err = dialer.DialContext(r.Context(), "tcp", "127.0.0.1:9")
	}
	if err != nil {
		return nil, err
	}
	r.Body = io.NopCloser(bytes.NewReader(form))
	return o.HTTPClient.Do(r)
}

// TestManyErrors has more errors than the runner shows of a step: the verdict,
// which comes last, is among them.
func TestManyErrors(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) {
			for i := range 30 {
				e.Report("ERROR", fmt.Sprintf("[Instance: i-%d] Command failed on instance.", i))
			}
			e.Report("ERROR", "Failed to deploy application.")
			e.Status = "Ready"
		}}}
		got := s.run(t)
		if n := strings.Count(got.log, "\n::error::"); n != 10 || strings.Count(got.log, " ERROR ") != 31 || !strings.Contains(got.log, "::error::rolled-back: [Instance: i-0]") {
			t.Errorf("%d annotations\n%s", n, got)
		}
	})
}

// TestFailureToldLate has Elastic Beanstalk show the new version although its
// deployment failed, and basic health: only an event tells, some seconds later.
func TestFailureToldLate(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(e *wiretest.Environment) {
			e.Report("ERROR", "[Instance: i-1] Command failed on instance. Return code: 1 Output: no route to the database.")
			e.Report("ERROR", "Failed to deploy application.")
			for i := range 2 {
				e.Events[len(e.Events)-1-i].Delay = 8 * time.Second
			}
			e.Status, e.Label = "Ready", asked(e)
		}}}
		if got := s.run(t); got.code != 1 || got.result() != "failed" || !strings.Contains(got.log, "::error::failed: [Instance: i-1] Command failed") {
			t.Errorf("%s", got)
		}
	})
}

// TestGone has the environment vanish while it is watched: nothing is left to
// explain or to roll back.
func TestGone(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["on-failure"] = "rollback"
		s.env.Script = []wiretest.Step{{After: time.Minute, Do: func(*wiretest.Environment) { s.wire.Apps["docker-fullstack"] = nil }}}
		got := s.run(t)
		if got.code != 1 || got.result() != "failed" || strings.Count(got.log, "::error::") != 1 || !strings.Contains(got.log, `::error::failed: environment "Dockerfullstack-env" is gone: it was terminated`) ||
			strings.Contains(got.log, "on-failure") || slices.Contains(s.wire.Calls(), "RequestEnvironmentInfo") {
			t.Errorf("%s", got)
		}
	})
}

// TestRole has no credentials but those of the role.
func TestRole(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		load := s.load
		s.load = func(ctx context.Context, region string) (aws.Config, error) {
			cfg, err := load(ctx, region)
			cfg.Credentials = nil
			return cfg, err
		}
		s.inputs["role-to-assume"] = "deploy"
		s.rejects(t, `input role-to-assume: "deploy" is no ARN of a role; write it as arn:aws:iam::<account>:role/<name>`)
		s.inputs["role-to-assume"] = "arn:aws:iam::957930470982:role/deploy"
		s.rejects(t, "role-to-assume: arn:aws:iam::957930470982:role/deploy: the job has no ID token: give it `permissions: {contents: read, id-token: write}`")
		s.environ = append(s.environ, "AWS_ACCESS_KEY_ID=x")
		s.wire.Roles = map[string]string{s.inputs["role-to-assume"]: ""}
		s.load = load
		if got := s.run(t); got.result() != "deployed" {
			t.Errorf("%s", got)
		}
	})
}

// TestPromote deploys a version to a second environment, and the one before
// there again: the way back is a deployment as any other.
func TestPromote(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		production := &wiretest.Environment{
			ID: "e-2", Name: "production", Status: "Ready", Health: "Green", Label: "old-1", Tier: "WebServer",
			Stack: s.env.Stack, Options: s.env.Options, CNAME: "production.test",
		}
		s.wire.Apps["docker-fullstack"] = append(s.wire.Apps["docker-fullstack"], production)
		first := output(s.run(t), "version-label")
		s.file(t, "docker-compose.yml", composeFile+"# more\n")
		second := output(s.run(t), "version-label")
		s.inputs["tags"], s.inputs["digests"] = "", ""
		uploads := len(s.wire.Wrote())
		for _, label := range []string{first, second, first} {
			s.inputs["env"], s.inputs["version-label"] = "production", label
			if got := s.run(t); got.result() != "deployed" || production.Label != label || output(got, "version-label") != label {
				t.Errorf("%s: %s", label, got)
			}
		}
		if diff := cmp.Diff([]string{"UpdateEnvironment", "UpdateEnvironment", "UpdateEnvironment"}, s.wire.Wrote()[uploads:]); diff != "" {
			t.Errorf("writes (-want +got):\n%s", diff)
		}
	})
}

// TestLostBundle has a version whose object is gone: it comes back, whether the
// environment runs the version or is to run it.
func TestLostBundle(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		label := output(s.run(t), "version-label")
		for _, runs := range []string{label, "old-1"} {
			s.wire.Buckets["elasticbeanstalk-ap-northeast-2-957930470982"] = map[string]*wiretest.Object{}
			s.env.Label = runs
			got := s.run(t)
			if got.code != 0 || !strings.Contains(got.log, "version "+label+" had lost its bundle; it is at s3://") || len(s.wire.Versions["docker-fullstack"]) != 1 ||
				len(s.wire.Buckets["elasticbeanstalk-ap-northeast-2-957930470982"]) != 1 || s.env.Label != label {
				t.Errorf("while %s runs: %s", runs, got)
			}
		}
	})
}

// TestDeadlineIsOfEachUpdate has four slow batches, twice where version and
// settings go apart, and an upload that takes as long: each update has the whole
// time, unless a timeout is given.
func TestDeadlineIsOfEachUpdate(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(s *stage)
		want    string
		log     string
	}{
		"apart":          {func(s *stage) { s.env.Separate = true }, "deployed", "the settings go first; each update has 1h1m0s"},
		"a slow upload":  {uploadsSlowly, "deployed", "the deadline is 1h1m0s"},
		"longer than it": {func(s *stage) { s.env.Script[0].After = 62 * time.Minute }, "timed-out", "the deadline passed 1h1m0s after the update"},
		"apart, and a timeout": {func(s *stage) { s.env.Separate, s.inputs["timeout"] = true, "1h10m" }, "timed-out",
			"the deadline passed 19m"},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				s.env.Options = append(s.env.Options[2:], [3]string{"aws:elasticbeanstalk:command", "DeploymentPolicy", "Rolling"}, [3]string{"aws:elasticbeanstalk:command", "BatchSize", "25"})
				s.inputs["env-vars"] = "PORT=81"
				s.env.Script = []wiretest.Step{{After: 50*time.Minute + 30*time.Second, Do: func(e *wiretest.Environment) { e.Finish(asked(e)) }}}
				c.prepare(s)
				if got := s.run(t); got.result() != c.want || !strings.Contains(got.log, c.log) {
					t.Errorf("want %s, %q\n%s", c.want, c.log, got)
				}
			})
		})
	}
}

func uploadsSlowly(s *stage) {
	s.wire.Before = func(operation string) {
		if operation == "PutObject" {
			time.Sleep(50 * time.Minute)
		}
	}
}
