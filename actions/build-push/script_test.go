package buildpush

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/actiontest"
	"github.com/guk0/travois/internal/cache/cachetest"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"build-push": Main, "build-push-post": Post})
}

// TestScripts runs the whole action on a real engine, with a registry in
// process at $REGISTRY.
func TestScripts(t *testing.T) {
	enginetest.Connect(t)
	program := filepath.Join(t.TempDir(), "program")
	if err := enginetest.Program(program); err != nil {
		t.Fatal(err)
	}
	registry, steps := enginetest.Registry(t), cachetest.Start(t)
	for kind, host := range enginetest.Hosts() {
		t.Run(kind, func(t *testing.T) { scripts(t, kind, host, program, registry, steps) })
	}
}

func scripts(t *testing.T, kind, host, program, registry string, steps *cachetest.Server) {
	params := actiontest.Params("testdata", func(env *testscript.Env) error {
		env.Setenv("DOCKER_HOST", host)
		env.Setenv("REGISTRY", registry)
		env.Setenv("GITHUB_RUN_ID", rand.Text())
		env.Setenv("CACHE_URL", steps.URL())
		env.Setenv("CACHE_TOKEN", steps.Token())
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
	})
	params.Cmds["builders"], params.Cmds["await"] = builders, awaitBuilder
	params.Cmds["same"], params.Cmds["handed"], params.Cmds["inline"] = same, handed, inline
	params.Cmds["kept"] = func(ts *testscript.TestScript, neg bool, args []string) {
		if got := slices.ContainsFunc(steps.Keys(), func(key string) bool { return strings.Contains(key, args[0]) }); got == neg {
			ts.Fatalf("GitHub's cache service has %v", steps.Keys())
		}
	}
	params.Condition = func(condition string) (bool, error) {
		return condition == kind, nil
	}
	testscript.Run(t, params)
}

// builders N holds the number of the step's builders that the engine has.
func builders(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: builders N")
	}
	if found := startedBuilders(ts); strconv.Itoa(len(found)) != args[0] {
		ts.Fatalf("there are %d builders, want %s: %v", len(found), args[0], found)
	}
}

// awaitBuilder waits until the step has a builder.
func awaitBuilder(ts *testscript.TestScript, _ bool, _ []string) {
	for begin := time.Now(); len(startedBuilders(ts)) == 0; time.Sleep(50 * time.Millisecond) {
		if time.Since(begin) > time.Minute {
			ts.Fatalf("no builder of the step after a minute")
		}
	}
}

func startedBuilders(ts *testscript.TestScript) []string {
	eng, err := engine.Connect(context.Background(), ts.Getenv)
	ts.Check(err)
	defer func() { _ = eng.Close() }()
	key := action.NewRunner([]string{"GITHUB_RUN_ID=" + ts.Getenv("GITHUB_RUN_ID"), "GITHUB_WORKSPACE=" + ts.Getenv("GITHUB_WORKSPACE")}, io.Discard).StepKey()
	found, err := eng.Labelled(context.Background(), label+"="+key)
	ts.Check(err)
	return found
}

// handed SERVICES TAG... fails unless what the outputs say of services, with
// commas between, is what the registry has under every tag.
func handed(ts *testscript.TestScript, neg bool, args []string) {
	text := ts.ReadFile(".outputs")
	outputs, err := actiontest.Outputs(text)
	ts.Check(err)
	var images, digests map[string]string
	ts.Check(errors.Join(json.Unmarshal([]byte(outputs["images"]), &images), json.Unmarshal([]byte(outputs["digests"]), &digests)))
	services := strings.Split(args[0], ",")
	if neg || len(images) != len(services) || len(digests) != len(services) {
		ts.Fatalf("images %v, digests %v; want those of %v", images, digests, services)
	}
	for _, service := range services {
		reference, err := image.Parse(images[service])
		ts.Check(err)
		if reference.Digest != digests[service] || reference.Tag != args[1] {
			ts.Fatalf("image %s, digest %s, tag %s", reference, digests[service], args[1])
		}
		for _, tag := range args[1:] {
			found, err := registry.Credentials{}.Digest(context.Background(), image.Reference{Registry: reference.Registry, Repository: reference.Repository, Tag: tag})
			ts.Check(err)
			if found != digests[service] {
				ts.Fatalf("the registry has %s as %s, the output says %s", reference.WithDigest("").WithTag(tag), found, digests[service])
			}
		}
	}
}

// inline NAME:TAG fails unless the image holds the steps that it was built by.
func inline(ts *testscript.TestScript, neg bool, args []string) {
	reference, err := name.ParseReference(ts.Getenv("REGISTRY") + "/" + args[0])
	ts.Check(err)
	found, err := remote.Image(reference, remote.WithAuth(&authn.Basic{Username: enginetest.Username, Password: enginetest.Password}))
	ts.Check(err)
	config, err := found.RawConfigFile()
	ts.Check(err)
	if bytes.Contains(config, []byte(`"moby.buildkit.cache.v0"`)) == neg {
		ts.Fatalf("%s: %s", args[0], config)
	}
}

// same NAME:TAG... fails unless the registry has one digest under all of them.
func same(ts *testscript.TestScript, neg bool, args []string) {
	digests := map[string][]string{}
	for _, arg := range args {
		name, tag, _ := strings.Cut(arg, ":")
		digest, err := registry.Credentials{}.Digest(context.Background(), image.Reference{Registry: ts.Getenv("REGISTRY"), Repository: name, Tag: tag})
		ts.Check(err)
		digests[digest] = append(digests[digest], arg)
	}
	if neg || len(digests) != 1 {
		ts.Fatalf("the registry has %v", digests)
	}
}
