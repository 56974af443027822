package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"test-action": main, "test-post": main})
}

// TestScripts runs the whole action on a real engine.
func TestScripts(t *testing.T) {
	eng := enginetest.Connect(t)
	program := filepath.Join(t.TempDir(), "program")
	if err := enginetest.Program(program); err != nil {
		t.Fatal(err)
	}
	params := actiontest.Params("testdata", func(env *testscript.Env) error {
		env.Setenv("GITHUB_RUN_ID", filepath.Base(env.WorkDir))
		dir := filepath.Join(env.WorkDir, "app")
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		return os.Link(program, filepath.Join(dir, "program"))
	})
	params.Cmds["leftovers"] = func(ts *testscript.TestScript, neg bool, _ []string) {
		if left := containers(ts, eng); (len(left) > 0) == neg {
			ts.Fatalf("containers of the step: %v (wanted none: %t)", left, neg)
		}
	}
	params.Cmds["await"] = func(ts *testscript.TestScript, _ bool, _ []string) {
		for begin := time.Now(); len(containers(ts, eng)) == 0; {
			if time.Since(begin) > time.Minute {
				ts.Fatalf("no container of the step after a minute")
			}
			runtime.Gosched()
		}
	}
	testscript.Run(t, params)
}

// containers are those that the script's step made.
func containers(ts *testscript.TestScript, eng *engine.Engine) []string {
	step := action.NewRunner([]string{"GITHUB_RUN_ID=" + ts.Getenv("GITHUB_RUN_ID"), "GITHUB_WORKSPACE=" + ts.Getenv("GITHUB_WORKSPACE")}, io.Discard)
	ids, err := eng.Labelled(context.Background(), label+"="+step.StepKey())
	ts.Check(err)
	return ids
}
