package test

import (
	"context"
	"io"
	"io/fs"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"test-action": Main, "test-post": Post})
}

// TestScripts runs the whole action on a real engine.
func TestScripts(t *testing.T) {
	scripts(t, "testdata", enginetest.Connect(t), os.Getenv("DOCKER_HOST"), "")
}

// TestScriptsOfKinds runs what depends on the engine on engines of both kinds.
func TestScriptsOfKinds(t *testing.T) {
	for kind, host := range enginetest.Hosts() {
		t.Run(kind, func(t *testing.T) { scripts(t, "testdata/kinds", enginetest.ConnectTo(t, host), host, kind) })
	}
}

func scripts(t *testing.T, dir string, eng *engine.Engine, host, kind string) {
	t.Helper()
	program := filepath.Join(t.TempDir(), "program")
	if err := enginetest.Program(program); err != nil {
		t.Fatal(err)
	}
	params := actiontest.Params(dir, func(env *testscript.Env) error {
		env.Setenv("DOCKER_HOST", host)
		env.Setenv("GITHUB_RUN_ID", filepath.Base(env.WorkDir))
		env.Setenv("ARCH", runtime.GOARCH)
		env.Setenv("PORT", answerLate(t))
		return putProgram(program, env.WorkDir)
	})
	params.Condition = func(condition string) (bool, error) { return condition == kind, nil }
	params.Cmds["leftovers"] = func(ts *testscript.TestScript, neg bool, _ []string) {
		left := leftovers(ts, eng)
		if found := len(left.Containers)+len(left.Networks)+len(left.Volumes) > 0; found == neg {
			ts.Fatalf("of the step: %+v (wanted none: %t)", left, neg)
		}
	}
	params.Cmds["await"] = func(ts *testscript.TestScript, _ bool, _ []string) {
		for begin := time.Now(); len(leftovers(ts, eng).Containers) == 0; {
			if time.Since(begin) > time.Minute {
				ts.Fatalf("no container of the step after a minute")
			}
			runtime.Gosched()
		}
	}
	params.Cmds["killed"] = func(ts *testscript.TestScript, _ bool, args []string) { killed(ts, eng, args) }
	params.Cmds["images"] = func(ts *testscript.TestScript, neg bool, _ []string) {
		if left := images(ts); (left != "") == neg {
			ts.Fatalf("images of the step: %q (wanted none: %t)", left, neg)
		}
	}
	testscript.Run(t, params)
}

// killed runs the action as often as the first argument says, kills it each
// time at a random moment of the second, and lets the post entry point sweep.
func killed(ts *testscript.TestScript, eng *engine.Engine, args []string) {
	times, err := strconv.Atoi(args[0])
	ts.Check(err)
	within, err := time.ParseDuration(args[1])
	ts.Check(err)
	for range times {
		moment := time.Duration(rand.Int64N(int64(within)))
		ctx, cancel := context.WithTimeout(context.Background(), moment)
		command := exec.CommandContext(ctx, "test-action")
		command.Env, command.Dir = environ(ts), ts.Getenv("WORK")
		err := command.Run()
		cancel()
		if ctx.Err() == nil {
			ts.Fatalf("the action ended by itself before %s: %v", moment, err)
		}
		ts.Check(ts.Exec("test-post"))
		if left := leftovers(ts, eng); len(left.Containers)+len(left.Networks)+len(left.Volumes) > 0 {
			ts.Fatalf("killed after %s, left after the sweep: %+v", moment, left)
		}
	}
}

// environ is the script's environment, which testscript does not give whole.
func environ(ts *testscript.TestScript) []string {
	all := os.Environ()
	for _, name := range []string{"INPUT_SERVICES", "GITHUB_WORKSPACE", "GITHUB_RUN_ID", "DOCKER_HOST", "PATH"} {
		all = append(all, name+"="+ts.Getenv(name))
	}
	return all
}

// leftovers are what the script's step made.
func leftovers(ts *testscript.TestScript, eng *engine.Engine) engine.Leftovers {
	found, err := eng.Leftovers(context.Background(), label+"="+key(ts))
	ts.Check(err)
	return found
}

func key(ts *testscript.TestScript) string {
	return action.NewRunner([]string{"GITHUB_RUN_ID=" + ts.Getenv("GITHUB_RUN_ID"), "GITHUB_WORKSPACE=" + ts.Getenv("GITHUB_WORKSPACE")}, io.Discard).StepKey()
}

// images are the names of those that the step built.
func images(ts *testscript.TestScript) string {
	command := exec.Command("docker", "image", "ls", "--quiet", "--filter", "reference="+suiteImages+"*:"+key(ts))
	command.Env = append(os.Environ(), "DOCKER_HOST="+ts.Getenv("DOCKER_HOST"))
	found, err := command.Output()
	ts.Check(err)
	return string(found)
}

// putProgram puts the program beside every Dockerfile.
func putProgram(program, dir string) error {
	return filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !strings.HasPrefix(entry.Name(), "Dockerfile") {
			return err
		}
		return os.Link(program, filepath.Join(filepath.Dir(name), "program"))
	})
}

// answerLate is the port of a server that refuses the first request and
// answers the second. Containers reach it at their gateway.
func answerLate(t *testing.T) string {
	t.Helper()
	var asked atomic.Int32
	listener, err := net.Listen("tcp4", "0.0.0.0:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})}
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() { _ = server.Close() })
	_, port, err := net.SplitHostPort(listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
