package eblocal

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	testApp = "docker-fullstack"
	testEnv = "Dockerfullstack-env"
)

// bench is a served environment with AWS's own clients pointed at it.
type bench struct {
	*Server
	t   *testing.T
	url string
	eb  *elasticbeanstalk.Client
	s3  *s3.Client
	sts *sts.Client
}

// testOptions are quick, and complete but for the runner.
func testOptions(t *testing.T) Options {
	return Options{
		App: testApp, Env: testEnv, Region: "ap-northeast-2", StateDir: t.TempDir(),
		HealthTimeout: time.Second, Settle: time.Millisecond, Watch: 10 * time.Millisecond,
		Log: t.Output(),
	}
}

func serve(t *testing.T, opts Options) *bench {
	t.Helper()
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(audited(t, s.Handler()))
	t.Cleanup(func() {
		api.Close()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return benchFor(t, s, api.URL)
}

func benchFor(t *testing.T, s *Server, url string) *bench {
	cfg := aws.Config{
		Region:       "ap-northeast-2",
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		BaseEndpoint: aws.String(url),
		Retryer:      func() aws.Retryer { return aws.NopRetryer{} },
	}
	return &bench{
		Server: s, t: t, url: url, eb: elasticbeanstalk.NewFromConfig(cfg), sts: sts.NewFromConfig(cfg),
		s3: s3.NewFromConfig(cfg, func(o *s3.Options) { o.UsePathStyle = true }),
	}
}

// zipped is a source bundle.
func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, name := range sortedKeys(files) {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, files[name])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func (b *bench) upload(key string, data []byte) {
	b.t.Helper()
	_, err := b.s3.PutObject(b.t.Context(), &s3.PutObjectInput{
		Bucket: aws.String(b.Bucket()), Key: aws.String(key), Body: bytes.NewReader(data),
	})
	if err != nil {
		b.t.Fatal(err)
	}
}

// version uploads a bundle and creates a version from it.
func (b *bench) version(label string, files map[string]string) {
	b.t.Helper()
	b.upload(label+".zip", zipped(b.t, files))
	_, err := b.eb.CreateApplicationVersion(b.t.Context(), b.versionInput(label))
	if err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) versionInput(label string) *elasticbeanstalk.CreateApplicationVersionInput {
	return &elasticbeanstalk.CreateApplicationVersionInput{
		ApplicationName: aws.String(testApp), VersionLabel: aws.String(label),
		SourceBundle: &ebtypes.S3Location{S3Bucket: aws.String(b.Bucket()), S3Key: aws.String(label + ".zip")},
	}
}

// update starts a deployment and returns its RequestId.
func (b *bench) update(in *elasticbeanstalk.UpdateEnvironmentInput) string {
	b.t.Helper()
	in.EnvironmentName = aws.String(testEnv)
	out, err := b.eb.UpdateEnvironment(b.t.Context(), in)
	if err != nil {
		b.t.Fatal(err)
	}
	return requestID(b.t, out.ResultMetadata)
}

// deployed runs a deployment to its end and returns its events, oldest first.
func (b *bench) deployed(label string) []string {
	b.t.Helper()
	id := b.update(&elasticbeanstalk.UpdateEnvironmentInput{VersionLabel: aws.String(label)})
	b.awaitReady()
	return b.events(id)
}

func (b *bench) events(id string) []string {
	b.t.Helper()
	out, err := b.eb.DescribeEvents(b.t.Context(), &elasticbeanstalk.DescribeEventsInput{RequestId: aws.String(id)})
	if err != nil {
		b.t.Fatal(err)
	}
	var lines []string
	for _, e := range out.Events {
		lines = append([]string{string(e.Severity) + " " + aws.ToString(e.Message)}, lines...)
	}
	return lines
}

func (b *bench) environment() ebtypes.EnvironmentDescription {
	b.t.Helper()
	out, err := b.eb.DescribeEnvironments(b.t.Context(), &elasticbeanstalk.DescribeEnvironmentsInput{EnvironmentNames: []string{testEnv}})
	if err != nil {
		b.t.Fatal(err)
	}
	if len(out.Environments) != 1 {
		b.t.Fatalf("got %d environments, expected 1", len(out.Environments))
	}
	return out.Environments[0]
}

func (b *bench) awaitReady() {
	b.t.Helper()
	await(b.t, "environment Ready", func() (bool, string) {
		e := b.environment()
		return e.Status == ebtypes.EnvironmentStatusReady, fmt.Sprintf("Status %s", e.Status)
	})
}

func (b *bench) awaitHealth(color ebtypes.EnvironmentHealth) {
	b.t.Helper()
	await(b.t, "health "+string(color), func() (bool, string) {
		e := b.environment()
		return e.Health == color, fmt.Sprintf("Health %s, %s", e.Health, e.HealthStatus)
	})
}

// await asks until the condition holds.
func await(t *testing.T, what string, condition func() (bool, string)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		ok, found := condition()
		if ok {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s did not come about; found: %s", what, found)
		}
	}
}

// fetch gets a URL.
func fetch(t *testing.T, url string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func mustContain(t *testing.T, what, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s: expected %q in:\n%s", what, part, text)
		}
	}
}

// tail asks for the tails of the logs and fetches all of them.
func (b *bench) tail() string {
	b.t.Helper()
	request := &elasticbeanstalk.RequestEnvironmentInfoInput{EnvironmentName: aws.String(testEnv), InfoType: ebtypes.EnvironmentInfoTypeTail}
	if _, err := b.eb.RequestEnvironmentInfo(b.t.Context(), request); err != nil {
		b.t.Fatal(err)
	}
	out, err := b.eb.RetrieveEnvironmentInfo(b.t.Context(), &elasticbeanstalk.RetrieveEnvironmentInfoInput{
		EnvironmentName: aws.String(testEnv), InfoType: ebtypes.EnvironmentInfoTypeTail,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	var all strings.Builder
	for _, i := range out.EnvironmentInfo {
		status, text := fetch(b.t, aws.ToString(i.Message))
		if status != http.StatusOK {
			b.t.Errorf("tail %s: status %d", aws.ToString(i.Message), status)
		}
		all.WriteString(text)
	}
	return all.String()
}
