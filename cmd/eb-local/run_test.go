package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/guk0/travois/internal/eblocal"
)

func TestParse(t *testing.T) {
	getenv := lookup([]string{"HOME=/home/me"})
	c, err := parse([]string{"--app", "a", "--env", "my-env", "--platform", "ecs", "--listen", ":4566", "--env-port", "8080",
		"--env-var", "A=1", "--env-var", "B=x=y", "--health-timeout", "5s", "--env-file", "f",
		"--fault", "throttle=50", "--fault", "late-label", "--speed", "60", "--clock-skew", "-1h", "--version-quota", "7"}, getenv, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := config{
		Options: eblocal.Options{
			App: "a", Env: "my-env", Platform: "ecs", Region: "us-east-1", EnvListen: "127.0.0.1:8080",
			StateDir: "/home/me/.local/state/travois/eb-local/a/my-env",
			EnvVars:  map[string]string{"A": "1", "B": "x=y"}, HealthTimeout: 5 * time.Second,
			Faults: eblocal.Faults{Throttle: 50, LateLabel: true}, Speed: 60, ClockSkew: -time.Hour, Quotas: eblocal.Quotas{Versions: 7},
		},
		listen: "127.0.0.1:4566", envFile: "f",
	}
	if diff := cmp.Diff(want, c, cmp.AllowUnexported(config{})); diff != "" {
		t.Errorf("config (-want +got):\n%s", diff)
	}
	c, err = parse([]string{"--app", "a", "--env", "my-env"}, lookup([]string{"XDG_STATE_HOME=/xdg", "HOME=/home/me"}), io.Discard)
	if err != nil || c.StateDir != "/xdg/travois/eb-local/a/my-env" {
		t.Errorf("state directory %q, %v: expected it under XDG_STATE_HOME", c.StateDir, err)
	}
}

func TestParseRefuses(t *testing.T) {
	cases := map[string][]string{
		"unexpected argument \"deploy\"": {"deploy"},
		"expected KEY=VALUE":             {"--env-var", "hush-hush"},
		"--env-port 70000":               {"--env-port", "70000"},
		"flag provided but not defined":  {"--colour"},
		"throttle=NUMBER":                {"--fault", "gremlins"},
	}
	for want, args := range cases {
		_, err := parse(args, lookup(nil), io.Discard)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, expected %q", args, err, want)
			continue
		}
		if strings.Contains(err.Error(), "hush-hush") {
			t.Errorf("the error tells what may be a secret: %v", err)
		}
	}
}

func TestPropertiesFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "properties")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("# the database\nMYSQL_HOST=db\n\nMYSQL_PASSWORD= a=b \r\n")
	c, err := parse([]string{"--env-vars", file, "--env-var", "MYSQL_HOST=other"}, lookup(nil), io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"MYSQL_HOST": "other", "MYSQL_PASSWORD": " a=b "}
	if diff := cmp.Diff(want, c.EnvVars); diff != "" {
		t.Errorf("properties (-want +got):\n%s", diff)
	}
	write("A=1\nhush-hush\n")
	_, err = parse([]string{"--env-vars", file}, lookup(nil), io.Discard)
	if err == nil || !strings.Contains(err.Error(), "line 2: environment property: expected KEY=VALUE") || strings.Contains(err.Error(), "hush") {
		t.Errorf("got %v, expected the line's number and not the line", err)
	}
}

func TestHelpIsNoError(t *testing.T) {
	var help bytes.Buffer
	if err := run(t.Context(), []string{"--help"}, nil, io.Discard, &help); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"eb-local --down", "-health-timeout", "environment property KEY=VALUE"} {
		if !strings.Contains(help.String(), part) {
			t.Errorf("help lacks %q:\n%s", part, help.String())
		}
	}
}

func TestBadOptionsAreReported(t *testing.T) {
	err := run(t.Context(), []string{"--state", t.TempDir(), "--platform", "tomcat"}, nil, io.Discard, io.Discard)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, part := range []string{`app ""`, `env ""`, `platform "tomcat"`} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error lacks %q: %v", part, err)
		}
	}
}

// TestServe starts the program, uses what it wrote for its clients, and ends it.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	file := filepath.Join(t.TempDir(), "env")
	var stdout bytes.Buffer
	done := make(chan error, 1)
	go func() {
		done <- run(ctx, []string{"--app", "a", "--env", "my-env", "--state", t.TempDir(), "--env-file", file, "--region", "eu-west-1"}, nil, &stdout, io.Discard)
	}()
	text := awaitFile(t, file)
	vars := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		vars[name] = value
	}
	if vars["AWS_REGION"] != "eu-west-1" || vars["AWS_ACCESS_KEY_ID"] != "local" || vars["AWS_SECRET_ACCESS_KEY"] != "local" {
		t.Errorf("variables: %v", vars)
	}
	if got := status(t, vars["AWS_ENDPOINT_URL"]+"/?Version=2010-12-01&Action=DescribeEnvironments"); got != http.StatusOK {
		t.Errorf("the API: status %d", got)
	}
	_, environment, _ := strings.Cut(text, "# environment: ")
	if got := status(t, strings.TrimSpace(environment)); got != http.StatusServiceUnavailable {
		t.Errorf("the environment before a deployment: status %d, expected 503", got)
	}
	cancel()
	if err := <-done; err != nil {
		t.Errorf("after a signal: %v", err)
	}
	if want := strings.ReplaceAll(text, "# environment", "environment"); stdout.String() != want {
		t.Errorf("printed (-want +got):\n%s", cmp.Diff(want, stdout.String()))
	}
}

func awaitFile(t *testing.T, path string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		data, err := os.ReadFile(path)
		if err == nil {
			return string(data)
		}
		if !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("%s was not written", path)
		}
	}
}

func status(t *testing.T, url string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}
