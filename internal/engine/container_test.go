package engine_test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"time"

	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/enginetest"
)

const testLabel = "io.travois.enginetest"

// bed is an image whose program does what a command says, and a network.
type bed struct {
	*engine.Engine
	image, network string
	labels         map[string]string
}

func newBed(t *testing.T) bed {
	t.Helper()
	eng := enginetest.Connect(t)
	b := bed{Engine: eng, image: "travois-test/bed-" + strings.ToLower(t.Name()) + ":1", labels: map[string]string{testLabel: t.Name()}}
	one := engine.Image{Build: build(enginetest.Context(t), "bed"), Names: []string{b.image}, Output: io.Discard}
	if _, err := eng.Build(t.Context(), []engine.Image{one}, nobody); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if _, err := eng.Sweep(ctx, testLabel+"="+t.Name()); err != nil {
			t.Error(err)
		}
		removeImages(t, eng, b.image)
	})
	network, err := eng.CreateNetwork(t.Context(), "travois-test-"+strings.ToLower(t.Name()), b.labels)
	if err != nil {
		t.Fatal(err)
	}
	b.network = network
	return b
}

// create makes a container; what it runs is a command of the test program.
func (b bed) create(t *testing.T, spec engine.Container, command ...string) *engine.Instance {
	t.Helper()
	spec.Image, spec.Labels, spec.Command = b.image, b.labels, command
	instance, err := b.Create(t.Context(), spec)
	if err != nil {
		t.Fatal(err)
	}
	return instance
}

// ends runs a container to its end, and gives what it printed.
func (b bed) ends(t *testing.T, spec engine.Container, command ...string) (engine.Exit, string) {
	t.Helper()
	instance := b.create(t, spec, command...)
	var output bytes.Buffer
	if err := instance.Start(t.Context(), &output); err != nil {
		t.Fatal(err)
	}
	exit, err := instance.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return exit, output.String()
}

func TestSettings(t *testing.T) {
	b := newBed(t)
	init := true
	for _, c := range []struct {
		name    string
		spec    engine.Container
		command []string
		want    string
		exit    engine.Exit
	}{
		{"user, tmpfs, working directory", engine.Container{User: "7:8", Tmpfs: map[string]string{"/t": "mode=1777"}, WorkingDir: "/"}, []string{"file=/t/x:y", "stat=t/x"}, "t/x is -rw-r--r-- of 7\n", engine.Exit{}},
		{"extra hosts", engine.Container{ExtraHosts: []string{"far:10.9.8.7"}}, []string{"lookup=far"}, "", engine.Exit{}},
		{"hostname", engine.Container{Hostname: "here"}, []string{"read=/etc/hostname"}, "here\n\n", engine.Exit{}},
		{"read only", engine.Container{ReadOnly: true}, []string{"file=/x:y"}, "open /x: read-only file system\n", engine.Exit{Code: 2}},
		{"memory", engine.Container{Memory: 20 << 20, MemorySwap: 20 << 20}, []string{"wait=500ms", "child=alloc=200"}, "", engine.Exit{Code: 137, OOMKilled: true}},
		{"init hands signals on", engine.Container{Init: &init}, []string{"signal=15"}, "", engine.Exit{Code: 143}},
		{"limits", engine.Container{Ulimits: map[string]engine.Ulimit{"nofile": {Soft: 99, Hard: 99}}, PidsLimit: 50, ShmSize: 1 << 20, NanoCPUs: 5e8}, []string{"read=/proc/self/limits"}, "Max open files            99                   99", engine.Exit{}},
	} {
		exit, output := b.ends(t, c.spec, c.command...)
		if exit != c.exit || output != c.want && (len(c.want) < 20 || !strings.Contains(output, c.want)) {
			t.Errorf("%s: %+v, output %q, want %+v and %q", c.name, exit, output, c.exit, c.want)
		}
	}
}

// TestNetwork shows that containers find each other by their aliases, that a
// volume is shared, and that a sweep takes all of it away and nothing else.
func TestNetwork(t *testing.T) {
	b := newBed(t)
	volume := "travois-test-" + strings.ToLower(t.Name())
	if err := b.CreateVolume(t.Context(), volume, b.labels); err != nil {
		t.Fatal(err)
	}
	second, err := b.CreateNetwork(t.Context(), volume+"-2", b.labels)
	if err != nil {
		t.Fatal(err)
	}
	shared := []engine.Volume{{Name: volume, Target: "/data"}, {Target: "/own"}}
	server := b.create(t, engine.Container{
		Networks: []engine.Attachment{{Network: b.network, Aliases: []string{"db", "store"}}, {Network: second, Aliases: []string{"other"}}}, Volumes: shared,
	}, "file=/data/x:from the server", "file=/own/x:y", "print=up", "serve=answer")
	if err := server.Start(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	exit, output := b.ends(t, engine.Container{Networks: []engine.Attachment{{Network: b.network}}, Volumes: shared},
		"await=/data/x", "read=/data/x", "lookup=db", "probe=store:80", "read=/own/x")
	const complaint = "open /own/x: no such file or directory\n" // on the other stream, so at any place
	if exit.Code != 2 || !strings.Contains(output, complaint) || strings.Replace(output, complaint, "", 1) != "from the server\nanswer\n" {
		t.Errorf("%+v, output %q", exit, output)
	}
	if exit, _ := b.ends(t, engine.Container{}, "lookup=db"); exit.Code == 0 {
		t.Error("a container outside of the network finds one in it")
	}
	if swept, err := b.Sweep(t.Context(), testLabel+"=somebody else"); err != nil || swept != (engine.Swept{}) {
		t.Errorf("another label: swept %+v, %v", swept, err)
	}
	want := engine.Swept{Containers: 3, Networks: 2, Volumes: 1}
	if swept, err := b.Sweep(t.Context(), testLabel+"="+t.Name()); err != nil || swept != want {
		t.Errorf("swept %+v, %v, want %+v", swept, err, want)
	}
	if left, err := b.Leftovers(t.Context(), testLabel+"="+t.Name()); err != nil || len(left.Containers)+len(left.Networks)+len(left.Volumes) > 0 {
		t.Errorf("left %+v, %v", left, err)
	}
}

func TestStartErrors(t *testing.T) {
	b := newBed(t)
	for entrypoint, want := range map[string]int{"/nowhere": 127, "/etc": 126} {
		instance := b.create(t, engine.Container{Entrypoint: []string{entrypoint}})
		err := instance.Start(t.Context(), io.Discard)
		var failed *engine.StartError
		if !errors.As(err, &failed) || failed.Code != want {
			t.Errorf("%s: got %v, want code %d", entrypoint, err, want)
		}
	}
}

func TestHealth(t *testing.T) {
	b := newBed(t)
	check := func(arguments ...string) *engine.Health {
		return &engine.Health{Test: append([]string{"CMD", "/program"}, arguments...), Interval: 100 * time.Millisecond, Retries: 2}
	}
	for name, c := range map[string]struct {
		health  *engine.Health
		command string
		want    string
	}{
		"healthy":   {check(), "wait=5m", ""},
		"unhealthy": {check("print=no disk", "exit=3"), "wait=5m", "is unhealthy: its healthcheck ends with 3: no disk"},
		"ended":     {check("exit=1"), "exit=4", "ended with exit code 4 before it was healthy"},
		"no check":  {nil, "wait=5m", "has no healthcheck"},
		"disabled":  {&engine.Health{Test: []string{"NONE"}}, "wait=5m", "has no healthcheck"},
	} {
		instance := b.create(t, engine.Container{Health: c.health}, c.command)
		if err := instance.Start(t.Context(), io.Discard); err != nil {
			t.Fatal(err)
		}
		err := instance.AwaitHealthy(t.Context())
		if c.want == "" && err != nil || c.want != "" && (err == nil || err.Error() != c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestStartIntervalNeedsEngine25(t *testing.T) {
	b := newBed(t)
	_, err := b.Create(t.Context(), engine.Container{Image: b.image, Labels: b.labels, Health: &engine.Health{Test: []string{"CMD", "/program"}, StartInterval: time.Second}})
	old := strings.HasPrefix(b.Version, "2") && b.Version < "25"
	if old && (err == nil || !strings.Contains(err.Error(), "start_interval needs engine 25")) || !old && err != nil {
		t.Errorf("engine %s: got %v", b.Version, err)
	}
}

func TestKill(t *testing.T) {
	b := newBed(t)
	instance := b.create(t, engine.Container{}, "wait=5m")
	if err := instance.Kill(t.Context()); err != nil {
		t.Errorf("before the start: %v", err)
	}
	if err := instance.Start(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := instance.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if err := instance.Kill(t.Context()); err != nil {
		t.Error(err)
	}
	if exit, err := instance.Wait(t.Context()); err != nil || exit.Code != 137 || exit.OOMKilled {
		t.Errorf("got %+v, %v", exit, err)
	}
	if err := instance.Kill(t.Context()); err != nil {
		t.Errorf("after the end: %v", err)
	}
}

func TestCopy(t *testing.T) {
	b := newBed(t)
	instance := b.create(t, engine.Container{}, "read=/new/deep/in.txt", "stat=/tmp", "file=/out/a.txt:one", "file=/out/d/b.txt:two")
	var in bytes.Buffer
	archive := tar.NewWriter(&in)
	if err := archive.WriteHeader(&tar.Header{Name: "in.txt", Mode: 0o644, Size: 5}); err != nil {
		t.Fatal(err)
	}
	if _, err := archive.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := instance.CopyIn(t.Context(), "/new/deep", bytes.NewReader(in.Bytes())); err != nil {
		t.Fatal(err)
	}
	if err := instance.CopyIn(t.Context(), "/tmp", tarFolder(t, "made/", 0o1777)); err != nil {
		t.Fatal(err)
	}
	var output bytes.Buffer
	if err := instance.Start(t.Context(), &output); err != nil {
		t.Fatal(err)
	}
	if exit, err := instance.Wait(t.Context()); err != nil || exit.Code != 0 || !strings.HasPrefix(output.String(), "hello\n") {
		t.Fatalf("%+v, %v, output %q", exit, err, &output)
	}
	stream, err := instance.CopyOut(t.Context(), "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	if got, want := names(t, stream), "out/ out/a.txt out/d/ out/d/b.txt"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, err := instance.CopyOut(t.Context(), "/nowhere"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

func tarFolder(t *testing.T, name string, mode int64) io.Reader {
	t.Helper()
	var all bytes.Buffer
	archive := tar.NewWriter(&all)
	if err := errors.Join(archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: name, Mode: mode}), archive.Close()); err != nil {
		t.Fatal(err)
	}
	return &all
}

func names(t *testing.T, stream io.Reader) string {
	t.Helper()
	var all []string
	for entries := tar.NewReader(stream); ; {
		header, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return strings.Join(all, " ")
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, header.Name)
	}
}

func TestCreateErrors(t *testing.T) {
	eng := enginetest.Connect(t)
	if _, err := eng.Create(t.Context(), engine.Container{Image: "travois-test/none:1"}); err == nil || !strings.Contains(err.Error(), "create the container") {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, make := range map[string]func() error{
		"container": func() error { _, err := eng.Create(ctx, engine.Container{Image: "x"}); return err },
		"network":   func() error { _, err := eng.CreateNetwork(ctx, "x", nil); return err },
		"volume":    func() error { return eng.CreateVolume(ctx, "x", nil) },
	} {
		if err := make(); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
