package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/enginetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"build-push": main})
}

// TestScripts runs the whole action on a real engine, with a registry in
// process at $REGISTRY.
func TestScripts(t *testing.T) {
	enginetest.Connect(t)
	program := filepath.Join(t.TempDir(), "program")
	if err := enginetest.Program(program); err != nil {
		t.Fatal(err)
	}
	registry := enginetest.Registry(t)
	testscript.Run(t, actiontest.Params("testdata", func(env *testscript.Env) error {
		env.Setenv("REGISTRY", registry)
		env.Setenv("PASSWORD", enginetest.Password)
		env.Setenv("GITHUB_EVENT_NAME", "push")
		env.Setenv("GITHUB_REF", "refs/heads/main")
		env.Setenv("GITHUB_SHA", "0123456789abcdef0123456789abcdef01234567")
		env.Setenv("INPUT_DEFAULT-BRANCH", "main")
		for _, service := range []string{"web", "api"} {
			if err := os.MkdirAll(filepath.Join(env.WorkDir, service), 0o755); err != nil {
				return err
			}
			if err := os.Link(program, filepath.Join(env.WorkDir, service, "program")); err != nil {
				return err
			}
		}
		return nil
	}))
}
