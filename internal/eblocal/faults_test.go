package eblocal_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/guk0/travois/internal/eblocal"
	"github.com/guk0/travois/internal/eblocal/eblocaltest"
)

// stage is a client of a local Elastic Beanstalk without a network.
type stage struct {
	*eblocaltest.Local
	t  *testing.T
	eb *elasticbeanstalk.Client
	s3 *s3.Client
}

// staged runs a test in a bubble of its own time.
func staged(t *testing.T, opts eblocal.Options, f func(t *testing.T, s *stage)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(t, newStage(t, opts)) })
}

func newStage(t *testing.T, opts eblocal.Options) *stage {
	l := eblocaltest.InMemory(t, opts)
	cfg := l.Config()
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg.HTTPClient = &http.Client{Transport: eblocal.Audited(t, l.Client().Transport)}
	return &stage{
		Local: l, t: t, eb: elasticbeanstalk.NewFromConfig(cfg),
		s3: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
	}
}

const composeOf = "services:\n  web:\n    image: example/web:"

// version uploads a bundle that runs an image of the label's name, and makes a
// version of it.
func (s *stage) version(label string) {
	s.t.Helper()
	s.upload(label)
	if _, err := s.eb.CreateApplicationVersion(s.t.Context(), versionOf(label, s.Bucket())); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) upload(label string) {
	s.t.Helper()
	if err := s.put(label); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) put(label string) error {
	_, err := s.s3.PutObject(s.t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(s.Bucket()), Key: aws.String(label + ".yml"),
		Body: bytes.NewReader([]byte(composeOf + label + "\n    ports: ['80:80']\n")),
	})
	return err
}

func versionOf(label, bucket string) *elasticbeanstalk.CreateApplicationVersionInput {
	return &elasticbeanstalk.CreateApplicationVersionInput{
		ApplicationName: aws.String(eblocaltest.App), VersionLabel: aws.String(label),
		SourceBundle: &ebtypes.S3Location{S3Bucket: aws.String(bucket), S3Key: aws.String(label + ".yml")},
	}
}

func (s *stage) update(label string, settings ...ebtypes.ConfigurationOptionSetting) string {
	s.t.Helper()
	in := &elasticbeanstalk.UpdateEnvironmentInput{EnvironmentName: aws.String(eblocaltest.Env), OptionSettings: settings}
	if label != "" {
		in.VersionLabel = aws.String(label)
	}
	out, err := s.eb.UpdateEnvironment(s.t.Context(), in)
	if err != nil {
		s.t.Fatal(err)
	}
	id, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	return id
}

func (s *stage) environment() ebtypes.EnvironmentDescription {
	s.t.Helper()
	out, err := s.eb.DescribeEnvironments(s.t.Context(), &elasticbeanstalk.DescribeEnvironmentsInput{EnvironmentNames: []string{eblocaltest.Env}})
	if err != nil {
		s.t.Fatal(err)
	}
	return out.Environments[0]
}

// deployed waits until the environment was Ready for a look.
func (s *stage) deployed(label string, settings ...ebtypes.ConfigurationOptionSetting) []string {
	s.t.Helper()
	id := s.update(label, settings...)
	s.settle()
	return s.lines(&elasticbeanstalk.DescribeEventsInput{RequestId: aws.String(id)})
}

func (s *stage) settle() {
	s.t.Helper()
	for range 10000 {
		time.Sleep(time.Second)
		if s.environment().Status == ebtypes.EnvironmentStatusReady {
			return
		}
	}
	s.t.Fatal("the environment does not get Ready")
}

// lines are the events of all pages, oldest first.
func (s *stage) lines(in *elasticbeanstalk.DescribeEventsInput) []string {
	s.t.Helper()
	var lines []string
	for {
		out, err := s.eb.DescribeEvents(s.t.Context(), in)
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range out.Events {
			lines = append(lines, string(e.Severity)+" "+aws.ToString(e.Message))
		}
		if in.NextToken = out.NextToken; in.NextToken == nil {
			slices.Reverse(lines)
			return lines
		}
	}
}

func option(namespace, name, value string) ebtypes.ConfigurationOptionSetting {
	return ebtypes.ConfigurationOptionSetting{Namespace: aws.String(namespace), OptionName: aws.String(name), Value: aws.String(value)}
}

func mustRefuse(t *testing.T, err error, code, text string) {
	t.Helper()
	var e smithy.APIError
	if !errors.As(err, &e) || e.ErrorCode() != code || !strings.Contains(e.ErrorMessage(), text) {
		t.Errorf("got %v, expected %s: …%s…", err, code, text)
	}
}

func TestThrottling(t *testing.T) {
	staged(t, eblocal.Options{Faults: eblocal.Faults{Throttle: 50, Latency: time.Second}}, func(t *testing.T, s *stage) {
		var throttled int
		began := time.Now()
		for range 200 {
			_, err := s.eb.DescribeApplications(t.Context(), &elasticbeanstalk.DescribeApplicationsInput{})
			if err == nil {
				continue
			}
			mustRefuse(t, err, "Throttling", "Rate exceeded")
			throttled++
		}
		if throttled < 70 || throttled > 130 {
			t.Errorf("%d of 200 calls were throttled, expected about 100", throttled)
		}
		if took := time.Since(began); took != 200*time.Second {
			t.Errorf("200 calls took %s, expected 200s", took)
		}
		s.upload("v1") // S3 is not throttled
	})
}

func TestRefusals(t *testing.T) {
	faults := eblocal.Faults{Refuse: []eblocal.Refusal{
		{Operation: "DescribeApplications", Skip: 1, Times: 1, Code: "InsufficientPrivilegesException", Message: "no"},
		{Operation: "CreateApplicationVersion", Times: 1, Status: -1, Done: true},
		{Operation: "HeadObject", Status: 403, Code: "AccessDenied"},
		{Operation: "GetObject", Status: 503, Code: "SlowDown", Message: "slow"},
	}}
	staged(t, eblocal.Options{Faults: faults}, func(t *testing.T, s *stage) {
		ask := func() error {
			_, err := s.eb.DescribeApplications(t.Context(), &elasticbeanstalk.DescribeApplicationsInput{})
			return err
		}
		if err := ask(); err != nil {
			t.Errorf("the first call: %v", err)
		}
		mustRefuse(t, ask(), "InsufficientPrivilegesException", "no")
		if err := ask(); err != nil {
			t.Errorf("the third call: %v", err)
		}
		s.upload("v1")
		create := func() error {
			_, err := s.eb.CreateApplicationVersion(t.Context(), versionOf("v1", s.Bucket()))
			return err
		}
		if err := create(); err == nil || !strings.Contains(err.Error(), "connection reset") {
			t.Errorf("got %v, expected a broken connection", err)
		}
		mustRefuse(t, create(), "InvalidParameterValue", "Application Version v1 already exists.")
		_, err := s.s3.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String(s.Bucket()), Key: aws.String("v1.yml")})
		if err == nil || !strings.Contains(err.Error(), "403") {
			t.Errorf("HeadObject: %v, expected status 403", err)
		}
		_, err = s.s3.GetObject(t.Context(), &s3.GetObjectInput{Bucket: aws.String(s.Bucket()), Key: aws.String("v1.yml")})
		mustRefuse(t, err, "SlowDown", "slow")
		want := []string{"PutObject", "CreateApplicationVersion", "CreateApplicationVersion"}
		if got := s.Wrote(); !slices.Equal(got, want) {
			t.Errorf("writes %v, expected %v", got, want)
		}
	})
}

func TestEventsInBursts(t *testing.T) {
	opts := eblocal.Options{Faults: eblocal.Faults{EventPage: 2, WholeSeconds: true, LateEvents: time.Minute}}
	staged(t, opts, func(t *testing.T, s *stage) {
		s.version("v1")
		id := s.update("v1")
		s.settle()
		in := func() *elasticbeanstalk.DescribeEventsInput {
			return &elasticbeanstalk.DescribeEventsInput{RequestId: aws.String(id)}
		}
		early := s.lines(in())
		if slices.Contains(early, "INFO Environment update completed successfully.") {
			t.Errorf("the last event is listed before its time: %q", early)
		}
		time.Sleep(time.Minute)
		out, err := s.eb.DescribeEvents(t.Context(), in())
		if err != nil {
			t.Fatal(err)
		}
		if len(out.Events) != 2 || out.NextToken == nil {
			t.Errorf("%d events and token %v, expected a page of 2", len(out.Events), out.NextToken)
		}
		if a, b := *out.Events[0].EventDate, *out.Events[1].EventDate; !a.Equal(b) || a.Nanosecond() != 0 {
			t.Errorf("the last events are of %s and %s, expected one second", b, a)
		}
		if all := s.lines(in()); len(all) < 5 {
			t.Errorf("all pages: %q", all)
		}
	})
}

func TestClock(t *testing.T) {
	opts := eblocal.Options{ClockSkew: -3 * time.Hour, Speed: 60}
	staged(t, opts, func(t *testing.T, s *stage) {
		s.Engine.Boot = 5 * time.Minute
		// A request of the runner's time is refused. The client goes by the answer's time from then on.
		mustRefuse(t, s.put("v1"), "RequestTimeTooSkewed", "too large")
		_, err := s.eb.DescribeEvents(t.Context(), &elasticbeanstalk.DescribeEventsInput{})
		mustRefuse(t, err, "SignatureDoesNotMatch", "Signature not yet current: 20000101T000000Z is still later than 19991231T210500Z (19991231T210000Z + 5 min.)")
		s.version("v1")
		began := time.Now()
		s.deployed("v1")
		if took := time.Since(began); took < 5*time.Second || took > 20*time.Second {
			t.Errorf("an instance that boots for 5 minutes took %s at 60 times the speed", took)
		}
		out, err := s.eb.DescribeEvents(t.Context(), &elasticbeanstalk.DescribeEventsInput{})
		if err != nil {
			t.Fatal(err)
		}
		date, ok := awsmiddleware.GetServerTime(out.ResultMetadata)
		if !ok || date.Sub(*out.Events[0].EventDate).Abs() > 2*time.Minute {
			t.Errorf("the answer is of %s, the newest event of %s", date, *out.Events[0].EventDate)
		}
		if behind := time.Since(date); behind < 2*time.Hour || behind > 3*time.Hour {
			t.Errorf("the server is %s behind, expected less than 3 hours, since its time passes faster", behind)
		}
	})
}

// TestLateState has an environment that reads Ready, with the new label or the
// old one, while its update runs.
func TestLateState(t *testing.T) {
	for _, lateLabel := range []bool{false, true} {
		noise := []eblocal.Noise{{After: time.Minute, Severity: "ERROR", Message: "Service:AmazonCloudFormation, Message:Stack is broken", Request: "another"}}
		faults := eblocal.Faults{LateUpdating: 20 * time.Second, LateLabel: lateLabel, Noise: noise}
		staged(t, eblocal.Options{Faults: faults}, func(t *testing.T, s *stage) {
			s.Engine.Boot = 2 * time.Minute
			s.version("v1")
			s.update("v1")
			look := func(want ebtypes.EnvironmentStatus) {
				t.Helper()
				e := s.environment()
				if e.Status != want || aws.ToBool(e.AbortableOperationInProgress) != (want == "Updating") || (aws.ToString(e.VersionLabel) == "v1") == lateLabel {
					t.Errorf("status %s, label %q, abortable %v; expected %s", e.Status, aws.ToString(e.VersionLabel), aws.ToBool(e.AbortableOperationInProgress), want)
				}
			}
			look("Ready")
			_, err := s.eb.UpdateEnvironment(t.Context(), &elasticbeanstalk.UpdateEnvironmentInput{
				EnvironmentName: aws.String(eblocaltest.Env), VersionLabel: aws.String("v1")})
			mustRefuse(t, err, "InvalidParameterValue", "Must be Ready.")
			time.Sleep(21 * time.Second)
			look("Updating")
			s.settle()
			if e := s.environment(); aws.ToString(e.VersionLabel) != "v1" || e.Health != "Green" {
				t.Errorf("in the end: label %q, health %s", aws.ToString(e.VersionLabel), e.Health)
			}
			foreign := s.lines(&elasticbeanstalk.DescribeEventsInput{RequestId: aws.String("another"), Severity: "ERROR"})
			if len(foreign) != 1 || !strings.Contains(foreign[0], "Stack is broken") {
				t.Errorf("events of the other operation: %q", foreign)
			}
		})
	}
}

func TestVersionProcessingTakesTime(t *testing.T) {
	for _, fails := range []bool{false, true} {
		faults := eblocal.Faults{Processing: 30 * time.Second, FailProcessing: fails, UpperCase: true}
		staged(t, eblocal.Options{Faults: faults}, func(t *testing.T, s *stage) {
			s.version("plain")
			s.upload("v1")
			in := versionOf("v1", s.Bucket())
			in.Process = aws.Bool(true)
			if _, err := s.eb.CreateApplicationVersion(t.Context(), in); err != nil {
				t.Fatal(err)
			}
			statuses := func() (all []string) {
				out, err := s.eb.DescribeApplicationVersions(t.Context(), &elasticbeanstalk.DescribeApplicationVersionsInput{})
				if err != nil {
					t.Fatal(err)
				}
				for _, v := range out.ApplicationVersions {
					all = append(all, string(v.Status))
				}
				return all
			}
			if got := statuses(); !slices.Equal(got, []string{"PROCESSING", "UNPROCESSED"}) {
				t.Errorf("statuses %v", got)
			}
			_, err := s.eb.UpdateEnvironment(t.Context(), &elasticbeanstalk.UpdateEnvironmentInput{
				EnvironmentName: aws.String(eblocaltest.Env), VersionLabel: aws.String("v1")})
			mustRefuse(t, err, "InvalidParameterValue", "unusable")
			time.Sleep(31 * time.Second)
			want := "PROCESSED"
			if fails {
				want = "FAILED"
			}
			if got := statuses(); got[0] != want {
				t.Errorf("statuses %v, expected %s", got, want)
			}
		})
	}
}

// TestLogsComeLate asks for the logs twice; those of the first time are still told.
func TestLogsComeLate(t *testing.T) {
	staged(t, eblocal.Options{Faults: eblocal.Faults{LateLogs: 20 * time.Second}}, func(t *testing.T, s *stage) {
		s.version("v1")
		s.deployed("v1")
		tails := func() int {
			t.Helper()
			out, err := s.eb.RetrieveEnvironmentInfo(t.Context(), &elasticbeanstalk.RetrieveEnvironmentInfoInput{EnvironmentName: aws.String(eblocaltest.Env), InfoType: "tail"})
			if err != nil {
				t.Fatal(err)
			}
			if !slices.IsSortedFunc(out.EnvironmentInfo, func(a, b ebtypes.EnvironmentInfoDescription) int {
				return a.SampleTimestamp.Compare(*b.SampleTimestamp)
			}) {
				t.Error("the tails are not sorted with the latest last")
			}
			return len(out.EnvironmentInfo)
		}
		for n := range 2 {
			out, err := s.eb.RequestEnvironmentInfo(t.Context(), &elasticbeanstalk.RequestEnvironmentInfoInput{EnvironmentName: aws.String(eblocaltest.Env), InfoType: "tail"})
			if err != nil {
				t.Fatal(err)
			}
			time.Sleep(19 * time.Second)
			if got := tails(); got != n {
				t.Errorf("%d tails are there before their time, expected %d", got, n)
			}
			time.Sleep(2 * time.Second)
			if got := tails(); got != n+1 {
				t.Errorf("%d tails, expected %d", got, n+1)
			}
			id, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
			want := []string{"INFO requestEnvironmentInfo is starting.", "INFO Pulled logs for environment instances."}
			if events := s.lines(&elasticbeanstalk.DescribeEventsInput{RequestId: aws.String(id)}); !slices.Equal(events, want) {
				t.Errorf("events %q, expected %q", events, want)
			}
		}
		time.Sleep(15 * time.Minute)
		if _, err := s.eb.RequestEnvironmentInfo(t.Context(), &elasticbeanstalk.RequestEnvironmentInfoInput{EnvironmentName: aws.String(eblocaltest.Env), InfoType: "tail"}); err != nil {
			t.Fatal(err)
		}
		if time.Sleep(time.Minute); tails() != 1 {
			t.Errorf("%d tails after a quarter of an hour, expected the last only", tails())
		}
	})
}

// TestOnLoopback has a process killed after an update was accepted.
func TestOnLoopback(t *testing.T) {
	l := eblocaltest.Start(t, eblocaltest.Quick())
	ctx, kill := context.WithCancel(t.Context())
	gone := make(chan struct{})
	l.OnCall = func(operation string) {
		if operation == "CreateStorageLocation" {
			kill()
			<-gone // else the answer might still be read
		}
	}
	eb := elasticbeanstalk.NewFromConfig(l.Config())
	_, err := eb.CreateStorageLocation(ctx, &elasticbeanstalk.CreateStorageLocationInput{})
	close(gone)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, expected that the call was cut off", err)
	}
	if calls := l.Calls(); !slices.Equal(calls, []string{"CreateStorageLocation"}) {
		t.Errorf("calls %v", calls)
	}
	if got := l.Variables("/d"); got["AWS_ENDPOINT_URL"] != l.URL || got["AWS_CONFIG_FILE"] != "/d/none" {
		t.Errorf("variables %v", got)
	}
}
