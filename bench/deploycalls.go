package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"time"
)

// benchDeployCalls measures what eb-deploy asks of AWS, and how soon. Deployments
// of minutes are run in virtual time by the tests, which print their figures.
func benchDeployCalls(ctx context.Context, b *bench) error {
	calls, err := testFigures(ctx, "./actions/eb-deploy", "TestCallsOfADeployment")
	if err != nil {
		return err
	}
	noticed, err := testFigures(ctx, "./internal/beanstalk", "TestEndIsNoticed")
	if err != nil {
		return err
	}
	first, err := firstCall(ctx, filepath.Join(b.dir, "eb-deploy"), filepath.Join(b.dir, "first-call"))
	if err != nil {
		return err
	}
	b.figures = append(b.figures,
		figure{name: "eb-deploy: calls of a deployment of 5 minutes", ours: calls["calls"], bound: 160},
		figure{name: "eb-deploy: calls a second of it with half of the answers throttled", ours: calls["throttled rate"], bound: 0.5},
		figure{name: "eb-deploy: the end is noticed, median of the slowest way to end", unit: "s", ours: noticed["median"], bound: 3},
		figure{name: "eb-deploy: the end is noticed, at most", unit: "s", ours: noticed["most"], bound: 5},
		figure{name: "eb-deploy: start to first call", unit: "ms", ours: first.Seconds() * 1000, bound: 100},
	)
	return nil
}

var testFigure = regexp.MustCompile(`figure: ([a-z ]+): ([0-9.]+)`)

// testFigures runs a test and reads the figures that it prints, the largest of
// each name.
func testFigures(ctx context.Context, pkg, test string) (map[string]float64, error) {
	command := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-run=^"+test+"$", pkg)
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	if err := command.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", test, err, &out)
	}
	figures := map[string]float64{}
	for _, found := range testFigure.FindAllStringSubmatch(out.String(), -1) {
		value, err := strconv.ParseFloat(found[2], 64)
		if err != nil {
			return nil, err
		}
		figures[found[1]] = max(value, figures[found[1]])
	}
	if len(figures) == 0 {
		return nil, fmt.Errorf("%s tells no figure:\n%s", test, &out)
	}
	return figures, nil
}

// firstCall is the time from the start of the action to its first request, the
// median of five. The server refuses it, which ends the run.
func firstCall(ctx context.Context, action, workspace string) (time.Duration, error) {
	if err := goBuild(ctx, action, "./cmd/travois"); err != nil {
		return 0, err
	}
	if err := os.MkdirAll(workspace, 0o755); err != nil {
		return 0, err
	}
	file := []byte("services:\n  web:\n    image: guk0/docker-nginx\n    ports: [\"80:80\"]\n")
	if err := os.WriteFile(filepath.Join(workspace, "docker-compose.yml"), file, 0o644); err != nil {
		return 0, err
	}
	var all []time.Duration
	for range 6 {
		took, err := oneFirstCall(ctx, action, workspace)
		if err != nil {
			return 0, err
		}
		all = append(all, took)
	}
	all = all[1:] // the first one reads the program from the disk
	slices.Sort(all)
	return all[len(all)/2], nil
}

func oneFirstCall(ctx context.Context, action, workspace string) (time.Duration, error) {
	var once sync.Once
	var at time.Time
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		once.Do(func() { at = time.Now() })
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>no</Message></Error></ErrorResponse>"))
	}))
	command := exec.CommandContext(ctx, action)
	command.Env = append(os.Environ(),
		"AWS_ENDPOINT_URL="+server.URL, "AWS_ACCESS_KEY_ID=bench", "AWS_SECRET_ACCESS_KEY=bench", "GITHUB_WORKSPACE="+workspace,
		"INPUT_REGION=ap-northeast-2", "INPUT_APP=bench", "INPUT_ENV=bench-env", `INPUT_TAGS={"web":"1"}`, "INPUT_CHECK-IMAGES=false")
	started := time.Now()
	out, err := command.CombinedOutput()
	server.Close()
	if err == nil || at.IsZero() {
		return 0, fmt.Errorf("the action made no call, or took a refusal for an answer (%w):\n%s", err, out)
	}
	return at.Sub(started), nil
}
