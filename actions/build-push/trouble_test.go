package buildpush

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/enginetest"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry/registrytest"
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
				t.Parallel()
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

// TestTroublesTold shows what the user reads of registries that refuse, or take a
// connection and say nothing, in the middle of a push: one error, after a time
// that has a bound, with nothing handed on and no tag moved.
func TestTroublesTold(t *testing.T) {
	const (
		subject = "push REGISTRY/guk0/one:sha-0123456789ab: "
		hung    = "heard nothing for 2s (tried 2 times): registry REGISTRY took the connection and does not go on; look at its status, or at what stands between, and run the job again"
		refuses = ": registry REGISTRY refuses to push to guk0/one what it allowed before the build; see that the login lasts as long as the build, and what its token may do"
	)
	said := map[string]string{"classic": "unknown: ", "containerd": "error from registry: ", "builder": "unknown: "}
	layer := regexp.MustCompile(`/blobs/uploads/`)
	eachBuilder(t, func(t *testing.T, b *pushBench) {
		t.Parallel()
		kind := filepath.Base(t.Name())
		for _, c := range []struct {
			name, want string
			fault      registrytest.Fault
		}{
			{"hangs at layers", hung, registrytest.Fault{Method: http.MethodPost, Path: layer, Times: -1, Hangs: true}},
			{"hangs at manifests", hung, registrytest.Fault{Method: http.MethodPut, Path: manifests, Times: -1, Hangs: true}},
			{"401", said[kind] + "Unauthorized" + refuses, registrytest.Fault{Method: http.MethodPut, Path: manifests, Times: -1, Status: 401}},
			{"403", said[kind] + "Forbidden" + refuses, registrytest.Fault{Method: http.MethodPut, Path: manifests, Times: -1, Status: 403}},
		} {
			t.Run(c.name, func(t *testing.T) {
				outputs, log, code := b.impatient(t, c.fault)
				b.nothingUp(t, outputs, log, code)
				if told := strings.Join(b.told(log), "\n"); told != subject+c.want {
					t.Errorf("told %s\nwant %s%s\n%s", told, subject, c.want, log)
				}
			})
		}
		t.Run("hangs once", func(t *testing.T) {
			if outputs, log, code := b.impatient(t, registrytest.Fault{Method: http.MethodPut, Path: manifests, Times: 1, Hangs: true}); code != 0 {
				t.Errorf("exit %d, outputs %v\n%s", code, outputs, log)
			}
		})
	})
}

// impatient runs the action with a registry that has trouble from the first
// build on, and gives up a push after two seconds in which nothing is heard.
func (b *pushBench) impatient(t *testing.T, fault registrytest.Fault) (outputs map[string]string, log string, code int) {
	t.Helper()
	b.change(t)
	b.registry.Set()
	return b.do(t, firstSHA, func(ctx context.Context, r *action.Runner) error {
		p, err := prepare(ctx, r)
		if err != nil {
			return err
		}
		s, err := preflight(ctx, p)
		if err != nil {
			return err
		}
		s.builder.Silence = 2 * time.Second
		b.registry.Set(fault)
		done, err := s.execute(ctx)
		return finish(r, done, errors.Join(err, s.builder.close(ctx)))
	})
}

// TestPushWaits shows that a push that was told "too many requests" is begun again
// after the pause that the registry asks for, although the engine keeps it to
// itself.
func TestPushWaits(t *testing.T) {
	const limit = 4 * time.Second
	eachBuilder(t, func(t *testing.T, b *pushBench) {
		t.Parallel()
		var mu sync.Mutex
		var since time.Time // the first manifest
		var early []string
		next := b.registry.Next
		b.registry.Next = http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
			mu.Lock()
			if since.IsZero() && request.Method == http.MethodPut && manifests.MatchString(request.URL.Path) {
				since = time.Now()
			}
			passed := time.Since(since)
			limited := !since.IsZero() && passed < limit
			isOurs := strings.HasPrefix(strings.ToLower(request.UserAgent()), "go-") // Go-http-client and go-containerregistry
			if !isOurs && limited && passed > pushPause/2 {                          // An engine itself tries again at once.
				early = append(early, passed.String())
			}
			mu.Unlock()
			if !limited {
				next.ServeHTTP(w, request)
				return
			}
			w.Header().Set("Retry-After", strconv.Itoa(int((limit-passed)/time.Second)+1))
			w.WriteHeader(http.StatusTooManyRequests)
		})
		if outputs, log, code := b.run(t, firstSHA); code != 0 || len(early) > 0 {
			t.Errorf("exit %d, pushed again after %v, outputs %v\n%s", code, early, outputs, log)
		}
	})
}

// TestUnsent shows what the user reads of pushes that failed for good.
func TestUnsent(t *testing.T) {
	reference := image.Reference{Registry: "registry.example", Repository: "guk0/denied", Tag: "1"}
	for _, c := range []struct{ text, want string }{
		{"received unexpected HTTP status: 503 Service Unavailable", " (tried 5 times): registry registry.example is asked too often or is not well; run the job again later"},
		{"toomanyrequests: retry-after: 12.5ms, allowed: 2000/minute", " (tried 5 times): registry registry.example is asked too often or is not well; run the job again later"},
		{"received unexpected HTTP status: 500 Internal Server Error", " (tried 5 times): registry registry.example is not well, or the line to it; run the job again, and look at the registry's status if that lasts"},
		{"write tcp: connection reset by peer", " (tried 5 times): registry registry.example is not well, or the line to it; run the job again, and look at the registry's status if that lasts"},
		{"denied: requested access to the resource is denied", ": registry registry.example refuses to push to guk0/denied what it allowed before the build; see that the login lasts as long as the build, and what its token may do"},
		{"tag invalid: the repository is immutable", ": it has the tag already and keeps tags as they are: give only tags that no other commit has in the input tags, as sha-{sha}, or let tags be overwritten in the repository's settings"},
		{"blob unknown", ""},
	} {
		err := fmt.Errorf("push %s: %w", reference, errors.New(c.text))
		if got, want := unsent(reference, triesOf(err), err), err.Error()+c.want; got.Error() != want || !errors.Is(got, err) {
			t.Errorf("got %v\nwant %s", got, want)
		}
	}
}

// sweep takes away the builder that could not be, as the step's end does.
func (b *pushBench) sweep(t *testing.T, host string) {
	r := action.NewRunner([]string{"GITHUB_WORKSPACE=" + b.dir, "INPUT_BUILDER=" + b.builder, "DOCKER_HOST=" + host, "GITHUB_RUN_ID=" + b.host}, io.Discard)
	if err := sweep(context.Background(), r); err != nil {
		t.Error(err)
	}
}
