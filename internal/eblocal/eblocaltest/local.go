// Package eblocaltest serves a local Elastic Beanstalk to tests, on an engine
// that exists in memory only. It answers on a loopback address, or without any
// network, so that it can live in a bubble of testing/synctest.
package eblocaltest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/guk0/travois/internal/eblocal"
)

// The environment that is served unless the options name another.
const (
	App    = "docker-fullstack"
	Env    = "Dockerfullstack-env"
	Region = "ap-northeast-2"
)

// Local is a local Elastic Beanstalk and the engine that it runs on.
type Local struct {
	*eblocal.Server
	Engine *Engine
	// URL is its address; one in memory answers only clients of Config.
	URL string
	// OnCall is called after each request was carried out, before it is answered.
	// One that cancels a client waits until that is gone, so that it never reads
	// the answer. It is set before the first request.
	OnCall func(operation string)

	dir     string // of the state
	region  string
	handler http.Handler
	client  *http.Client

	mu    sync.Mutex
	calls []string
}

// Start serves on a loopback address until the test ends.
func Start(t testing.TB, opts eblocal.Options) *Local {
	t.Helper()
	l := start(t, opts)
	api := httptest.NewServer(l)
	t.Cleanup(api.Close)
	l.URL, l.client = api.URL, api.Client()
	return l
}

// InMemory serves without a network until the test ends.
func InMemory(t testing.TB, opts eblocal.Options) *Local {
	t.Helper()
	opts.Listen = listen
	l := start(t, opts)
	l.URL, l.client = "http://aws.test", &http.Client{Transport: (*wire)(l)}
	return l
}

func start(t testing.TB, opts eblocal.Options) *Local {
	t.Helper()
	if opts.App == "" {
		opts.App = App
	}
	if opts.Env == "" {
		opts.Env = Env
	}
	if opts.Region == "" {
		opts.Region = Region
	}
	if opts.StateDir == "" {
		opts.StateDir = t.TempDir()
	}
	if opts.Log == nil {
		opts.Log = t.Output()
	}
	engine, ok := opts.Runner.(*Engine)
	if !ok {
		engine = &Engine{}
	}
	engine.speed = opts.Speed
	opts.Runner, opts.Transport = engine, engine
	server, err := eblocal.New(opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return &Local{Server: server, Engine: engine, dir: opts.StateDir, region: opts.Region, handler: server.Handler()}
}

// ServeHTTP answers for Elastic Beanstalk, S3 and STS.
func (l *Local) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	operation := eblocal.Operation(r)
	l.mu.Lock()
	l.calls = append(l.calls, operation)
	l.mu.Unlock()
	answer := httptest.NewRecorder()
	l.handler.ServeHTTP(answer, r)
	if l.OnCall != nil {
		l.OnCall(operation)
	}
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	_, _ = io.Copy(w, answer.Body)
}

// Calls are the operations asked for so far: "PutObject", "DescribeEvents", ….
func (l *Local) Calls() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls)
}

// Wrote lists those calls that change something, in order.
func (l *Local) Wrote() []string {
	return slices.DeleteFunc(l.Calls(), func(call string) bool {
		return slices.ContainsFunc([]string{"Describe", "List", "Head", "Get", "Check", "Validate"}, func(verb string) bool {
			return strings.HasPrefix(call, verb)
		}) || strings.HasSuffix(call, "EnvironmentInfo")
	})
}

// Client reaches the APIs, and in memory the environments' own addresses too.
func (l *Local) Client() *http.Client { return l.client }

// Config points an SDK client here.
func (l *Local) Config() aws.Config {
	return aws.Config{
		Region:       l.region,
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
		BaseEndpoint: aws.String(l.URL),
		HTTPClient:   l.client,
	}
}

// Variables point a process at one that was started on a loopback address. The
// directory keeps the user's own AWS files out.
func (l *Local) Variables(dir string) map[string]string {
	none := filepath.Join(dir, "none")
	return map[string]string{
		"AWS_ENDPOINT_URL": l.URL, "AWS_REGION": l.region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		"AWS_CONFIG_FILE": none, "AWS_SHARED_CREDENTIALS_FILE": none, "AWS_EC2_METADATA_DISABLED": "true",
	}
}

// Quick are options for tests that let real time pass: an instance is healthy
// as soon as its containers run.
func Quick() eblocal.Options {
	return eblocal.Options{HealthTimeout: time.Second, Settle: time.Millisecond, Watch: 10 * time.Millisecond}
}
