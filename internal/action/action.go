// Package action owns the runner's side of an action: inputs, the facts about
// the commit, outputs, the job summary, masks, the guarded log, signals and
// the exit code. Only this package reads INPUT_* and GITHUB_* and exits.
package action

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/sethvargo/go-githubactions"
)

// ErrVerdict ends an action that has told its verdict already: the exit code
// is 1 and nothing more is printed.
var ErrVerdict = errors.New("the verdict is negative")

// Runner is the machine that runs the step, as the action sees it.
type Runner struct {
	// Log is the step's log.
	Log *Log

	env map[string]string
	gh  *githubactions.Action
}

// NewRunner is the runner behind an environment ("KEY=VALUE" strings) that
// reads the step's standard output.
func NewRunner(environ []string, stdout io.Writer) *Runner {
	env := make(map[string]string, len(environ))
	for _, pair := range environ {
		key, value, _ := strings.Cut(pair, "=")
		env[key] = value
	}
	r := &Runner{Log: NewLog(stdout), env: env}
	r.gh = githubactions.New(githubactions.WithWriter(commandWriter{r.Log}), githubactions.WithGetenv(r.Getenv))
	r.Log.gh = r.gh
	return r
}

// Main runs an action and ends the process with 0, or with 1 after every
// problem was printed as an annotation. SIGINT and SIGTERM cancel the context:
// a cancelled job gets them 7.5 s apart and has 2.5 s more
// (actions/runner, ProcessInvoker.cs).
func Main(run func(context.Context, *Runner) error) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	log.SetOutput(io.Discard) // what net/http says is neither guarded nor masked
	os.Exit(NewRunner(os.Environ(), os.Stdout).Run(ctx, run))
}

// Run is Main without the process: it gives the exit code.
func (r *Runner) Run(ctx context.Context, run func(context.Context, *Runner) error) int {
	err := run(ctx, r)
	r.Log.Flush()
	switch {
	case err == nil:
		return 0
	case errors.Is(err, ErrVerdict):
		return 1
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		r.Log.Error(errors.New("cancelled"))
		return 1
	}
	for _, problem := range Problems(err) {
		r.Log.Error(problem)
	}
	return 1
}

// Getenv is the value of an environment variable, "" when it is not set.
func (r *Runner) Getenv(key string) string {
	value := r.env[key]
	if fileCommands[key] {
		return reachable(value)
	}
	return value
}

// fileCommands are the variables that name a file of the runner's.
var fileCommands = map[string]bool{
	"GITHUB_OUTPUT": true, "GITHUB_STATE": true, "GITHUB_STEP_SUMMARY": true,
	"GITHUB_ENV": true, "GITHUB_PATH": true, "GITHUB_EVENT_PATH": true,
}

// actFiles is where act mounts the runner's files. In host mode it names them
// by paths of the host (nektos/act, run_context.go and step.go).
const actFiles = "/var/run/act/workflow"

func reachable(path string) string {
	if path == "" {
		return ""
	}
	if _, err := os.Stat(filepath.Dir(path)); err == nil {
		return path
	}
	inside := filepath.Join(actFiles, filepath.Base(path))
	if _, err := os.Stat(actFiles); err == nil {
		return inside
	}
	return path
}

// Workspace is the absolute path of the checked out repository:
// GITHUB_WORKSPACE where that exists, else the current directory (act in host
// mode names a path of the host).
func (r *Runner) Workspace() (string, error) {
	dir := r.Getenv("GITHUB_WORKSPACE")
	if info, err := os.Stat(dir); dir != "" && err == nil && info.IsDir() {
		return filepath.Abs(dir)
	}
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the workspace: %w", err)
	}
	return dir, nil
}
