package buildpush

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/enginetest"
)

// told are the errors that the user reads, without what differs between runs.
func (b *pushBench) told(log string) []string {
	var told []string
	for _, found := range regexp.MustCompile(`(?m)^::error::(.*)$`).FindAllStringSubmatch(log, -1) {
		text := strings.ReplaceAll(found[1], b.host, "REGISTRY")
		for pattern, name := range map[string]string{`engine [0-9][\w.+-]*`: "engine VERSION", `buildkit:v[0-9.]*`: "buildkit:VERSION", `sha256:[0-9a-f]{64}`: "DIGEST"} {
			text = regexp.MustCompile(pattern).ReplaceAllString(text, name)
		}
		told = append(told, text)
	}
	return told
}

// nothingUp fails where a step that failed hands something on, or has moved a
// tag.
func (b *pushBench) nothingUp(t *testing.T, outputs map[string]string, log string, code int) {
	t.Helper()
	if outputs["result"] != failed || outputs["pushed"] != "false" || code != 1 || outputs["images"] != "{}" || outputs["digests"] != "{}" {
		t.Errorf("exit %d, outputs %v\n%s", code, outputs, log)
	}
	if moved := b.registry.Asked("PUT .*/manifests/(main|latest)"); moved > 0 {
		t.Errorf("%d tags were moved\n%s", moved, log)
	}
}

// once does something when a text is first written.
type once struct {
	text string
	do   func()
}

func (o *once) Write(written []byte) (int, error) {
	if o.do != nil && bytes.Contains(written, []byte(o.text)) {
		o.do()
		o.do = nil
	}
	return len(written), nil
}

// TestEngineStops shows that an engine which goes away while it builds or while
// it pushes ends the step with one error, and that no tag moves.
func TestEngineStops(t *testing.T) {
	for _, in := range []string{"build", "push"} {
		t.Run(in, func(t *testing.T) {
			eachBuilder(t, func(t *testing.T, b *pushBench) {
				host, who := b.engine, "engine VERSION"
				if b.builder == builderContainer {
					who = "a builder of moby/buildkit:VERSION"
					t.Cleanup(func() { b.sweep(t, host) })
				}
				b.services = "one: {image: guk0/one, build: .}\ntwo: {image: guk0/two, build: .}"
				between := enginetest.Between(t, host)
				b.engine = between.Host
				if in == "build" {
					enginetest.Write(t, filepath.Join(b.dir, "Dockerfile"), "FROM scratch\nCOPY content program /\nRUN [\"/program\", \"wait=1m\"]\n")
					if err := enginetest.Program(filepath.Join(b.dir, "program")); err != nil {
						t.Fatal(err)
					}
					b.also = &once{"[2/2] RUN", between.Cut}
				}
				next := b.registry.Next
				b.registry.Next = http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
					if request.Method == http.MethodPut {
						between.Cut()
					}
					next.ServeHTTP(w, request)
				})
				outputs, log, code := b.run(t, firstSHA)
				b.nothingUp(t, outputs, log, code)
				subject := map[string]string{"build": `build "(one|two)"`, "push": "push REGISTRY/guk0/(one|two):sha-0123456789ab"}[in]
				want := "^" + subject + ": " + who + ` went away \([^()]+\): see whether it was stopped, or ran out of memory or disk, and run the job again$`
				if told := b.told(log); len(told) != 1 || !regexp.MustCompile(want).MatchString(told[0]) {
					t.Errorf("told %q, want %s\n%s", told, want, log)
				}
			})
		})
	}
}

// sweep takes away the builder that could not be, as the step's end does.
func (b *pushBench) sweep(t *testing.T, host string) {
	r := action.NewRunner([]string{"GITHUB_WORKSPACE=" + b.dir, "INPUT_BUILDER=" + b.builder, "DOCKER_HOST=" + host, "GITHUB_RUN_ID=" + b.host}, io.Discard)
	if err := sweep(context.Background(), r); err != nil {
		t.Error(err)
	}
}
