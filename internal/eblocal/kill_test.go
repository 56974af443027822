package eblocal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	ebtypes "github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// killedDir is where the tests' own binary finds the state, when it is started
// as a server that is to be killed.
const killedDir = "EBLOCAL_TEST_STATE"

func TestMain(m *testing.M) {
	if dir := os.Getenv(killedDir); dir != "" {
		serveUntilKilled(dir)
		return
	}
	os.Exit(m.Run())
}

func killedOptions(dir string) Options {
	return Options{
		App: testApp, Env: testEnv, Region: "ap-northeast-2", StateDir: dir, Environ: os.Environ(),
		HealthTimeout: time.Minute, Settle: time.Second, Watch: 200 * time.Millisecond, Log: os.Stderr,
		Faults: Faults{Processing: time.Hour},
	}
}

// serveUntilKilled prints where it serves.
func serveUntilKilled(dir string) {
	s, err := New(killedOptions(dir))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(httptest.NewServer(s.Handler()).URL)
	select {}
}

// child starts such a server; kill ends it as nothing can prepare for.
func child(t *testing.T, dir string) (b *bench, kill func()) {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0])
	command.Env, command.Stderr = append(os.Environ(), killedDir+"="+dir), t.Output()
	out, err := command.StdoutPipe()
	if err == nil {
		err = command.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	kill = func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	}
	t.Cleanup(kill)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatalf("the server did not start: %v", err)
	}
	url := strings.TrimSpace(line)
	return benchFor(t, &Server{id: identity(killedOptions(dir)), opts: killedOptions(dir)}, url), kill
}

// TestKilled kills the process while an update runs whose new instance does not
// answer yet, and while a version is processed.
func TestKilled(t *testing.T) {
	t.Parallel()
	images := newSite(t)
	dir := t.TempDir()
	bundle := func(image string) map[string]string {
		return map[string]string{composeFile: "services:\n  web:\n    image: " + image + "\n    ports: ['80:8000']\n    env_file: .env\n"}
	}
	b, kill := child(t, dir)
	b.version("v1", bundle(images.push("web:1", "PORT=8000", "TEXT=one")))
	b.version("v2", bundle(images.push("web:silent", "PORT=9000", "TEXT=silent")))
	b.version("v3", bundle(images.push("web:3", "PORT=8000", "TEXT=three")))
	b.update(&elasticbeanstalk.UpdateEnvironmentInput{VersionLabel: aws.String("v1"), OptionSettings: property("PROPERTY", "kept")})
	b.awaitReady()
	in := b.versionInput("v4")
	in.SourceBundle.S3Key, in.Process, in.Tags = aws.String("v3.zip"), aws.Bool(true), []ebtypes.Tag{{Key: aws.String("sha"), Value: aws.String("abc")}}
	if _, err := b.eb.CreateApplicationVersion(t.Context(), in); err != nil {
		t.Fatal(err)
	}
	id := b.update(&elasticbeanstalk.UpdateEnvironmentInput{VersionLabel: aws.String("v2")})
	await(t, "the containers of both versions", func() (bool, string) {
		found := b.objects("container")
		return len(strings.Fields(found)) == 2, found
	})
	before := b.events(id)
	kill()

	again := onEngine(t, killedOptions(dir))
	again.mustServe("text=one property=kept")
	if e := again.environment(); aws.ToString(e.VersionLabel) != "v1" || e.Status != "Ready" || e.Health != "Green" {
		t.Errorf("label %s, %s, %s; expected v1, Ready and Green", aws.ToString(e.VersionLabel), e.Status, e.Health)
	}
	events := again.events(id)
	if len(events) <= len(before) || !slices.Equal(events[:len(before)], before) {
		t.Errorf("events of the update: %q; expected those of before and more: %q", events, before)
	}
	mustContain(t, "events", strings.Join(events, "\n"), "cut off", "ERROR Failed to deploy application.")
	if left := strings.Fields(again.objects("container")); len(left) != 1 {
		t.Errorf("%d containers are left, expected that of v1 only", len(left))
	}
	if got := again.versions(&elasticbeanstalk.DescribeApplicationVersionsInput{}); !slices.Equal(got, []string{"v4", "v3", "v2", "v1"}) {
		t.Errorf("versions %v", got)
	}
	again.deployed("v4") // it was processed by the new process
	again.mustServe("text=three property=kept")
}

// TestRunIsKnownBeforeItStarts looks at the state on the disk while containers are made.
func TestRunIsKnownBeforeItStarts(t *testing.T) {
	t.Parallel()
	b, f := faked(t)
	known := func(name string) bool {
		st, err := loadState(b.opts.StateDir)
		if err != nil {
			t.Error(err)
			return false
		}
		return st.Launches > 0 && slices.ContainsFunc(st.Envs[0].Starting, func(r run) bool { return r.Name == name })
	}
	f.set(func() {
		f.onStart = func(_ context.Context, l Launch) error {
			if !known(l.Name) {
				t.Errorf("run %s is started, but not known", l.Name)
			}
			return nil
		}
	})
	b.version("v1", webBundle())
	b.deployed("v1")
	b.mu.Lock()
	defer b.mu.Unlock()
	if left := b.own().Starting; len(left) != 0 {
		t.Errorf("still starting: %v", left)
	}
}

// TestWhatIsStuckIsRemovedLater has an engine that does not remove what an update
// in place leaves behind.
func TestWhatIsStuckIsRemovedLater(t *testing.T) {
	t.Parallel()
	f := newFakeRunner(t)
	opts := testOptions(t)
	opts.Runner = f
	first, err := New(opts)
	if err != nil {
		t.Fatal(err)
	}
	api := httptest.NewServer(audited(t, first.Handler()))
	b := benchFor(t, first, api.URL)
	b.version("v1", webBundle())
	b.version("v2", webBundle())
	b.update(&elasticbeanstalk.UpdateEnvironmentInput{VersionLabel: aws.String("v1"), OptionSettings: option(commandNamespace, "DeploymentPolicy", allAtOnce)})
	b.awaitReady()
	f.set(func() { f.stuck = errors.New("device or resource busy") })
	mustContain(t, "events", strings.Join(b.deployed("v2"), "\n"), "device or resource busy", "Environment update completed successfully.")
	if got := f.instances(); len(got) != 2 {
		t.Errorf("instances %v, expected that the one of before is stuck", got)
	}
	api.Close()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	f.set(func() { f.stuck = nil })
	serve(t, opts)
	if got := f.instances(); len(got) != 1 || !strings.HasSuffix(got[0], "-2") {
		t.Errorf("instances after another start: %v, expected the second only", got)
	}
}
