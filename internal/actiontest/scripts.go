package actiontest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// Params runs the txtar scripts of a folder. In a script the action is a
// command of its binary's name, and there are
//
//	input NAME VALUE    gives an input; @FILE is a file's content
//	output NAME TEXT    compares an output with a text
//	outputlike NAME RE  matches an output with a regular expression
//
// setup may add variables to the environment.
func Params(dir string, setup func(*testscript.Env) error) testscript.Params {
	return testscript.Params{
		Dir:           dir,
		UpdateScripts: *Update,
		Setup: func(env *testscript.Env) error {
			env.Setenv("GITHUB_WORKSPACE", env.WorkDir)
			env.Setenv("GITHUB_OUTPUT", filepath.Join(env.WorkDir, ".outputs"))
			env.Setenv("GITHUB_STEP_SUMMARY", filepath.Join(env.WorkDir, ".summary"))
			env.Setenv("DOCKER_HOST", os.Getenv("DOCKER_HOST"))
			if setup == nil {
				return nil
			}
			return setup(env)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"input": input, "output": output, "outputlike": outputLike,
		},
	}
}

func input(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: input NAME VALUE")
	}
	value := args[1]
	if path, isFile := strings.CutPrefix(value, "@"); isFile {
		value = os.Expand(ts.ReadFile(path), ts.Getenv)
	}
	ts.Setenv("INPUT_"+strings.ToUpper(args[0]), value)
}

func output(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: output NAME TEXT")
	}
	if got := readOutput(ts, args[0]); (got == args[1]) == neg {
		ts.Fatalf("output %s is %q, want %q (not: %t)", args[0], got, args[1], neg)
	}
}

func outputLike(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: outputlike NAME RE")
	}
	wanted, err := regexp.Compile(args[1])
	ts.Check(err)
	if got := readOutput(ts, args[0]); wanted.MatchString(got) == neg {
		ts.Fatalf("output %s is %q, want %q (not: %t)", args[0], got, args[1], neg)
	}
}

// readOutput reads the last value of an output.
func readOutput(ts *testscript.TestScript, name string) string {
	text, err := os.ReadFile(ts.MkAbs(".outputs"))
	if err != nil {
		return fmt.Sprintf("no outputs: %v", err)
	}
	outputs, err := Outputs(string(text))
	ts.Check(err)
	value, found := outputs[name]
	if !found {
		return "no such output"
	}
	return value
}
