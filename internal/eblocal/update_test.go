package eblocal

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"
)

// mustRefuse checks an error's code and text as a client sees them.
func mustRefuse(t *testing.T, err error, code, text string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) {
		t.Errorf("got error %v, expected %s", err, code)
		return
	}
	if e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), text) {
		t.Errorf("got %s: %s\nexpected %s: …%s…", e.ErrorCode(), e.ErrorMessage(), code, text)
	}
}

func TestUpdateEvents(t *testing.T) {
	t.Parallel()
	b, f := faked(t)
	b.version("v1", webBundle())
	b.version("v2", webBundle())
	b.deployed("v1")
	old := b.own().Instances[0].ID
	got := b.deployed("v2")
	id := f.instances()
	fresh := b.own().Instances[0].ID
	group := "awseb-" + b.own().ID + "-immutable-stack-AWSEBAutoScalingGroup"
	want := []string{
		"INFO Environment update is starting.",
		"INFO Immutable deployment policy enabled. Launching one instance with the new settings to verify health.",
		"INFO Created temporary auto scaling group " + group + ".",
		"INFO Instance deployment completed successfully.",
		"INFO Adding new instance(s) (" + fresh + ") to the load balancer.",
		"INFO Waiting for instance(s) (" + fresh + ") to pass health checks.",
		"INFO Added instance [" + fresh + "] to your environment.",
		"INFO Detached new instance(s) from temporary auto scaling group " + group + ".",
		"INFO Attached new instance(s) to the permanent auto scaling group " + b.own().group() + ".",
		"INFO Deployment succeeded. Terminating old instances and temporary Auto Scaling group.",
		"INFO Removed instance [" + old + "] from your environment.",
		"INFO New application version was deployed to running EC2 instances.",
		"INFO Environment update completed successfully.",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if len(id) != 1 || !strings.HasSuffix(id[0], "-2") {
		t.Errorf("instances after the second deployment: %v, expected the second only", id)
	}
}

func TestFailedUpdateRollsBack(t *testing.T) {
	t.Parallel()
	b, f := faked(t)
	b.version("v1", webBundle())
	b.version("v2", webBundle())
	b.deployed("v1")
	f.set(func() {
		f.onStart = func(context.Context, Launch) error { return errors.New("no space left on device") }
	})
	id := b.update(&elasticbeanstalk.UpdateEnvironmentInput{VersionLabel: aws.String("v2"), OptionSettings: property("COLOR", "blue")})
	b.awaitReady()
	events := b.events(id)
	if !slices.Contains(events, "ERROR Failed to deploy application.") {
		t.Errorf("events lack the failure: %q", events)
	}
	mustContain(t, "events", strings.Join(events, "\n"), "no space left on device")
	e := b.environment()
	if aws.ToString(e.VersionLabel) != "v1" || e.Health != ebtypes.EnvironmentHealthGreen {
		t.Errorf("label %s, health %s: expected v1 and Green", aws.ToString(e.VersionLabel), e.Health)
	}
	if got := b.settings()["COLOR"]; got != "" {
		t.Errorf("a failed update left the property COLOR=%s", got)
	}
	if got := f.instances(); len(got) != 1 || !strings.HasSuffix(got[0], "-1") {
		t.Errorf("instances: %v, expected the first only", got)
	}
	mustContain(t, "tail", b.tail(), "log of eb-dockerfullstack-env", "-2\n", "-1\n")
}

func TestFailureCauses(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name  string
		state Container
		want  string
	}{
		{"exited", Container{State: "exited", ExitCode: 3}, `Container "web" exited with code 3.`},
		{"memory", Container{State: "exited", ExitCode: 137, OOMKilled: true}, "raise its memory limit"},
		{"restarting", Container{State: "restarting", ExitCode: 2, Restarts: 9}, `Container "web" keeps restarting: it exited with code 2.`},
		{"unhealthy", Container{State: "running", Health: "unhealthy"}, "is unhealthy"},
		{"never healthy", Container{State: "running", Health: "starting"}, "not healthy within 1s"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, f := faked(t)
			c.state.Service = "web"
			f.set(func() { f.state = func(string) Container { return c.state } })
			b.version("v1", webBundle())
			events := strings.Join(b.deployed("v1"), "\n")
			mustContain(t, "events", events, c.want)
			e := b.environment()
			if e.Health != ebtypes.EnvironmentHealthRed || aws.ToString(e.VersionLabel) != "" {
				t.Errorf("health %s, label %q: expected Red and no label", e.Health, aws.ToString(e.VersionLabel))
			}
			mustContain(t, "causes", strings.Join(b.health().Causes, "\n"), c.want)
		})
	}
}

func TestOnlyOneUpdateAtATime(t *testing.T) {
	t.Parallel()
	b, f := faked(t)
	release := make(chan struct{})
	f.set(func() {
		f.onStart = func(ctx context.Context, _ Launch) error {
			select {
			case <-release:
			case <-ctx.Done():
			}
			return ctx.Err()
		}
	})
	b.version("v1", webBundle())
	in := &elasticbeanstalk.UpdateEnvironmentInput{EnvironmentName: aws.String(testEnv), VersionLabel: aws.String("v1")}
	out, err := b.eb.UpdateEnvironment(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	if out.Status != ebtypes.EnvironmentStatusUpdating || !aws.ToBool(out.AbortableOperationInProgress) {
		t.Errorf("answer: status %s, abortable %v; expected Updating, true", out.Status, aws.ToBool(out.AbortableOperationInProgress))
	}
	_, err = b.eb.UpdateEnvironment(t.Context(), in)
	mustRefuse(t, err, "InvalidParameterValue", "Environment named "+testEnv+" is in an invalid state for this operation. Must be Ready.")
	close(release)
	b.awaitReady()
	if got := b.environment().Health; got != ebtypes.EnvironmentHealthGreen {
		t.Errorf("health %s, expected Green", got)
	}
}

func TestAbort(t *testing.T) {
	t.Parallel()
	b, f := faked(t)
	abort := &elasticbeanstalk.AbortEnvironmentUpdateInput{EnvironmentName: aws.String(testEnv)}
	_, err := b.eb.AbortEnvironmentUpdate(t.Context(), abort)
	mustRefuse(t, err, "InvalidParameterValue", "invalid state")
	f.set(func() {
		f.onStart = func(ctx context.Context, _ Launch) error { <-ctx.Done(); return ctx.Err() }
	})
	b.version("v1", webBundle())
	id := b.update(&elasticbeanstalk.UpdateEnvironmentInput{VersionLabel: aws.String("v1")})
	if _, err := b.eb.AbortEnvironmentUpdate(t.Context(), abort); err != nil {
		t.Fatal(err)
	}
	b.awaitReady()
	mustContain(t, "events", strings.Join(b.events(id), "\n"), "ERROR The environment update was aborted")
	if got := f.instances(); len(got) != 0 {
		t.Errorf("instances after the abort: %v", got)
	}
}

func TestPropertiesReachTheInstance(t *testing.T) {
	t.Parallel()
	b, f := faked(t, func(o *Options) { o.EnvVars = map[string]string{"MYSQL_HOST": "db", "MOTTO": "it's all $1"} })
	b.version("v1", webBundle())
	b.deployed("v1")
	b.update(&elasticbeanstalk.UpdateEnvironmentInput{
		OptionSettings:  property("MYSQL_PORT", "3306"),
		OptionsToRemove: []ebtypes.OptionSpecification{{Namespace: aws.String(propertyNamespace), OptionName: aws.String("MYSQL_HOST")}},
	})
	b.awaitReady()
	want := []string{"MOTTO=\"it's all \\$1\"\nMYSQL_HOST=db\n", "MOTTO=\"it's all \\$1\"\nMYSQL_PORT=3306\n"}
	if diff := cmp.Diff(want, f.envs); diff != "" {
		t.Errorf(".env of the two launches (-want +got):\n%s", diff)
	}
	if got := aws.ToString(b.environment().VersionLabel); got != "v1" {
		t.Errorf("label after a change of settings: %q, expected v1", got)
	}
}

func TestUpdateRefusals(t *testing.T) {
	t.Parallel()
	b, _ := faked(t)
	b.version("v1", webBundle())
	const value, configuration = "InvalidParameterValue", "ConfigurationValidationException"
	cases := []struct {
		name       string
		in         elasticbeanstalk.UpdateEnvironmentInput
		code, text string
	}{
		{"no environment", elasticbeanstalk.UpdateEnvironmentInput{EnvironmentName: aws.String("other-env")}, value, "No Environment found for EnvironmentName = 'other-env'."},
		{"no version", elasticbeanstalk.UpdateEnvironmentInput{VersionLabel: aws.String("v9")}, value, "No Application Version named 'v9' found."},
		{"policy", elasticbeanstalk.UpdateEnvironmentInput{OptionSettings: option(commandNamespace, "DeploymentPolicy", "Slowly")}, configuration, "AllAtOnce, Rolling, RollingWithAdditionalBatch, Immutable, TrafficSplitting"},
		{"splitting without a load balancer", elasticbeanstalk.UpdateEnvironmentInput{OptionSettings: append(
			option(commandNamespace, "DeploymentPolicy", "TrafficSplitting"), option(environmentNamespace, "EnvironmentType", "SingleInstance")...)}, configuration, "Application Load Balancer"},
		{"option", elasticbeanstalk.UpdateEnvironmentInput{OptionSettings: option(commandNamespace, "BatchSizes", "1")}, configuration,
			"Configuration validation exception: Invalid option specification (Namespace: 'aws:elasticbeanstalk:command', OptionName: 'BatchSizes'): Unknown configuration setting."},
		{"namespace", elasticbeanstalk.UpdateEnvironmentInput{OptionSettings: option("asg", "MinSize", "1")}, configuration, "Unknown configuration setting."},
		{"timeout", elasticbeanstalk.UpdateEnvironmentInput{OptionSettings: option(commandNamespace, "Timeout", "soon")}, configuration, "1 to 3600"},
		{"too much", elasticbeanstalk.UpdateEnvironmentInput{OptionSettings: property("X", strings.Repeat("x", 4096))}, configuration, "4096"},
		{"platform", elasticbeanstalk.UpdateEnvironmentInput{SolutionStackName: aws.String(newest(ECS).stack())}, value, "only to another version of it"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if c.in.EnvironmentName == nil {
				c.in.EnvironmentName = aws.String(testEnv)
			}
			_, err := b.eb.UpdateEnvironment(t.Context(), &c.in)
			mustRefuse(t, err, c.code, c.text)
		})
	}
}

func TestBadBundles(t *testing.T) {
	t.Parallel()
	ecs := func(o *Options) { o.Platform = ECS }
	cases := []struct {
		name     string
		platform func(*Options)
		files    map[string]string
		want     string
	}{
		{"nothing", nil, map[string]string{"README": "x"}, "Both 'Dockerfile' and 'Dockerrun.aws.json' are missing in your source bundle."},
		{"parent folder", nil, map[string]string{"app/docker-compose.yml": "services: {}"}, "Both 'Dockerfile' and 'Dockerrun.aws.json' are missing"},
		{"tab", nil, map[string]string{composeFile: "services:\n  web:\n\t\timage: x\n"}, "line 3"},
		{"no port 80", nil, map[string]string{composeFile: "services: {web: {image: x}}"}, "no service publishes port 80"},
		{"no dockerrun", ecs, webBundle(), "Dockerrun.aws.json is missing"},
		{"misspelt version", ecs, map[string]string{dockerrunFile: `{"AWSEBDOCKERrunVersion": 2}`}, "ECS Application sourcebundle validation error: Unsupported AWSEBDockerrunVersion: "},
		{"version as text", ecs, map[string]string{dockerrunFile: `{"AWSEBDockerrunVersion": "1"}`}, "Unsupported AWSEBDockerrunVersion: 1"},
		{"zip slip", nil, map[string]string{"../../evil": "x"}, "outside of the bundle's directory"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b, _ := faked(t)
			if c.platform != nil {
				b, _ = faked(t, c.platform)
			}
			b.version("v1", c.files)
			mustContain(t, "events", strings.Join(b.deployed("v1"), "\n"), c.want, "ERROR Failed to deploy application.")
		})
	}
}

func TestStateOutlivesTheServer(t *testing.T) {
	t.Parallel()
	f := newFakeRunner(t)
	opts := testOptions(t)
	opts.Runner = f
	first, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := New(opts); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("a second server on the state: got %v, expected that it is in use", err)
	}
	api := httptest.NewServer(audited(t, first.Handler()))
	b := benchFor(t, first, api.URL)
	b.version("v1", webBundle())
	b.version("v2", webBundle())
	b.deployed("v1")
	f.set(func() {
		f.onStart = func(ctx context.Context, _ Launch) error { <-ctx.Done(); return ctx.Err() }
	})
	id := b.update(&elasticbeanstalk.UpdateEnvironmentInput{VersionLabel: aws.String("v2")})
	api.Close()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	again := serve(t, opts)
	mustContain(t, "events", strings.Join(again.events(id), "\n"), "cut off", "ERROR Failed to deploy application.")
	if e := again.environment(); aws.ToString(e.VersionLabel) != "v1" || e.Status != ebtypes.EnvironmentStatusReady {
		t.Errorf("label %s, status %s: expected v1, Ready", aws.ToString(e.VersionLabel), e.Status)
	}
	if status, text := fetch(t, again.EnvironmentURL()); status != 200 || !strings.HasPrefix(text, "hello") {
		t.Errorf("page after the restart: %d %q", status, text)
	}
	if err := again.Down(t.Context()); err != nil {
		t.Fatal(err)
	}
	if status, _ := fetch(t, again.EnvironmentURL()); status != 503 {
		t.Errorf("page after Down: status %d, expected 503", status)
	}
}

// restarts starts an environment again and again on one state, each time with
// another property, and ends it when it is Ready.
type restarts struct {
	*fakeRunner
	opts Options
}

func newRestarts(t *testing.T) *restarts {
	r := &restarts{fakeRunner: newFakeRunner(t), opts: testOptions(t)}
	r.opts.Runner = r.fakeRunner
	return r
}

func (r *restarts) start(port string, look func(*bench)) {
	r.t.Helper()
	r.opts.EnvVars = map[string]string{"MYSQL_PORT": port}
	s, err := New(r.opts)
	if err != nil {
		r.t.Fatal(err)
	}
	api := httptest.NewServer(audited(r.t, s.Handler()))
	defer api.Close()
	b := benchFor(r.t, s, api.URL)
	if aws.ToString(b.environment().VersionLabel) == "" {
		b.version("v1", webBundle())
		b.deployed("v1")
	}
	b.awaitReady()
	look(b)
	if err := s.Close(); err != nil {
		r.t.Fatal(err)
	}
}

// runs checks with which properties instances were launched, and which is left.
func (r *restarts) runs(left string, envs ...string) {
	r.t.Helper()
	if diff := cmp.Diff(envs, r.envs); diff != "" {
		r.t.Errorf(".env of the launches (-want +got):\n%s", diff)
	}
	if got := r.instances(); len(got) != 1 || !strings.HasSuffix(got[0], left) {
		r.t.Errorf("instances: %v, expected %s only", got, left)
	}
}

func TestChangedPropertiesAreDeployedAtTheNextStart(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	for _, port := range []string{"3306", "3306", "3307"} {
		r.start(port, func(*bench) {})
	}
	r.runs("-2", "MYSQL_PORT=3306\n", "MYSQL_PORT=3307\n")
}

// TestFailedRefreshIsTriedAgain expects the properties that the instance runs
// with, as long as others could not be deployed.
func TestFailedRefreshIsTriedAgain(t *testing.T) {
	t.Parallel()
	r := newRestarts(t)
	has := func(port string) func(*bench) {
		return func(b *bench) {
			t.Helper()
			if got := b.settings()["MYSQL_PORT"]; got != port {
				t.Errorf("property of the environment: %s, expected %s", got, port)
			}
		}
	}
	r.start("3306", has("3306"))
	r.set(func() {
		r.onStart = func(context.Context, Launch) error { return errors.New("no space left on device") }
	})
	r.start("3307", has("3306"))
	r.set(func() { r.onStart = nil })
	r.start("3307", has("3307"))
	r.runs("-3", "MYSQL_PORT=3306\n", "MYSQL_PORT=3307\n", "MYSQL_PORT=3307\n")
}

// TestCutRefreshIsTriedAgain starts on the state of a process that was killed
// while it deployed other properties, and after it had only set them.
func TestCutRefreshIsTriedAgain(t *testing.T) {
	t.Parallel()
	cases := map[string]func(*Server){
		"set": func(*Server) {},
		"being deployed": func(s *Server) {
			e := s.own()
			e.Before = &snapshot{Label: "v1", Settings: e.Instances[0].Run.Settings}
			e.Fresh, e.Status = []*instance{s.newInstance()}, statusUpdating
			e.Fresh[0].Status = deploymentRunning
		},
	}
	for name, leave := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRestarts(t)
			r.start("3306", func(b *bench) {
				b.mu.Lock()
				defer b.mu.Unlock()
				b.own().Settings = []setting{{propertyNamespace, "MYSQL_PORT", "3307"}}
				leave(b.Server)
				b.keep()
			})
			r.start("3307", func(*bench) {})
			if want := "MYSQL_PORT=3307\n"; len(r.envs) != 2 || r.envs[1] != want {
				t.Errorf(".env of the launches: %q, expected that the second is %q", r.envs, want)
			}
		})
	}
}

// TestRollbackLooksAtTheOldInstance loses the old instance while the new one
// fails: the environment must not be called healthy for having it back.
func TestRollbackLooksAtTheOldInstance(t *testing.T) {
	t.Parallel()
	b, f := faked(t, func(o *Options) { o.Watch = time.Hour })
	b.version("v1", webBundle())
	b.version("v2", webBundle())
	b.deployed("v1")
	f.set(func() {
		f.onStart = func(context.Context, Launch) error {
			f.set(func() {
				f.state = func(service string) Container { return Container{Service: service, State: "exited", ExitCode: 9} }
			})
			return errors.New("no space left on device")
		}
	})
	b.deployed("v2")
	if e := b.environment(); e.Health != ebtypes.EnvironmentHealthRed || aws.ToString(e.VersionLabel) != "v1" {
		t.Errorf("health %s, label %s: expected Red and v1", e.Health, aws.ToString(e.VersionLabel))
	}
	mustContain(t, "causes", strings.Join(b.health().Causes, " "), `Container "web" exited with code 9.`)
}

func TestSettingsDuringAnUpdate(t *testing.T) {
	t.Parallel()
	b, f := faked(t, func(o *Options) { o.EnvVars = map[string]string{"COLOR": "red"} })
	b.version("v1", webBundle())
	b.deployed("v1")
	release := make(chan struct{})
	f.set(func() {
		f.onStart = func(ctx context.Context, _ Launch) error {
			select {
			case <-release:
			case <-ctx.Done():
			}
			return ctx.Err()
		}
	})
	b.update(&elasticbeanstalk.UpdateEnvironmentInput{OptionSettings: property("COLOR", "blue")})
	if diff := cmp.Diff([]string{"deployed red", "pending blue"}, b.configurationColors()); diff != "" {
		t.Errorf("configurations during the update (-want +got):\n%s", diff)
	}
	close(release)
	b.awaitReady()
	if diff := cmp.Diff([]string{"deployed blue"}, b.configurationColors()); diff != "" {
		t.Errorf("configurations after the update (-want +got):\n%s", diff)
	}
}

// configurationColors are the configurations' statuses and properties COLOR.
func (b *bench) configurationColors() []string {
	b.t.Helper()
	out, err := b.eb.DescribeConfigurationSettings(b.t.Context(), &elasticbeanstalk.DescribeConfigurationSettingsInput{
		ApplicationName: aws.String(testApp), EnvironmentName: aws.String(testEnv),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	var colors []string
	for _, c := range out.ConfigurationSettings {
		for _, o := range c.OptionSettings {
			if aws.ToString(o.OptionName) == "COLOR" {
				colors = append(colors, string(c.DeploymentStatus)+" "+aws.ToString(o.Value))
			}
		}
	}
	return colors
}

// taskBundle is a task with a container beside the web that may end.
func taskBundle() map[string]string {
	return map[string]string{dockerrunFile: `{"AWSEBDockerrunVersion": 2, "containerDefinitions": [
		{"name": "web", "image": "example/web:1", "memory": 64, "portMappings": [{"hostPort": 80, "containerPort": 80}]},
		{"name": "aside", "image": "example/aside:1", "memory": 64, "essential": false}]}`}
}

func TestNonEssentialContainer(t *testing.T) {
	t.Parallel()
	b, f := faked(t, func(o *Options) { o.Platform = ECS })
	exits := func(code int) {
		f.set(func() { f.beside = []Container{{Service: "aside", State: "exited", ExitCode: code}} })
	}
	b.version("v1", taskBundle())
	exits(1)
	mustContain(t, "events", strings.Join(b.deployed("v1"), "\n"), `Container "aside" exited with code 1.`, "ERROR Failed to deploy application.")
	exits(0)
	b.deployed("v1")
	if e := b.environment(); e.Health != ebtypes.EnvironmentHealthGreen || aws.ToString(e.VersionLabel) != "v1" {
		t.Errorf("after it ended well: health %s, label %q; expected Green and v1", e.Health, aws.ToString(e.VersionLabel))
	}
	exits(1)
	b.awaitHealth(ebtypes.EnvironmentHealthYellow)
	mustContain(t, "causes", strings.Join(b.health().Causes, " "), `Container "aside" exited with code 1.`)
	if status, _ := fetch(t, b.EnvironmentURL()); status != 200 {
		t.Errorf("page after it ended in service: status %d, expected 200", status)
	}
}

// TestKilledDuringUpdate starts on the state that a process leaves behind which
// had no time to end its update.
func TestKilledDuringUpdate(t *testing.T) {
	t.Parallel()
	f := newFakeRunner(t)
	opts := testOptions(t)
	opts.Runner = f
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	e := s.own()
	e.Status, e.Label, e.Deployments = statusUpdating, "v2", 1
	e.Fresh = []*instance{s.newInstance()}
	e.Fresh[0].Run, e.Fresh[0].Status = s.newRun(update{env: e, version: version{Label: "v2"}}), deploymentRunning
	e.Before = &snapshot{Label: "v1", RequestID: "the-request"}
	f.running[e.Fresh[0].Run.Name] = true
	s.keep()
	s.mu.Unlock()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	b := serve(t, opts)
	mustContain(t, "events", strings.Join(b.events("the-request"), "\n"), "cut off", "ERROR Failed to deploy application.")
	if e := b.environment(); aws.ToString(e.VersionLabel) != "v1" || e.Status != ebtypes.EnvironmentStatusReady {
		t.Errorf("label %s, status %s: expected v1, Ready", aws.ToString(e.VersionLabel), e.Status)
	}
	if got := f.instances(); len(got) != 0 {
		t.Errorf("instances: %v, expected that the one being launched was removed", got)
	}
}

func TestSecretsAreNotTold(t *testing.T) {
	t.Parallel()
	const secret = "correct-horse"
	var log strings.Builder
	b, f := faked(t, func(o *Options) { o.EnvVars, o.Log = map[string]string{"PASSWORD": secret}, &log })
	f.set(func() {
		f.onStart = func(context.Context, Launch) error { return fmt.Errorf("login with %s refused", secret) }
	})
	b.version("v1", webBundle())
	events := strings.Join(b.deployed("v1"), "\n")
	mustContain(t, "events", events, "login with *** refused")
	for what, text := range map[string]string{"events": events, "causes": strings.Join(b.health().Causes, " ")} {
		if strings.Contains(text, secret) {
			t.Errorf("%s hold the secret: %s", what, text)
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if strings.Contains(log.String(), secret) {
		t.Errorf("the log holds the secret: %s", log.String())
	}
}

// TestSecretsOfTheOldInstanceAreNotTold has an instance in service that runs
// with another value than is set by now.
func TestSecretsOfTheOldInstanceAreNotTold(t *testing.T) {
	t.Parallel()
	b, _ := faked(t, func(o *Options) { o.EnvVars = map[string]string{"PASSWORD": "correct-horse"} })
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, password := range []string{"battery-staple", "correct-horse-2"} {
		b.own().Instances = []*instance{{Run: run{Settings: []setting{{propertyNamespace, "PASSWORD", password}}}}}
		if got := b.redact("login with " + password + " or correct-horse refused"); got != "login with *** or *** refused" {
			t.Errorf("got %q, expected that both values are hidden", got)
		}
	}
	b.own().Instances = nil
}

func property(name, value string) []ebtypes.ConfigurationOptionSetting {
	return option(propertyNamespace, name, value)
}

func option(namespace, name, value string) []ebtypes.ConfigurationOptionSetting {
	return []ebtypes.ConfigurationOptionSetting{{
		Namespace: aws.String(namespace), OptionName: aws.String(name), Value: aws.String(value),
	}}
}

// settings are all option settings by name.
func (b *bench) settings() map[string]string {
	b.t.Helper()
	out, err := b.eb.DescribeConfigurationSettings(b.t.Context(), &elasticbeanstalk.DescribeConfigurationSettingsInput{
		ApplicationName: aws.String(testApp), EnvironmentName: aws.String(testEnv),
	})
	if err != nil {
		b.t.Fatal(err)
	}
	settings := map[string]string{}
	for _, o := range out.ConfigurationSettings[0].OptionSettings {
		settings[aws.ToString(o.OptionName)] = aws.ToString(o.Value)
	}
	return settings
}

func (b *bench) health() *elasticbeanstalk.DescribeEnvironmentHealthOutput {
	b.t.Helper()
	out, err := b.eb.DescribeEnvironmentHealth(b.t.Context(), &elasticbeanstalk.DescribeEnvironmentHealthInput{
		EnvironmentName: aws.String(testEnv), AttributeNames: []ebtypes.EnvironmentHealthAttribute{"All"},
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return out
}
