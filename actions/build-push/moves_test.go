package buildpush

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/enginetest"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
	"github.com/guk0/travois/internal/registry/registrytest"
)

func TestLasting(t *testing.T) {
	trigger := action.Trigger{Branch: "main", DefaultBranch: "main", SHA: sha, RunNumber: "7"}
	for _, c := range []struct {
		lines []string
		want  string
	}{
		{[]string{"latest"}, ""},
		{[]string{"{version}", "{branch}", "latest"}, ""},
		{[]string{"{version}", "{branch}", "sha-{sha}", "{run}"}, "sha-0123456789ab"},
		{[]string{"latest", "build-{run}"}, "build-7"},
		{defaultTags(trigger), "sha-0123456789ab"},
	} {
		if got := lasting(c.lines, trigger); got != c.want {
			t.Errorf("%v: got %q, want %q", c.lines, got, c.want)
		}
	}
}

// trio are services enough to be between two others.
var trio = []string{"one", "two", "three"}

// digest is what the registry has under a tag of a service, "" for nothing.
func (b *pushBench) digest(t *testing.T, service, tag string) string {
	t.Helper()
	found, err := registry.Credentials{}.Digest(t.Context(), image.Reference{Registry: b.host, Repository: "guk0/" + service, Tag: tag})
	if err != nil && !strings.Contains(err.Error(), "404") {
		t.Fatal(err)
	}
	return found
}

// digests are those of a tag by service.
func (b *pushBench) digests(t *testing.T, tag string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, service := range b.names {
		found[service] = b.digest(t, service, tag)
	}
	return found
}

func (b *pushBench) mustRun(t *testing.T) map[string]string {
	t.Helper()
	outputs, log, code := b.run(t, firstSHA)
	if code != 0 || outputs["result"] != pushed {
		t.Fatalf("result %q, exit %d\n%s", outputs["result"], code, log)
	}
	return outputs
}

// TestMovesTogether shows that the tags which move do so when all images are
// up, with nothing between them, and one of all services before the next.
func TestMovesTogether(t *testing.T) {
	b := newPushBench(t)
	b.give(t, trio...)
	b.mustRun(t)
	puts := b.registry.Requests("^PUT .*/manifests/(main|latest)$")
	all := b.registry.Requests("")
	first := slices.Index(all, puts[0])
	if diff := cmp.Diff(puts, all[first:]); diff != "" {
		t.Errorf("something is asked between the moves (-moves +asked):\n%s", diff)
	}
	for i := range puts {
		puts[i] = puts[i][strings.LastIndex(puts[i], "/")+1:]
	}
	if diff := cmp.Diff([]string{"main", "main", "main", "latest", "latest", "latest"}, puts); diff != "" {
		t.Errorf("the moves (-want +got):\n%s", diff)
	}
	if up := len(b.registry.Requests("^PUT .*/manifests/sha-")); up != len(trio) {
		t.Errorf("%d images went up", up)
	}
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

// TestMovesAreFinished shows that a run which is cancelled after the first of
// its tags has moved moves the others too.
func TestMovesAreFinished(t *testing.T) {
	b := newPushBench(t)
	b.give(t, trio...)
	cancel := func() {}
	b.also = writerFunc(func(text []byte) {
		if bytes.Contains(text, []byte("moved ")) {
			cancel()
		}
	})
	outputs, log, _ := b.do(t, firstSHA, func(ctx context.Context, r *action.Runner) error {
		ctx, cancel = context.WithCancel(ctx)
		return run(ctx, r)
	})
	if outputs["pushed"] != "true" {
		t.Errorf("pushed is %q\n%s", outputs["pushed"], log)
	}
	if diff := cmp.Diff(b.digests(t, "sha-"+firstSHA[:12]), b.digests(t, "latest")); diff != "" {
		t.Errorf("latest (-want +got):\n%s\n%s", diff, log)
	}
}

// TestOutlive shows how long a context goes on that has lost its parent.
func TestOutlive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		parent, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		longer, done := outlive(parent, 5*time.Second)
		defer done()
		begin := time.Now()
		<-longer.Done()
		if took := time.Since(begin); took != 65*time.Second {
			t.Errorf("it ended after %v", took)
		}
	})
}

// TestMoveRefused shows what is left when a registry refuses one of several
// moves, that it is told, and that the next run mends it.
func TestMoveRefused(t *testing.T) {
	for _, c := range []struct {
		refused     string
		main        []string
		latest      []string
		want        string
		nothingMore bool
	}{
		{"two/manifests/main", []string{"one", "three"}, nil, "some tags have moved and some have not. Moved: one: main; three: main. Not moved: one: latest; two: main, latest; three: latest. ", true},
		{"three/manifests/latest", trio, []string{"one", "two"}, "some tags have moved and some have not. Moved: one: main, latest; two: main, latest; three: main. Not moved: three: latest. ", false},
		{"(one|two|three)/manifests/main", nil, nil, "no tag has moved. ", true},
	} {
		t.Run(c.refused, func(t *testing.T) {
			b := newPushBench(t)
			b.give(t, trio...)
			b.registry.Set(registrytest.Fault{Method: http.MethodPut, Path: regexp.MustCompile(c.refused), Times: -1, Status: 403})
			outputs, log, code := b.run(t, firstSHA)
			if code != 1 || outputs["result"] != failed || outputs["pushed"] != "false" {
				t.Fatalf("result %q, exit %d\n%s", outputs["result"], code, log)
			}
			want := "::error::" + c.want + "All images are up: when the cause is mended, run the step again, and the rest moves\n"
			if !strings.Contains(log, want) || !strings.Contains(log, "::error::tag "+b.host+"/guk0/") {
				t.Errorf("the log does not tell\n%s\n%s", want, log)
			}
			if asked := b.registry.Asked("PUT .*/manifests/latest"); c.nothingMore && asked > 0 {
				t.Errorf("latest was asked for %d times", asked)
			}
			b.registry.Set()
			up := b.digests(t, "sha-"+firstSHA[:12])
			for tag, has := range map[string][]string{"main": c.main, "latest": c.latest} {
				want := map[string]string{}
				for _, service := range trio {
					want[service] = ""
					if slices.Contains(has, service) {
						want[service] = up[service]
					}
				}
				if diff := cmp.Diff(want, b.digests(t, tag)); diff != "" {
					t.Errorf("%s (-want +got):\n%s", tag, diff)
				}
			}
			for _, service := range trio {
				if reference := fmt.Sprintf("%s/guk0/%s:sha-%s@%s", b.host, service, firstSHA[:12], up[service]); !strings.Contains(outputs["images"], reference) {
					t.Errorf("images %s lack %s", outputs["images"], reference)
				}
			}
			b.registry.Set()
			b.mustRun(t)
			if sent := b.registry.Asked(`^(PATCH|PUT) .*/blobs/`); sent > 0 {
				t.Errorf("%d pieces of layers were sent again", sent)
			}
			if diff := cmp.Diff(up, b.digests(t, "latest")); diff != "" {
				t.Errorf("latest of the second run (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAllTagsMove shows that where all tags move, none does before every image
// is up, and what an engine leaves in the repositories for that.
func TestAllTagsMove(t *testing.T) {
	eachBuilder(t, func(t *testing.T, b *pushBench) {
		b.give(t, "one", "two")
		b.tags = "latest"
		byDigest := b.builder == builderContainer
		b.mustRun(t)
		before := b.digests(t, "latest")
		b.changeService(t, b.names...)
		// The second image never comes up.
		b.registry.Set(registrytest.Fault{Method: http.MethodPut, Path: regexp.MustCompile("two/manifests/"), Times: -1, Status: 403})
		outputs, log, code := b.run(t, secondSHA)
		b.registry.Set()
		if code != 1 || outputs["result"] != failed {
			t.Fatalf("result %q, exit %d\n%s", outputs["result"], code, log)
		}
		if diff := cmp.Diff(before, b.digests(t, "latest")); diff != "" {
			t.Errorf("latest has moved (-before +after):\n%s", diff)
		}
		if outputs["tags"] != "{}" || !strings.Contains(outputs["images"], b.host+"/guk0/one@sha256:") {
			t.Errorf("handed on: tags %s, images %s", outputs["tags"], outputs["images"])
		}
		b.registry.Set()
		outputs, log, _ = b.run(t, secondSHA)
		if outputs["result"] != pushed || outputs["tags"] != `{"one":"latest","two":"latest"}` {
			t.Errorf("result %q, tags %s\n%s", outputs["result"], outputs["tags"], log)
		}
		b.movedLast(t, log)
		if told := strings.Contains(log, "::notice::input tags: all of them move"); told == byDigest {
			t.Errorf("told of %s: %t\n%s", uploadTag, told, log)
		}
		after := b.digests(t, "latest")
		left := map[string]string{"one": "", "two": ""}
		if !byDigest {
			left = after
		}
		if diff := cmp.Diff(left, b.digests(t, uploadTag)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", uploadTag, diff)
		}
		for service, digest := range after {
			if digest == before[service] || !strings.Contains(outputs["digests"], digest) {
				t.Errorf("latest of %s is %s, before %s, digests %s", service, digest, before[service], outputs["digests"])
			}
		}
	})
}

// movedLast holds that latest moved after all images were up.
func (b *pushBench) movedLast(t *testing.T, log string) {
	t.Helper()
	all := b.registry.Requests("^PUT .*/manifests/")
	moves := b.registry.Requests("^PUT .*/manifests/latest$")
	if len(moves) != len(b.names) || !slices.Equal(all[len(all)-len(moves):], moves) {
		t.Errorf("the manifests came as %q\n%s", all, log)
	}
}

// TestUnder shows where images go up when nothing has to be left for it: under
// a tag that never moves wherever it stands in the list, under one that names
// nothing yet, and, as the last one that is missing, under the tag itself.
func TestUnder(t *testing.T) {
	for kind, host := range enginetest.Hosts() {
		t.Run(kind, func(t *testing.T) {
			b := newPushBench(t)
			b.give(t, "one", "two")
			b.engine = host
			for _, c := range []struct {
				name, tags string
				change     []string
				want       []string
			}{
				{"nothing is there", "latest", nil, []string{"latest", "latest"}},
				{"one image is missing", "latest", []string{"two"}, []string{"latest"}},
				{"a later line never moves", "latest\nsha-{sha}", b.names, []string{"sha-0123456789ab", "sha-0123456789ab", "latest", "latest"}},
				{"the same commit gives other images", "latest\nsha-{sha}", b.names, []string{"sha-0123456789ab", "sha-0123456789ab", "latest", "latest"}},
				{"a literal that is new", "latest\nv7", b.names, []string{"v7", "v7", "latest", "latest"}},
				{"nothing is missing", "next\nlatest", nil, []string{"next", "next"}},
			} {
				b.changeService(t, c.change...)
				b.tags = c.tags
				b.registry.Set()
				outputs := b.mustRun(t)
				var got []string
				for _, one := range b.registry.Requests("^PUT .*/manifests/") {
					got = append(got, one[strings.LastIndex(one, "/")+1:])
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("%s (-want +got):\n%s", c.name, diff)
				}
				if first, _, _ := strings.Cut(c.tags, "\n"); outputs["tag"] != first {
					t.Errorf("%s: tag %s", c.name, outputs["tag"])
				}
				if diff := cmp.Diff(b.digests(t, "latest"), b.digests(t, outputs["tag"])); diff != "" {
					t.Errorf("%s: latest and %s differ:\n%s", c.name, outputs["tag"], diff)
				}
			}
			for service, digest := range b.digests(t, uploadTag) {
				if digest != "" {
					t.Errorf("%s has %s", service, uploadTag)
				}
			}
		})
	}
}

// TestLeft shows how far tags have moved that a file names, and those of an
// image that moved its first one as it came up.
func TestLeft(t *testing.T) {
	name := image.Reference{Registry: "docker.io", Repository: "guk0/web"}
	mirror := image.Reference{Registry: "ghcr.io", Repository: "guk0/web", Tag: "stable"}
	p := plan{tags: []string{"next", "latest"}, images: []planned{{name: name, more: []image.Reference{mirror, name.WithTag("latest")}}}}
	one := imageResult{service: "web", name: name}
	for _, c := range []struct {
		to   image.Reference
		want string
	}{
		{image.Reference{}, "no tag has moved"},
		{name.WithTag("next"), "some tags have moved and some have not. Moved: web: next. Not moved: web: latest, ghcr.io/guk0/web:stable"},
		{mirror, "some tags have moved and some have not. Moved: web: next, ghcr.io/guk0/web:stable. Not moved: web: latest"},
	} {
		if c.to != (image.Reference{}) {
			p.moved(&one, c.to)
		}
		got := p.left([]imageResult{one}).Error()
		if want := c.want + ". All images are up: when the cause is mended, run the step again, and the rest moves"; got != want {
			t.Errorf("got %s\nwant %s", got, want)
		}
	}
}
