package eblocal_test

import (
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

const (
	second = "Second-env"
	stack  = "64bit Amazon Linux 2023 v4.0.1 running Docker"
)

func newEnvironment(label string) *elasticbeanstalk.CreateEnvironmentInput {
	return &elasticbeanstalk.CreateEnvironmentInput{
		ApplicationName: aws.String(eblocaltest.App), EnvironmentName: aws.String(second), CNAMEPrefix: aws.String("second"),
		SolutionStackName: aws.String(stack), VersionLabel: aws.String(label), Description: aws.String("another"),
		OptionSettings: []ebtypes.ConfigurationOptionSetting{option("aws:elasticbeanstalk:application:environment", "COLOR", "blue")},
		Tags:           []ebtypes.Tag{{Key: aws.String("by"), Value: aws.String("us")}},
	}
}

func (s *stage) create(label string) {
	s.t.Helper()
	out, err := s.eb.CreateEnvironment(s.t.Context(), newEnvironment(label))
	if err != nil {
		s.t.Fatal(err)
	}
	if out.Status != "Launching" || out.CNAME != nil {
		s.t.Errorf("answer: status %s, CNAME %s; expected Launching and none", out.Status, aws.ToString(out.CNAME))
	}
	s.until(second, "Ready")
}

// all are the environments, those that are terminated among them if asked for.
func (s *stage) all(in *elasticbeanstalk.DescribeEnvironmentsInput) []ebtypes.EnvironmentDescription {
	s.t.Helper()
	var all []ebtypes.EnvironmentDescription
	for {
		out, err := s.eb.DescribeEnvironments(s.t.Context(), in)
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, out.Environments...)
		if in.NextToken = out.NextToken; in.NextToken == nil {
			return all
		}
	}
}

func (s *stage) named(env string) ebtypes.EnvironmentDescription {
	s.t.Helper()
	all := s.all(&elasticbeanstalk.DescribeEnvironmentsInput{EnvironmentNames: []string{env}})
	if len(all) == 0 {
		s.t.Fatalf("there is no environment %s", env)
	}
	return all[0]
}

func (s *stage) until(env string, status ebtypes.EnvironmentStatus) {
	s.t.Helper()
	for range 10000 {
		if s.named(env).Status == status {
			return
		}
		time.Sleep(time.Second)
	}
	s.t.Fatalf("environment %s does not get %s", env, status)
}

// page is what an environment's own address answers.
func (s *stage) page(e ebtypes.EnvironmentDescription) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, "http://"+aws.ToString(e.CNAME)+"/", nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := s.Client().Do(request)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

func (s *stage) terminate(env string) {
	s.t.Helper()
	if _, err := s.eb.TerminateEnvironment(s.t.Context(), &elasticbeanstalk.TerminateEnvironmentInput{EnvironmentName: aws.String(env)}); err != nil {
		s.t.Fatal(err)
	}
	s.until(env, "Terminated")
}

func TestSeveralEnvironments(t *testing.T) {
	staged(t, eblocal.Options{}, func(t *testing.T, s *stage) {
		s.Engine.Boot = time.Minute
		s.version("v1")
		s.version("v2")
		s.create("v1")
		s.deployed("v2")
		one, two := s.environment(), s.named(second)
		if a, b := s.page(one), s.page(two); !strings.Contains(a, "web:v2") || !strings.Contains(b, "web:v1") {
			t.Errorf("the pages: %q and %q", a, b)
		}
		events := s.lines(&elasticbeanstalk.DescribeEventsInput{EnvironmentName: aws.String(second)})
		if want := "INFO createEnvironment is starting."; events[0] != want {
			t.Errorf("the first event %q, expected %q", events[0], want)
		}
		if want := "INFO Successfully launched environment: " + second; !slices.Contains(events, want) {
			t.Errorf("no event %q in %q", want, events)
		}
		_, err := s.eb.DeleteApplicationVersion(t.Context(), &elasticbeanstalk.DeleteApplicationVersionInput{ApplicationName: aws.String(eblocaltest.App), VersionLabel: aws.String("v1")})
		mustRefuse(t, err, "InvalidParameterValue", "in use by environment "+second)
		if paged := s.all(&elasticbeanstalk.DescribeEnvironmentsInput{MaxRecords: aws.Int32(1)}); len(paged) != 2 {
			t.Errorf("by pages of one: %d environments", len(paged))
		}
		s.terminate(second)
		if got := len(s.Engine.Running()); got != 1 {
			t.Errorf("%d instances run, expected that of the first environment", got)
		}
		if left := s.all(&elasticbeanstalk.DescribeEnvironmentsInput{IncludeDeleted: aws.Bool(false)}); len(left) != 1 {
			t.Errorf("%d environments are not deleted, expected 1", len(left))
		}
		since := aws.Time(time.Now().Add(-24 * time.Hour))
		time.Sleep(2 * time.Hour)
		if all := s.all(&elasticbeanstalk.DescribeEnvironmentsInput{}); len(all) != 1 {
			t.Errorf("after two hours %d environments, expected 1", len(all))
		}
		if all := s.all(&elasticbeanstalk.DescribeEnvironmentsInput{IncludeDeleted: aws.Bool(true), IncludedDeletedBackTo: since}); len(all) != 2 {
			t.Errorf("back to yesterday %d environments, expected 2", len(all))
		}
		s.create("v2") // the name is free again
		if again := s.named(second); aws.ToString(again.EnvironmentId) == aws.ToString(two.EnvironmentId) {
			t.Error("the new environment has the old one's id")
		}
	})
}

func TestCreateThatFails(t *testing.T) {
	staged(t, eblocal.Options{}, func(t *testing.T, s *stage) {
		s.version("v1")
		s.Engine.Break(eblocaltest.Breakage{Match: "web:v1", Exit: 3, Log: "no route to the database"})
		s.create("v1")
		if e := s.named(second); e.Health != "Red" {
			t.Errorf("health %s, expected Red", e.Health)
		}
		events := s.lines(&elasticbeanstalk.DescribeEventsInput{EnvironmentName: aws.String(second), Severity: "ERROR"})
		if last := events[len(events)-1]; !strings.HasPrefix(last, "ERROR Create environment operation is complete, but with errors.") {
			t.Errorf("the last error: %s", last)
		}
		if got := len(s.Engine.Running()); got != 1 {
			t.Errorf("%d instances run, expected the one that failed", got)
		}
		s.Engine.Mend()
		_, err := s.eb.UpdateEnvironment(t.Context(), &elasticbeanstalk.UpdateEnvironmentInput{EnvironmentName: aws.String(second), VersionLabel: aws.String("v1")})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if e := s.named(second); e.Health != "Green" || e.Status != "Ready" {
			t.Errorf("after another deployment: %s, %s; expected Ready and Green", e.Status, e.Health)
		}
	})
}

func TestCreateEnvironmentRefusals(t *testing.T) {
	staged(t, eblocal.Options{Quotas: eblocal.Quotas{Environments: 2}}, func(t *testing.T, s *stage) {
		s.version("v1")
		cases := []struct {
			name, code, text string
			change           func(*elasticbeanstalk.CreateEnvironmentInput)
		}{
			{"name taken", "InvalidParameterValue", "Environment " + eblocaltest.Env + " already exists.", func(in *elasticbeanstalk.CreateEnvironmentInput) { in.EnvironmentName = aws.String(eblocaltest.Env) }},
			{"bad name", "InvalidParameterValue", "from 4 to 40", func(in *elasticbeanstalk.CreateEnvironmentInput) { in.EnvironmentName = aws.String("-abcd") }},
			{"DNS", "InvalidParameterValue", "DNS name (dockerfullstack-env.ap-northeast-2.elasticbeanstalk.com) is not available.", func(in *elasticbeanstalk.CreateEnvironmentInput) { in.CNAMEPrefix = aws.String("dockerfullstack-env") }},
			{"application", "InvalidParameterValue", "No Application named 'x' found.", func(in *elasticbeanstalk.CreateEnvironmentInput) { in.ApplicationName = aws.String("x") }},
			{"version", "InvalidParameterValue", "No Application Version named 'v9' found.", func(in *elasticbeanstalk.CreateEnvironmentInput) { in.VersionLabel = aws.String("v9") }},
			{"stack", "InvalidParameterValue", "No Solution Stack named", func(in *elasticbeanstalk.CreateEnvironmentInput) {
				in.SolutionStackName = aws.String("64bit Amazon Linux running Tomcat")
			}},
			{"platform", "InvalidParameterValue", "No Platform found", func(in *elasticbeanstalk.CreateEnvironmentInput) {
				in.SolutionStackName, in.PlatformArn = nil, aws.String("arn:aws:elasticbeanstalk:x::platform/y/1")
			}},
			{"neither", "InvalidParameterCombination", "SolutionStackName", func(in *elasticbeanstalk.CreateEnvironmentInput) { in.SolutionStackName = nil }},
			{"tier", "InvalidParameterCombination", "WebServer", func(in *elasticbeanstalk.CreateEnvironmentInput) {
				in.Tier = &ebtypes.EnvironmentTier{Name: aws.String("Worker")}
			}},
			{"setting", "ConfigurationValidationException", "range 1 to 20", func(in *elasticbeanstalk.CreateEnvironmentInput) {
				in.OptionSettings = append(in.OptionSettings, option("aws:autoscaling:asg", "MinSize", "500"))
			}},
		}
		for _, c := range cases {
			in := newEnvironment("v1")
			c.change(in)
			_, err := s.eb.CreateEnvironment(t.Context(), in)
			t.Log(c.name)
			mustRefuse(t, err, c.code, c.text)
		}
		s.create("v1")
		in := newEnvironment("v1")
		in.EnvironmentName, in.CNAMEPrefix = aws.String("third-env"), nil
		_, err := s.eb.CreateEnvironment(t.Context(), in)
		mustRefuse(t, err, "TooManyEnvironmentsException", "maximum")
	})
}

func TestApplicationsComeAndGo(t *testing.T) {
	staged(t, eblocal.Options{Quotas: eblocal.Quotas{Applications: 2, Versions: 2}}, func(t *testing.T, s *stage) {
		create := func(name string) error {
			_, err := s.eb.CreateApplication(t.Context(), &elasticbeanstalk.CreateApplicationInput{ApplicationName: aws.String(name)})
			return err
		}
		if err := create("other"); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, create("third"), "TooManyApplicationsException", "maximum")
		s.version("v1")
		s.version("v2")
		s.upload("v3")
		_, err := s.eb.CreateApplicationVersion(t.Context(), versionOf("v3", s.Bucket()))
		mustRefuse(t, err, "TooManyApplicationVersionsException", "2 Application Versions")
		quotas, err := s.eb.DescribeAccountAttributes(t.Context(), &elasticbeanstalk.DescribeAccountAttributesInput{})
		if err != nil {
			t.Fatal(err)
		}
		if got := aws.ToInt32(quotas.ResourceQuotas.ApplicationVersionQuota.Maximum); got != 2 {
			t.Errorf("quota of versions %d, expected 2", got)
		}
		s.create("v1")
		remove := func(force bool) error {
			_, err := s.eb.DeleteApplication(t.Context(), &elasticbeanstalk.DeleteApplicationInput{ApplicationName: aws.String(eblocaltest.App), TerminateEnvByForce: aws.Bool(force)})
			return err
		}
		mustRefuse(t, remove(false), "OperationInProgressFailure", "running environments")
		s.Engine.Boot = time.Minute
		update := &elasticbeanstalk.UpdateEnvironmentInput{EnvironmentName: aws.String(second), VersionLabel: aws.String("v2")}
		if _, err := s.eb.UpdateEnvironment(t.Context(), update); err != nil {
			t.Fatal(err)
		}
		mustRefuse(t, remove(true), "OperationInProgressFailure", second) // not even in part
		if e := s.environment(); e.Status != "Ready" {
			t.Errorf("the other environment is %s, expected Ready", e.Status)
		}
		s.until(second, "Ready")
		if err := remove(true); err != nil {
			t.Fatal(err)
		}
		s.until(second, "Terminated")
		s.until(eblocaltest.Env, "Terminated")
		out, err := s.eb.DescribeApplicationVersions(t.Context(), &elasticbeanstalk.DescribeApplicationVersionsInput{})
		if err != nil || len(out.ApplicationVersions) != 0 {
			t.Errorf("%d versions are left, %v", len(out.ApplicationVersions), err)
		}
	})
}

func TestTags(t *testing.T) {
	staged(t, eblocal.Options{}, func(t *testing.T, s *stage) {
		s.version("v1")
		s.create("v1")
		arn := s.named(second).EnvironmentArn
		tags := func() []string {
			out, err := s.eb.ListTagsForResource(t.Context(), &elasticbeanstalk.ListTagsForResourceInput{ResourceArn: arn})
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, one := range out.ResourceTags {
				all = append(all, aws.ToString(one.Key)+"="+aws.ToString(one.Value))
			}
			return all
		}
		change := func(add []ebtypes.Tag, remove ...string) error {
			_, err := s.eb.UpdateTagsForResource(t.Context(), &elasticbeanstalk.UpdateTagsForResourceInput{ResourceArn: arn, TagsToAdd: add, TagsToRemove: remove})
			return err
		}
		if err := change([]ebtypes.Tag{{Key: aws.String("sha"), Value: aws.String("abc")}}, "by"); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"sha=abc"}, tags()); diff != "" {
			t.Errorf("tags (-want +got):\n%s", diff)
		}
		var many []ebtypes.Tag
		for n := range 50 {
			many = append(many, ebtypes.Tag{Key: aws.String(strconv.Itoa(n)), Value: aws.String("x")})
		}
		mustRefuse(t, change(many), "TooManyTagsException", "at most 50")
	})
}

func TestSettingsAreValidated(t *testing.T) {
	staged(t, eblocal.Options{}, func(t *testing.T, s *stage) {
		out, err := s.eb.ValidateConfigurationSettings(t.Context(), &elasticbeanstalk.ValidateConfigurationSettingsInput{
			ApplicationName: aws.String(eblocaltest.App), EnvironmentName: aws.String(eblocaltest.Env),
			OptionSettings: []ebtypes.ConfigurationOptionSetting{
				option(command, "Timeout", "never"), option(command, "BatchSizeType", "Fixed"), option(command, "DeploymentPolicy", "Slowly"),
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, m := range out.Messages {
			got = append(got, string(m.Severity)+" "+aws.ToString(m.OptionName))
		}
		if diff := cmp.Diff([]string{"error Timeout", "error DeploymentPolicy"}, got); diff != "" {
			t.Errorf("messages (-want +got):\n%s", diff)
		}
	})
}

// TestEnvironmentsOutliveTheServer stops a server in the middle of an update of
// one environment, the creation of another and the end of a third.
func TestEnvironmentsOutliveTheServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := eblocal.Options{StateDir: t.TempDir(), Runner: &eblocaltest.Engine{}}
		s := newStage(t, opts)
		s.version("v1")
		s.version("v2")
		s.deployed("v1", option(command, "DeploymentPolicy", "Rolling"))
		s.create("v1")
		s.Engine.Boot = time.Minute
		third := newEnvironment("v1")
		third.EnvironmentName, third.CNAMEPrefix = aws.String("Third-env"), nil
		if _, err := s.eb.CreateEnvironment(t.Context(), third); err != nil {
			t.Fatal(err)
		}
		s.update("v2")
		time.Sleep(10 * time.Second)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s.Engine.Boot = 0
		again := newStage(t, opts)
		got := map[string]string{}
		for _, e := range again.all(&elasticbeanstalk.DescribeEnvironmentsInput{}) {
			got[aws.ToString(e.EnvironmentName)] = string(e.Status) + " " + string(e.Health) + " " + aws.ToString(e.VersionLabel)
		}
		want := map[string]string{eblocaltest.Env: "Ready Red v1", second: "Ready Green v1", "Third-env": "Ready Red "}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("environments (-want +got):\n%s", diff)
		}
		if page := again.page(again.named(second)); !strings.Contains(page, "web:v1") {
			t.Errorf("the page of %s: %q", second, page)
		}
		again.deployed("v2")
		again.mustRun("v2")
	})
}

func (s *stage) mustRun(label string) {
	s.t.Helper()
	e := s.environment()
	if e.Health != "Green" || aws.ToString(e.VersionLabel) != label || !strings.Contains(s.page(e), "web:"+label) {
		s.t.Errorf("health %s, label %s, page %q; expected %s", e.Health, aws.ToString(e.VersionLabel), s.page(e), label)
	}
}

func TestPlatformVersionChanges(t *testing.T) {
	staged(t, eblocal.Options{}, func(t *testing.T, s *stage) {
		s.version("v1")
		s.create("v1")
		change := func(stack string) error {
			_, err := s.eb.UpdateEnvironment(t.Context(), &elasticbeanstalk.UpdateEnvironmentInput{EnvironmentName: aws.String(second), SolutionStackName: aws.String(stack)})
			return err
		}
		mustRefuse(t, change("64bit Amazon Linux 2023 v4.0.8 running ECS"), "InvalidParameterValue", "only to another version of it")
		const older = "64bit Amazon Linux 2023 v4.0.0 running Docker"
		s.Engine.Break(eblocaltest.Breakage{Exit: 3, Times: 1})
		for _, want := range []string{stack, older} { // it fails at first
			if err := change(older); err != nil {
				t.Fatal(err)
			}
			s.until(second, "Ready")
			if got := aws.ToString(s.named(second).SolutionStackName); got != want {
				t.Errorf("platform %s, expected %s", got, want)
			}
		}
	})
}

func TestVersionAndSettingsSeparately(t *testing.T) {
	staged(t, eblocal.Options{Faults: eblocal.Faults{Separate: true}}, func(t *testing.T, s *stage) {
		s.version("v1")
		_, err := s.eb.UpdateEnvironment(t.Context(), &elasticbeanstalk.UpdateEnvironmentInput{
			EnvironmentName: aws.String(eblocaltest.Env), VersionLabel: aws.String("v1"),
			OptionSettings: []ebtypes.ConfigurationOptionSetting{option(command, "Timeout", "60")},
		})
		mustRefuse(t, err, "InvalidParameterCombination", "in one update")
		s.deployed("", option(command, "Timeout", "60"))
		s.deployed("v1", option(command, "Timeout", "60")) // nothing that changes
		s.mustRun("v1")
	})
}

// TestDownTakesAllEnvironments leaves versions and environments, and no instance.
func TestDownTakesAllEnvironments(t *testing.T) {
	staged(t, eblocal.Options{}, func(t *testing.T, s *stage) {
		s.version("v1")
		s.deployed("v1")
		s.create("v1")
		if err := s.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
		if left := s.Engine.Running(); len(left) != 0 {
			t.Errorf("instances left: %v", left)
		}
		for _, e := range s.all(&elasticbeanstalk.DescribeEnvironmentsInput{}) {
			if e.Status != "Ready" || e.Health != "Grey" || e.VersionLabel != nil {
				t.Errorf("%s: %s, %s, label %s; expected Ready, Grey and none", aws.ToString(e.EnvironmentName), e.Status, e.Health, aws.ToString(e.VersionLabel))
			}
		}
		s.deployed("v1")
		s.mustRun("v1")
	})
}
