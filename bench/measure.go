package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// sample is one run of a command.
type sample struct {
	took time.Duration
	// memory is the largest resident set, in bytes.
	memory int64
	// said is the end of what it printed.
	said string
}

// runs is how often something is measured.
const runs = 3

// median runs something several times, after once to warm the caches. It gives
// the median of the times.
func median(one func() (sample, error)) (time.Duration, error) {
	if _, err := one(); err != nil {
		return 0, err
	}
	var all []time.Duration
	for range runs {
		got, err := one()
		if err != nil {
			return 0, err
		}
		all = append(all, got.took)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

// measure runs a command to its end. What it prints is thrown away, the end of
// it shown when it fails.
func measure(ctx context.Context, dir string, environ []string, name string, args ...string) (sample, error) {
	command := exec.CommandContext(ctx, name, args...)
	command.Dir = dir
	command.Env = append(os.Environ(), environ...)
	var said ending
	command.Stdout, command.Stderr = &said, &said
	started := time.Now()
	err := command.Run()
	took := time.Since(started)
	if err != nil {
		return sample{}, fmt.Errorf("%s: %w\n%s", name, err, said.text)
	}
	usage, ok := command.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return sample{}, fmt.Errorf("%s: the system does not tell its memory", name)
	}
	return sample{took, usage.Maxrss << 10, string(said.text)}, nil // Linux counts in KiB, getrusage(2)
}

// ending keeps the last of what is written to it.
type ending struct{ text []byte }

func (e *ending) Write(text []byte) (int, error) {
	const kept = 64 << 10 // a summary of 20 services, and what stands before it
	e.text = append(e.text, text[max(0, len(text)-kept):]...)
	e.text = e.text[max(0, len(e.text)-kept):]
	return len(text), nil
}

func goBuild(ctx context.Context, to, pkg string) error {
	command := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", to, pkg)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	command.Stderr = os.Stderr
	if err := command.Run(); err != nil {
		return fmt.Errorf("go build %s: %w", pkg, err)
	}
	return nil
}

var throughput = regexp.MustCompile(`([0-9.]+) MB/s`)

// guardSpeed is the slowest of the log's benchmarks, in MB/s.
func guardSpeed(ctx context.Context) (float64, error) {
	command := exec.CommandContext(ctx, "go", "test", "-run=^$", "-bench=Writer", "./internal/action")
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, os.Stderr
	if err := command.Run(); err != nil {
		return 0, fmt.Errorf("benchmark the log: %w", err)
	}
	slowest := 0.0
	for _, found := range throughput.FindAllStringSubmatch(out.String(), -1) {
		speed, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			return 0, err
		}
		if slowest == 0 || speed < slowest {
			slowest = speed
		}
	}
	if slowest == 0 {
		return 0, fmt.Errorf("the log's benchmarks tell no MB/s:\n%s", &out)
	}
	return slowest, nil
}
