package eblocal

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestServiceOf(t *testing.T) {
	const scope = "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/%s/aws4_request, SignedHeaders=host, Signature=0"
	cases := []struct{ name, url, authorization, want string }{
		{"signed for Beanstalk", "http://127.0.0.1/", fmt.Sprintf(scope, "elasticbeanstalk"), "elasticbeanstalk"},
		{"signed for S3", "http://127.0.0.1/bucket/key", fmt.Sprintf(scope, "s3"), "s3"},
		{"signed for STS", "http://127.0.0.1/", fmt.Sprintf(scope, "sts"), "sts"},
		{"presigned", "http://127.0.0.1/?X-Amz-Credential=local%2F20260101%2Fus-east-1%2Fsts%2Faws4_request", "", "sts"},
		{"key with slashes", "http://127.0.0.1/", "Credential=a/b/20260101/us-east-1/sts/aws4_request,", "sts"},
		{"host", "http://sts.us-east-1.localhost/", "", "sts"},
		{"query", "http://127.0.0.1/?Version=2010-12-01", "", "elasticbeanstalk"},
		{"query of STS", "http://127.0.0.1/?Version=2011-06-15", "", "sts"},
		{"object that looks like one", "http://127.0.0.1/bucket/key?Version=2010-12-01", "", "s3"},
		{"unsigned", "http://127.0.0.1/bucket/key", "", "s3"},
		{"unknown service", "http://127.0.0.1/", fmt.Sprintf(scope, "ec2"), "s3"},
	}
	for _, c := range cases {
		r := httptest.NewRequest(http.MethodGet, c.url, nil)
		r.Header.Set("Authorization", c.authorization)
		if got := serviceOf(r); got != c.want {
			t.Errorf("%s: %s, expected %s", c.name, got, c.want)
		}
	}
}

func TestProxyFinishesWhatItBegan(t *testing.T) {
	began, finish := make(chan struct{}), make(chan struct{})
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(began)
		<-finish
		_, _ = fmt.Fprint(w, "old")
	}))
	defer old.Close()
	fresh := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = fmt.Fprint(w, "new for "+r.Header.Get("X-Forwarded-Host"))
	}))
	defer fresh.Close()
	p := &proxy{}
	front := httptest.NewServer(p)
	defer front.Close()

	p.send(strings.TrimPrefix(old.URL, "http://"))
	slow := make(chan string)
	go func() {
		resp, err := http.Get(front.URL)
		if err != nil {
			slow <- err.Error()
			return
		}
		defer func() { _ = resp.Body.Close() }()
		slow <- resp.Status
	}()
	<-began
	idle := p.send(strings.TrimPrefix(fresh.URL, "http://"))[0]
	if _, text := fetch(t, front.URL); text != "new for "+strings.TrimPrefix(front.URL, "http://") {
		t.Errorf("after the switch: %q", text)
	}
	select {
	case <-idle:
		t.Error("the old instance was called idle with a request in flight")
	default:
	}
	close(finish)
	if got := <-slow; got != "200 OK" {
		t.Errorf("the request in flight: %s", got)
	}
	<-idle
	fresh.Close()
	if status, _ := fetch(t, front.URL); status != http.StatusBadGateway {
		t.Errorf("instance that does not answer: status %d, expected 502", status)
	}
}

func TestOptionsReportAllThatIsWrong(t *testing.T) {
	_, err := New(Options{Env: "x", Platform: "tomcat", EnvVars: map[string]string{"A B": "1"}})
	if err == nil {
		t.Fatal("accepted")
	}
	mustContain(t, "error", err.Error(), `app ""`, `env "x"`, `platform "tomcat"`, "no state directory", `"A B"`)
}

func TestStateOfAnotherEnvironmentIsRefused(t *testing.T) {
	opts := testOptions(t)
	opts.Runner = newFakeRunner(t)
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	opts.Env = "Another-env"
	if _, err = New(opts); err == nil {
		t.Fatal("accepted")
	}
	mustContain(t, "error", err.Error(), "belongs to environment", "name another directory")
}

func TestDownWithoutServer(t *testing.T) {
	f := newFakeRunner(t)
	opts := testOptions(t)
	opts.Runner = f
	f.running["a"] = true
	if err := Down(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	if got := f.instances(); len(got) != 0 {
		t.Errorf("instances left: %v", got)
	}
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f.running["b"] = true
	if err := Down(t.Context(), Options{StateDir: opts.StateDir, Runner: f}); err != nil {
		t.Fatal(err)
	}
	if got := f.instances(); len(got) != 0 {
		t.Errorf("instances left with a state: %v", got)
	}
}

func TestPlatformOfTheNextStart(t *testing.T) {
	opts := testOptions(t)
	opts.Runner = newFakeRunner(t)
	for _, platform := range []Platform{Docker, ECS} {
		opts.Platform = platform
		s, err := New(opts)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.own().release(); got != newest(platform) {
			t.Errorf("platform %v, expected %v", got, newest(platform))
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	opts.Platform = ""
	if err := Down(t.Context(), opts); err != nil {
		t.Errorf("down without the platform: %v", err)
	}
}

// TestDownOfAnotherVersionsState has a state that this version can't read.
func TestDownOfAnotherVersionsState(t *testing.T) {
	f := newFakeRunner(t)
	opts := testOptions(t)
	opts.Runner = f
	f.running["a"] = true
	if err := os.WriteFile(filepath.Join(opts.StateDir, stateFile), []byte(`{"format": 1}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := New(opts); err == nil || !strings.Contains(err.Error(), "format 1, this program knows 2") {
		t.Errorf("got %v, expected that the format is refused", err)
	}
	if err := Down(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	if got := f.instances(); len(got) != 0 {
		t.Errorf("instances left: %v", got)
	}
}

func TestDownWaitsForTheServerToEnd(t *testing.T) {
	f := newFakeRunner(t)
	opts := testOptions(t)
	opts.Runner = f
	s, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	impatient, cancel := context.WithTimeout(t.Context(), retryLock)
	defer cancel()
	if err := Down(impatient, opts); !errors.Is(err, errInUse) {
		t.Errorf("with a server: %v, expected %v", err, errInUse)
	}
	down := make(chan error, 1)
	go func() { down <- Down(t.Context(), opts) }()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-down; err != nil {
		t.Errorf("after the server ended: %v", err)
	}
}

func TestJudge(t *testing.T) {
	x := expect{Web: endpoint{"web", 80}, Services: []string{"web", "job", "side"}, Optional: []string{"side"}, Completes: []string{"job"}}
	running := func(service string) Container { return Container{Service: service, State: "running"} }
	exited := func(service string, code int) Container {
		return Container{Service: service, State: "exited", ExitCode: code}
	}
	side := running("side")
	cases := []struct {
		name            string
		containers      []Container
		inService       bool
		failed, waiting []string
	}{
		{"all well", []Container{running("web"), exited("job", 0), side}, false, nil, nil},
		{"job failed", []Container{running("web"), exited("job", 2), side}, false, []string{`Container "job" exited with code 2.`}, nil},
		{"optional ended well at launch", []Container{running("web"), running("job"), exited("side", 0)}, false, nil, nil},
		{"optional ended badly at launch", []Container{running("web"), running("job"), exited("side", 1)}, false, []string{`Container "side" exited with code 1.`}, nil},
		{"optional not started at launch", []Container{running("web"), running("job"), {Service: "side", State: "created"}}, false, nil, []string{`Container "side" is not started yet.`}},
		{"optional's own health check", []Container{running("web"), running("job"), {Service: "side", State: "running", Health: "unhealthy"}}, false, nil, nil},
		{"optional gone at launch", []Container{running("web"), running("job")}, false, []string{`Container "side" is gone.`}, nil},
		{"optional ended well in service", []Container{running("web"), running("job"), exited("side", 0)}, true, nil, nil},
		{"optional ended badly in service", []Container{running("web"), running("job"), exited("side", 1)}, true, nil, []string{`Container "side" exited with code 1.`}},
		{"optional gone in service", []Container{running("web"), running("job")}, true, nil, []string{`Container "side" is gone.`}},
		{"essential ended in service", []Container{exited("web", 1), running("job"), side}, true, []string{`Container "web" exited with code 1.`}, nil},
		{"gone", []Container{running("job"), side}, false, []string{`Container "web" is gone.`}, nil},
		{"not started", []Container{{Service: "web", State: "created"}, running("job"), side}, false, nil, []string{`Container "web" is not started yet.`}},
		{"could not start", []Container{{Service: "web", State: "created", Error: "no such file."}, running("job"), side}, false, []string{`Container "web" could not be started: no such file.`}, nil},
		{"restarting", []Container{{Service: "web", State: "restarting", ExitCode: 1, Restarts: 1}, running("job"), side}, false, nil, []string{`Container "web" is restarting: it exited with code 1.`}},
		{"restarted too often", []Container{{Service: "web", State: "running", Restarts: maxRestarts}, running("job"), side}, false, []string{`Container "web" keeps restarting: it was started 6 times.`}, nil},
		{"paused", []Container{{Service: "web", State: "paused"}, running("job"), side}, false, nil, []string{`Container "web" is paused.`}},
	}
	for _, c := range cases {
		v := x.judge(c.containers, c.inService)
		if diff := cmp.Diff([][]string{c.failed, c.waiting}, [][]string{v.Failed, v.Waiting}); diff != "" {
			t.Errorf("%s: failed and waiting (-want +got):\n%s", c.name, diff)
		}
	}
}

func TestComposeSeesNoStrangeVariables(t *testing.T) {
	r := newComposeRunner("e-1", []string{"PATH=/bin", "MYSQL_HOST=theirs", "DOCKER_HOST=unix:///x", "COMPOSE_FILE=evil.yml"})
	if diff := cmp.Diff([]string{"PATH=/bin", "DOCKER_HOST=unix:///x"}, r.env); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
}

func TestLastLines(t *testing.T) {
	cases := map[string]string{
		"":                                   "",
		"Pulling a\nboom\n":                  "Pulling a · boom",
		"Creating a ... \r\nERROR: x\nmore":  "ERROR: x",
		"a\na\nb":                            "a · b",
		"1\n2\n3\n4\n5\n6":                   "3 · 4 · 5 · 6",
		"Error response from daemon: no\nzz": "Error response from daemon: no",
	}
	for text, want := range cases {
		if got := lastLines(text); got != want {
			t.Errorf("%q: %q, expected %q", text, got, want)
		}
	}
}
