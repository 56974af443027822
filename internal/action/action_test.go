package action_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/place"
)

// plain replaces the random tokens of the guard.
func plain(log string) string {
	token := regexp.MustCompile(`::stop-commands::(\w+)`).FindAllStringSubmatch(log, -1)
	for i, found := range token {
		log = strings.ReplaceAll(log, found[1], fmt.Sprintf("T%d", i+1))
	}
	return log
}

func TestRunPrintsEveryProblem(t *testing.T) {
	var out bytes.Buffer
	r := action.NewRunner(nil, &out)
	code := r.Run(t.Context(), func(context.Context, *action.Runner) error {
		r.Log.Printf("::error::not ours")
		return fmt.Errorf("outer: %w", errors.Join(errors.New("never split")))
	})
	want := "::stop-commands::T1\n::error::not ours\n::T1::\n::error::outer: never split\n"
	if diff := cmp.Diff(want, plain(out.String())); code != 1 || diff != "" {
		t.Errorf("code %d, log (-want +got):\n%s", code, diff)
	}
	out.Reset()
	code = r.Run(t.Context(), func(context.Context, *action.Runner) error {
		return errors.Join(errors.New("a"), errors.Join(place.At("f.yml", 3, errors.New("b\nc")), action.BadInput("tags", "d")))
	})
	want = "::error::a\n::error file=f.yml,line=3::f.yml:3: b%0Ac\n::error::input tags: d\n"
	if diff := cmp.Diff(want, out.String()); code != 1 || diff != "" {
		t.Errorf("code %d, log (-want +got):\n%s", code, diff)
	}
}

func TestRunExitCodes(t *testing.T) {
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		ctx  context.Context
		err  error
		code int
		log  string
	}{
		{t.Context(), nil, 0, ""},
		{t.Context(), fmt.Errorf("x: %w", action.ErrVerdict), 1, ""},
		{cancelled, fmt.Errorf("build: %w", context.Canceled), 1, "::error::cancelled\n"},
	} {
		var out bytes.Buffer
		code := action.NewRunner(nil, &out).Run(c.ctx, func(context.Context, *action.Runner) error { return c.err })
		if code != c.code || out.String() != c.log {
			t.Errorf("%v: code %d, log %q; want %d, %q", c.err, code, out.String(), c.code, c.log)
		}
	}
}

type config struct {
	Services string        `env:"SERVICES,notEmpty"`
	Push     bool          `env:"PUSH" envDefault:"true"`
	Timeout  time.Duration `env:"IDLE-TIMEOUT" envDefault:"10m"`
	Lines    action.Lines  `env:"TAGS"`
	Vars     action.Pairs  `env:"VARS"`
	Nested
}

type Nested struct {
	Password action.Secret `env:"PASSWORD"`
}

func TestInputs(t *testing.T) {
	var out bytes.Buffer
	r := action.NewRunner([]string{
		"INPUT_SERVICES=  web:\n    build: .\n", "INPUT_PUSH=", "INPUT_TAGS=\n a \n\nb\n", "INPUT_VARS=A=1=2\n\nB=",
		"INPUT_PASSWORD= hunter-of-words\n", "INPUT_IDLE-TIMEOUT= 90s ",
	}, &out)
	var got config
	if err := r.Inputs(&got); err != nil {
		t.Fatal(err)
	}
	want := config{
		Services: "  web:\n    build: .", Push: true, Timeout: 90 * time.Second, Lines: action.Lines{"a", "b"},
		Vars: action.Pairs{"A": "1=2", "B": ""}, Nested: Nested{Password: "hunter-of-words"},
	}
	if got.Password != want.Password || got.Services != want.Services || got.Push != want.Push || got.Timeout != want.Timeout ||
		cmp.Diff(want.Lines, got.Lines) != "" || cmp.Diff(want.Vars, got.Vars) != "" {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", got, got, got, got.Password); strings.Contains(shown, "hunter") {
		t.Errorf("formats show the secret: %s", shown)
	}
	r.Log.Printf("the word is hunter-of-words.")
	if diff := cmp.Diff("::add-mask::hunter-of-words\n::stop-commands::T1\nthe word is ***.\n", plain(out.String())); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
}

func TestInputsReportsAllAtOnce(t *testing.T) {
	r := action.NewRunner([]string{"INPUT_PUSH=yess", "INPUT_IDLE-TIMEOUT=10", "INPUT_VARS=A=1\nnonsense\n"}, &bytes.Buffer{})
	err := r.Inputs(&config{})
	want := `input services: is empty; give it a value under ` + "`with:`" + `
input push: "yess" is neither true nor false
input idle-timeout: "10" is no duration; write it as 90s, 10m or 1h30m
input vars: line 2 is not KEY=VALUE`
	if err == nil || err.Error() != want {
		t.Errorf("got:\n%v\nwant:\n%s", err, want)
	}
}

func TestInputNames(t *testing.T) {
	got, err := action.InputNames(&config{})
	want := map[string]string{"services": "", "push": "true", "idle-timeout": "10m", "tags": "", "vars": "", "password": ""}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
}

func TestWriterIsInert(t *testing.T) {
	var out bytes.Buffer
	log := action.NewLog(&out)
	log.Mask("long-secret-value\nsecond line")
	log.Group("suite ::x")
	w := log.Writer("web | ")
	for _, piece := range []string{"::error::no", "pe\n##[group]x long-sec", "ret-value\r\n\x00\xff binary\nsecond line unfinished"} {
		if _, err := fmt.Fprint(w, piece); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	log.EndGroup()
	want := "::add-mask::long-secret-value\n::add-mask::second line\n::group::suite ::x\n::stop-commands::T1\n" +
		"web | ::error::nope\nweb | ##[group]x ***\r\nweb | \x00\xff binary\nweb | *** unfinished\n::T1::\n::endgroup::\n"
	if got := plain(out.String()); got != want {
		t.Errorf("got:\n%q\nwant:\n%q", got, want)
	}
}

func TestOutputsAndSummary(t *testing.T) {
	dir := t.TempDir()
	outputs, summary := filepath.Join(dir, "out"), filepath.Join(dir, "summary")
	r := action.NewRunner([]string{"GITHUB_OUTPUT=" + outputs, "GITHUB_STEP_SUMMARY=" + summary}, &bytes.Buffer{})
	r.Log.Mask("sesame-street")
	o := action.Outputs{"result": "passed"}
	o.JSON("tags", map[string]string{"b": "2", "a": "1"})
	if err := errors.Join(r.SetOutputs(o), r.AddSummary("## hi sesame-street")); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("result=passed\ntags={\"a\":\"1\",\"b\":\"2\"}\n", read(t, outputs)); diff != "" {
		t.Errorf("outputs (-want +got):\n%s", diff)
	}
	if got := read(t, summary); got != "## hi ***\n" {
		t.Errorf("summary %q", got)
	}
	if err := r.SetOutputs(action.Outputs{"x": "a\nb"}); err == nil {
		t.Error("an output of two lines passes")
	}
	unwritable := action.NewRunner([]string{"GITHUB_OUTPUT=" + filepath.Join(dir, "none", "x")}, &bytes.Buffer{})
	if err := unwritable.SetOutputs(o); err == nil {
		t.Error("an output file that can't be written passes")
	}
}

func TestCutSummary(t *testing.T) {
	got := action.CutSummary(strings.Repeat("0123456789\n", 200_000))
	if len(got) >= action.MaxSummary || !strings.Contains(got, "Cut: the summary") || strings.Contains(got, "012\n") {
		t.Errorf("%d bytes, end %q", len(got), got[len(got)-120:])
	}
}

// TestCutSummaryFolded shows that the note is not swallowed by what is cut.
func TestCutSummaryFolded(t *testing.T) {
	part := "<details><summary>a test</summary>\n\n```\n" + strings.Repeat("at frame\n", 5000) + "```\n\n</details>\n"
	got := action.CutSummary(strings.Repeat(part, 100))
	if len(got) >= action.MaxSummary || strings.Count(got, "<details>") != strings.Count(got, "</details>") || strings.Count(got, "```")%2 != 0 {
		t.Errorf("%d bytes, end %q", len(got), got[len(got)-200:])
	}
}

func TestTrigger(t *testing.T) {
	dir := t.TempDir()
	event := filepath.Join(dir, "event.json")
	write(t, event, `{"head_commit":{"id":"abc","message":"Fix it\n\nmore","timestamp":"2026-02-01T10:00:00+09:00"},"repository":{"default_branch":"trunk"}}`)
	fork := filepath.Join(dir, "fork.json")
	write(t, fork, `{"pull_request":{"number":8,"head":{"sha":"def"}},"repository":{"default_branch":"trunk"}}`)
	base := []string{"GITHUB_WORKSPACE=" + dir, "GITHUB_SHA=abc", "GITHUB_REPOSITORY=guk0/app", "GITHUB_SERVER_URL=https://github.com"}
	at := time.Date(2026, 2, 1, 1, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		name   string
		env    []string
		inputs action.CommitInputs
		want   action.Trigger
	}{
		{"push", []string{"GITHUB_EVENT_NAME=push", "GITHUB_REF=refs/heads/a/b", "GITHUB_EVENT_PATH=" + event}, action.CommitInputs{DefaultBranch: "other"},
			action.Trigger{Event: "push", Branch: "a/b", DefaultBranch: "trunk", Subject: "Fix it", Date: at}},
		{"tag", []string{"GITHUB_EVENT_NAME=push", "GITHUB_REF=refs/tags/v1.2", "GITHUB_EVENT_PATH=" + event}, action.CommitInputs{},
			action.Trigger{Event: "push", Tag: "v1.2", DefaultBranch: "trunk", Subject: "Fix it", Date: at}},
		{"pull request", []string{"GITHUB_EVENT_NAME=pull_request", "GITHUB_REF=refs/pull/7/merge", "GITHUB_HEAD_REF=topic"}, action.CommitInputs{},
			action.Trigger{Event: "pull_request", PullRequest: 7, Branch: "topic"}},
		{"schedule, whose event says nothing", []string{"GITHUB_EVENT_NAME=schedule", "GITHUB_REF=refs/heads/trunk"}, action.CommitInputs{},
			action.Trigger{Event: "schedule", Branch: "trunk", DefaultBranch: "trunk"}},
		{"act, empty event", []string{"GITHUB_EVENT_NAME=push", "GITHUB_REF=refs/heads/main", "GITHUB_EVENT_PATH=" + filepath.Join(dir, "none")},
			action.CommitInputs{CommitMessage: "From the context", DefaultBranch: "main"},
			action.Trigger{Event: "push", Branch: "main", DefaultBranch: "main", Subject: "From the context"}},
		{"pull request of the base's workflow", []string{"GITHUB_EVENT_NAME=pull_request_target", "GITHUB_REF=refs/heads/trunk", "GITHUB_HEAD_REF=topic", "GITHUB_EVENT_PATH=" + fork},
			action.CommitInputs{}, action.Trigger{Event: "pull_request_target", SHA: "def", PullRequest: 8, Branch: "topic", DefaultBranch: "trunk"}},
		{"the same under act", []string{"GITHUB_EVENT_NAME=pull_request_target", "GITHUB_REF=refs/heads/trunk", "GITHUB_HEAD_REF=topic"},
			action.CommitInputs{}, action.Trigger{Event: "pull_request_target", Branch: "topic"}},
	} {
		if c.want.SHA == "" {
			c.want.SHA = "abc"
		}
		c.want.Repository, c.want.URL = "guk0/app", "https://github.com/guk0/app"
		got, err := action.NewRunner(append(c.env, base...), &bytes.Buffer{}).Trigger(c.inputs)
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", c.name, err, diff)
		}
	}
	write(t, event, "{")
	if _, err := action.NewRunner([]string{"GITHUB_EVENT_PATH=" + event}, &bytes.Buffer{}).Trigger(action.CommitInputs{}); err == nil {
		t.Error("a broken event file passes")
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
