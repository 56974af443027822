package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// suiteTime is how long the suites of the comparison take.
const suiteTime = 20 * time.Second

// flood is how much a suite prints while the action's memory is measured.
const flood = 100 << 20

// benchTest holds the action test against a plain docker build and docker run.
func benchTest(ctx context.Context, b *bench) (err error) {
	action := filepath.Join(b.dir, "test")
	if err := goBuild(ctx, action, "./cmd/travois"); err != nil {
		return err
	}
	workspace := filepath.Join(b.dir, "workspace")
	if err := suiteContext(ctx, workspace); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cleanTest(ctx, action, workspace)) }()
	alone := fmt.Sprintf("one: {build: app, command: wait=%s}\n", suiteTime)
	three := alone + strings.Replace(alone, "one", "two", 1) + strings.Replace(alone, "one", "three", 1)
	ours, err := median(func() (sample, error) { return runTest(ctx, action, workspace, alone) })
	if err != nil {
		return err
	}
	peer, err := median(func() (sample, error) { return plainDocker(ctx, workspace) })
	if err != nil {
		return err
	}
	side, err := median(func() (sample, error) { return runTest(ctx, action, workspace, three) })
	if err != nil {
		return err
	}
	loud, err := runTest(ctx, action, workspace, fmt.Sprintf("loud: {build: app, command: flood=%d}\n", flood))
	if err != nil {
		return err
	}
	guard, err := guardSpeed(ctx)
	if err != nil {
		return err
	}
	b.figures = append(b.figures,
		figure{name: "test: one suite of 20 s, warm, over docker build and run", unit: "s", ours: ours.Seconds(), peer: peer.Seconds(), bound: 1.05},
		figure{name: "test: three suites side by side, over one alone", unit: "s", ours: side.Seconds(), peer: ours.Seconds(), bound: 1.2},
		figure{name: "test: peak memory with 100 MB of output", unit: "MB", ours: float64(loud.memory) / 1e6, bound: 64},
		figure{name: "test: log guard, writer to writer", unit: "MB/s", ours: guard, bound: 100, atLeast: true},
	)
	return nil
}

// suiteContext is a workspace with a build context app, whose program does
// what its arguments say.
func suiteContext(ctx context.Context, workspace string) error {
	app := filepath.Join(workspace, "app")
	if err := os.MkdirAll(app, 0o755); err != nil {
		return err
	}
	if err := goBuild(ctx, filepath.Join(app, "program"), "./internal/enginetest/program"); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(app, "Dockerfile"), []byte("FROM scratch\nCOPY program /program\nENTRYPOINT [\"/program\"]\n"), 0o644)
}

func runTest(ctx context.Context, action, workspace, services string) (sample, error) {
	return measure(ctx, workspace, append(step(workspace), "INPUT_SERVICES="+services, "INPUT_KEEP=true"), action)
}

// step is one step of one run, so that its images are kept warm and found again.
func step(workspace string) []string {
	return []string{"GITHUB_WORKSPACE=" + workspace, "GITHUB_RUN_ID=bench"}
}

// cleanTest removes the images, ours by the action's own sweep.
func cleanTest(ctx context.Context, action, workspace string) error {
	post := action + "-post"
	if err := os.Link(action, post); err != nil {
		return err
	}
	_, ours := measure(ctx, workspace, step(workspace), post)
	_, peers := measure(ctx, workspace, nil, "docker", "rmi", "travois-bench/one")
	return errors.Join(ours, peers)
}

// plainDocker is what a .travis.yml did.
func plainDocker(ctx context.Context, workspace string) (sample, error) {
	started := time.Now()
	if _, err := measure(ctx, workspace, nil, "docker", "build", "-t", "travois-bench/one", "app"); err != nil {
		return sample{}, err
	}
	_, err := measure(ctx, workspace, nil, "docker", "run", "--rm", "-e", "CI=true", "travois-bench/one", "wait="+suiteTime.String())
	return sample{took: time.Since(started)}, err
}
