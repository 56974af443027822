package engine_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
)

func build(dir, service string) compose.Build {
	return compose.Build{Service: service, Context: dir, Dockerfile: filepath.Join(dir, "Dockerfile")}
}

func nobody(context.Context, string) (string, string, error) { return "", "", nil }

func TestConnectWithoutEngine(t *testing.T) {
	_, err := engine.Connect(t.Context(), func(name string) string {
		return map[string]string{"DOCKER_HOST": "tcp://127.0.0.1:1"}[name]
	})
	want := "no Docker engine answers at tcp://127.0.0.1:1: this action needs one; GitHub's ubuntu runners have it, elsewhere start Docker or set DOCKER_HOST: "
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v", err)
	}
}

// TestBuildRunPush goes through an image's life: built, built again out of the
// cache, run, pushed.
func TestBuildRunPush(t *testing.T) { enginetest.Each(t, buildRunPush) }

func buildRunPush(t *testing.T, eng *engine.Engine) {
	host := enginetest.Registry(t)
	dir := enginetest.Context(t, "print=hello", "env=WORD", "warn=careful", "exit=3")
	name := image.Reference{Registry: host, Repository: enginetest.Username + "/life", Tag: "1"}
	t.Cleanup(func() { removeImages(t, eng, name.String()) })

	var progress bytes.Buffer
	for _, want := range []struct{ steps, cached int }{{1, -1}, {1, 1}} {
		built, err := eng.Build(t.Context(), []engine.Image{{Build: build(dir, "life"), Names: []string{name.String()}, Output: &progress}}, nobody)
		if err != nil {
			t.Fatalf("%v\n%s", err, &progress)
		}
		got := built[0]
		if got.Service != "life" || !strings.HasPrefix(got.ID, "sha256:") || got.Size == 0 || got.Steps != want.steps || want.cached >= 0 && got.Cached != want.cached {
			t.Errorf("built %+v, want %+v", got, want)
		}
	}
	if !strings.Contains(progress.String(), "COPY program /program") {
		t.Errorf("the progress does not show the step:\n%s", &progress)
	}

	var output bytes.Buffer
	code, err := run(t.Context(), eng, engine.Container{Image: name.String(), Env: []string{"WORD=abc"}}, &output)
	ordered := strings.Replace(output.String(), "careful\n", "", 1) // two streams have no order between them
	if err != nil || code != 3 || ordered != "hello\nabc\n" || ordered == output.String() {
		t.Errorf("code %d, %v, output %q", code, err, &output)
	}

	credentials, err := registry.NewCredentials(host, registry.Login{Username: enginetest.Username, Password: enginetest.Password}, "")
	if err != nil {
		t.Fatal(err)
	}
	builder, err := eng.Builder(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = builder.Close(context.Background()) })
	pushed := engine.Image{Build: build(dir, "life"), Names: []string{name.String()}}
	digest, err := builder.Push(t.Context(), pushed, credentials.Lookup, host)
	if err != nil {
		t.Fatal(err)
	}
	if want, err := credentials.Digest(t.Context(), name); err != nil || digest != want {
		t.Errorf("push gave %s, the registry has %s (%v)", digest, want, err)
	}
	other := name.WithTag("2").String()
	if _, err := eng.Build(t.Context(), []engine.Image{{Build: build(dir, "life"), Names: []string{other}, Output: &progress}}, nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeImages(t, eng, other) })
	pushed.Names = []string{other}
	if _, err := builder.Push(t.Context(), pushed, nobody, host); err == nil {
		t.Error("a push without a login passes")
	}
}

func TestBuildReportsEveryFailure(t *testing.T) { enginetest.Each(t, buildReportsEveryFailure) }

func buildReportsEveryFailure(t *testing.T, eng *engine.Engine) {
	var images []engine.Image
	var output bytes.Buffer
	for _, instruction := range []string{"COPY nothing /", "NONSENSE"} {
		dir := t.TempDir()
		enginetest.Write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\n"+instruction+"\n")
		images = append(images, engine.Image{Build: build(dir, strings.ToLower(strings.Fields(instruction)[0])), Output: &output})
	}
	_, err := eng.Build(t.Context(), images[:1], nobody)
	if err == nil || !strings.Contains(err.Error(), `build "copy": `) || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("got %v", err)
	}
	_, err = eng.Build(t.Context(), images, nobody)
	if err == nil || !strings.Contains(err.Error(), `build "copy": `) || !strings.Contains(err.Error(), `build "nonsense": `) {
		t.Errorf("got %v", err)
	}
}

// TestBuildArgs builds a stage in the middle of another Dockerfile.
func TestBuildArgs(t *testing.T) { enginetest.Each(t, buildArgs) }

func buildArgs(t *testing.T, eng *engine.Engine) {
	dir := enginetest.Context(t, "env=GREETING")
	enginetest.Write(t, filepath.Join(dir, "Other"),
		"FROM scratch AS first\nCOPY program /program\nFROM first AS wanted\nARG WORD\nENV GREETING=$WORD\nENTRYPOINT [\"/program\"]\nCMD [\"env=GREETING\"]\nFROM scratch\n")
	one := compose.Build{Service: "args", Context: dir, Dockerfile: filepath.Join(dir, "Other"), Target: "wanted", Args: map[string]string{"WORD": "hi"}}
	var output bytes.Buffer
	built, err := eng.Build(t.Context(), []engine.Image{{Build: one, Names: []string{"travois-test/args:1"}, Output: &output}}, nobody)
	if err != nil {
		t.Fatalf("%v\n%s", err, &output)
	}
	t.Cleanup(func() { removeImages(t, eng, "travois-test/args:1") })
	output.Reset()
	if code, err := run(t.Context(), eng, engine.Container{Image: built[0].ID}, &output); err != nil || code != 0 || output.String() != "hi\n" {
		t.Errorf("code %d, %v, output %q", code, err, &output)
	}
}

// TestBuildEndsWithTheContext shows that a build that was cancelled says so,
// whatever the engine calls it.
func TestBuildEndsWithTheContext(t *testing.T) { enginetest.Each(t, buildEndsWithTheContext) }

func buildEndsWithTheContext(t *testing.T, eng *engine.Engine) {
	dir := enginetest.Context(t)
	enginetest.Write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY program /program\nRUN [\"/program\", \"wait=5m\"]\n")
	ctx, cancel := context.WithCancel(t.Context())
	output := writerFunc(func(text []byte) {
		if strings.Contains(string(text), "RUN [") {
			cancel()
		}
	})
	_, err := eng.Build(ctx, []engine.Image{{Build: build(dir, "slow"), Output: output}}, nobody)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestPullLeavesWhatIsThere(t *testing.T) {
	eng := enginetest.Connect(t)
	host := enginetest.Registry(t)
	if err := eng.Pull(t.Context(), host+"/guk0/none:1", "", host, nobody, io.Discard); err == nil || !strings.Contains(err.Error(), "pull "+host+"/guk0/none:1") {
		t.Errorf("got %v", err)
	}
}

// run runs a container to its end and removes it.
func run(ctx context.Context, eng *engine.Engine, spec engine.Container, output io.Writer) (code int, err error) {
	instance, err := eng.Create(ctx, spec)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, instance.Remove(ctx)) }()
	if err := instance.Start(ctx, output); err != nil {
		return 0, err
	}
	exit, err := instance.Wait(ctx)
	return exit.Code, err
}

type writerFunc func([]byte)

func (w writerFunc) Write(text []byte) (int, error) {
	w(text)
	return len(text), nil
}

func removeImages(t *testing.T, eng *engine.Engine, names ...string) {
	t.Helper()
	if err := eng.RemoveImages(context.WithoutCancel(t.Context()), names); err != nil {
		t.Error(err)
	}
}

// TestBuildBesideRemoval builds one image again and again while another run
// that made the same one removes it.
func TestBuildBesideRemoval(t *testing.T) {
	eng := enginetest.Connect(t)
	dir := enginetest.Context(t, "print=the same image")
	names := []string{"travois-test/one-of-two:" + strings.ToLower(t.Name()), "travois-test/two-of-two:" + strings.ToLower(t.Name())}
	var group errgroup.Group
	for _, name := range names {
		group.Go(func() error {
			for range 15 {
				one := engine.Image{Build: build(dir, "same"), Names: []string{name}, Output: io.Discard}
				if _, err := eng.Build(t.Context(), []engine.Image{one}, nobody); err != nil {
					return err
				}
				if err := eng.RemoveImages(t.Context(), []string{name}); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// TestContextIsSentOnce builds two services out of one folder.
func TestContextIsSentOnce(t *testing.T) { enginetest.Each(t, contextIsSentOnce) }

func contextIsSentOnce(t *testing.T, eng *engine.Engine) {
	const size = 20 << 20
	dir := t.TempDir()
	noise := make([]byte, size)
	_, _ = rand.Read(noise)
	enginetest.Write(t, filepath.Join(dir, "noise"), string(noise))
	var images []engine.Image
	for _, service := range []string{"one", "two"} {
		enginetest.Write(t, filepath.Join(dir, service), "FROM scratch\nCOPY noise /"+service+"\n")
		build := compose.Build{Service: service, Context: dir, Dockerfile: filepath.Join(dir, service)}
		images = append(images, engine.Image{Build: build, Output: io.Discard})
	}
	for _, want := range []struct {
		what        string
		least, most int64
	}{{"cold", size, size + 1000}, {"warm", 0, 1000}} {
		builder, err := eng.Builder(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		_, err = builder.Build(t.Context(), images, nobody)
		if err := errors.Join(err, builder.Close(t.Context())); err != nil {
			t.Fatal(err)
		}
		if sent := builder.Sent(); sent < want.least || sent > want.most {
			t.Errorf("%s: %d bytes were sent of a folder of %d", want.what, sent, size)
		}
	}
}

// TestCachesSideBySide builds many services with steps in common again and
// again, each with a cache of its own: an old engine ended of that.
func TestCachesSideBySide(t *testing.T) { enginetest.Each(t, cachesSideBySide) }

func cachesSideBySide(t *testing.T, eng *engine.Engine) {
	dir := enginetest.Context(t)
	enginetest.Write(t, filepath.Join(dir, "Dockerfile"), "FROM scratch\nCOPY program /program\nRUN [\"/program\", \"file=/a:1\"]\nRUN [\"/program\", \"file=/b:1\"]\nRUN [\"/program\", \"file=/c:1\"]\n")
	var images []engine.Image
	var names []string
	for i := range 12 {
		one := build(dir, fmt.Sprint("service", i))
		one.CacheTo = []compose.Cache{{Type: "inline"}}
		one.Labels = map[string]string{"service": one.Service}
		names = append(names, "travois-test/side-by-side:"+one.Service)
		images = append(images, engine.Image{Build: one, Names: names[i:], Output: io.Discard})
	}
	t.Cleanup(func() {
		if err := eng.RemoveImages(context.Background(), names); err != nil {
			t.Error(err)
		}
	})
	for range 2 {
		built, err := eng.Build(t.Context(), images, nobody)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range built {
			if one.Steps != 4 || one.ID == "" {
				t.Errorf("built %+v", one)
			}
		}
	}
}
