package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/guk0/travois/internal/enginetest"
)

// rounds is how often each case is measured with each tool, in turns.
const rounds = 5

// benchBuildPush holds the action build-push against docker buildx bake --push
// and against the script of a .travis.yml, on one engine and one registry, all
// with the same caches. The script keeps no steps in its images. Bake keeps
// them on the engine with the containerd store alone, since an old one does not
// survive what it asks of it.
func benchBuildPush(ctx context.Context, b *bench) error {
	classic, err := newSite(ctx, b.dir, "classic store", "")
	if err != nil {
		return err
	}
	return errors.Join(classic.against(ctx, b), classic.end())
}

// against measures on both engines.
func (s *site) against(ctx context.Context, b *bench) error {
	containerd := *s
	containerd.kind, containerd.cache = "containerd store", "inline"
	containerd.environ = append(slices.Clone(s.environ), "DOCKER_HOST="+enginetest.ContainerdHost)
	if err := containerd.carry(ctx, baseImage); err != nil {
		return err
	}
	three := s.project("three", 3, 8<<20)
	if err := errors.Join(s.compare(ctx, b, three, travis, bake), s.clean(ctx)); err != nil {
		return err
	}
	return errors.Join(containerd.measure(ctx, b, three), containerd.clean(ctx))
}

func (s *site) measure(ctx context.Context, b *bench, three project) error {
	plain := *s
	plain.cache = ""
	if err := errors.Join(plain.compare(ctx, b, three, travis), s.compare(ctx, b, three, bake)); err != nil {
		return err
	}
	if err := s.compare(ctx, b, s.project("twenty", 20, 1<<20), bake); err != nil {
		return err
	}
	return s.weigh(ctx, b, s.project("big", 1, 300<<20))
}

// baseImage is what the services start from; scripts/base-images makes it
// present.
const baseImage = "nginx:stable"

// carry brings an image over from the other engine, if it is missing.
func (s *site) carry(ctx context.Context, name string) error {
	if _, err := measure(ctx, "", s.environ, "docker", "image", "inspect", name); err == nil {
		return nil
	}
	file := filepath.Join(s.dir, "carried.tar")
	if _, err := measure(ctx, "", nil, "docker", "save", "-o", file, name); err != nil {
		return err
	}
	_, err := measure(ctx, "", s.environ, "docker", "load", "-i", file)
	return err
}

// site is what the tools work with.
type site struct {
	dir, action, registry string
	// kind is the engine's, cache the one that the builds write.
	kind, cache string
	environ     []string
	// end stops the registry.
	end func() error
	// memory is the action's largest, in bytes.
	memory int64
}

func newSite(ctx context.Context, dir, kind, cache string) (*site, error) {
	s := &site{dir: dir, kind: kind, cache: cache, action: filepath.Join(dir, "build-push")}
	if err := goBuild(ctx, s.action, "./cmd/travois"); err != nil {
		return nil, err
	}
	plugins := filepath.Join(dir, "docker", "cli-plugins")
	if err := os.MkdirAll(plugins, 0o755); err != nil {
		return nil, err
	}
	_, err := measure(ctx, "tools/bench", []string{"CGO_ENABLED=0"}, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(plugins, "docker-buildx"), "github.com/docker/buildx/cmd/buildx")
	if err != nil {
		return nil, err
	}
	blobs := filepath.Join(dir, "blobs")
	if err := os.MkdirAll(blobs, 0o755); err != nil {
		return nil, err
	}
	s.environ = []string{"DOCKER_CONFIG=" + filepath.Join(dir, "docker")}
	s.registry, s.end, err = startRegistry(ctx, blobs)
	return s, err
}

// project is a workspace of services that install something large and then
// copy their source, as those of the seed do.
type project struct {
	name, dir string
	services  int
	// size is that of what each installs, in bytes.
	size int
}

func (s *site) project(name string, services, size int) project {
	return project{name, filepath.Join(s.dir, name), services, size}
}

func (p project) service(i int) string { return fmt.Sprintf("service%02d", i) }

// write makes the workspace for a tool. What it installs differs with the
// marker; it can't be compressed, as most of what is installed.
func (p project) write(marker string) error {
	for i := range p.services {
		dir := filepath.Join(p.dir, p.service(i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		dockerfile := "FROM " + baseImage + "\nCOPY package.json /app/\n" +
			fmt.Sprintf("RUN cat /app/package.json && head -c %d /dev/urandom >/app/modules\n", p.size) +
			"COPY source.js /app/\nRUN sha256sum /app/source.js >/app/built\n"
		for name, text := range map[string]string{"Dockerfile": dockerfile, "package.json": p.service(i) + " " + marker, "source.js": "first"} {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// change rewrites a line of one service's source.
func (p project) change(marker string) error {
	return os.WriteFile(filepath.Join(p.dir, p.service(0), "source.js"), []byte(marker), 0o644)
}

// dockerfileSize is more than a project's Dockerfile has, in kB. A newer
// BuildKit asks for every Dockerfile, changed or not. Source: moby/buildkit,
// frontend/dockerui/config.go, which reads them with llb.DiffNone.
const dockerfileSize = 0.25

// tool is a way to build and push.
type tool struct {
	name  string
	bound map[string]float64
	run   func(s *site, ctx context.Context, p project, sha string) (sample, error)
}

// The bounds of the action's time, over each tool's.
var (
	bake   = tool{"bake", map[string]float64{"cold": 1.1, "warm": 1.1, "one line changed": 1.1}, (*site).bake}
	travis = tool{"the Travis script", map[string]float64{"cold": 0.7, "warm": 1}, (*site).travis}
	action = tool{"build-push", nil, (*site).buildPush}
)

// compare measures cold, warm and with one line changed, the tools in turns.
// What a turn made is taken away after it, for an engine is slower the more
// images it has.
func (s *site) compare(ctx context.Context, b *bench, p project, peers ...tool) error {
	took := map[string]map[string][]time.Duration{"cold": {}, "warm": {}, "one line changed": {}}
	sent := 0
	for round := range rounds {
		for _, one := range append([]tool{action}, peers...) {
			marker := strconv.FormatInt(time.Now().UnixNano(), 36)
			sha := fmt.Sprintf("%040x", time.Now().UnixNano())
			if err := p.write(marker); err != nil {
				return err
			}
			for _, state := range []string{"cold", "warm", "one line changed"} {
				if state == "one line changed" {
					if err := p.change(marker); err != nil {
						return err
					}
					sha = fmt.Sprintf("%040x", time.Now().UnixNano())
				}
				got, err := one.run(s, ctx, p, sha)
				if err != nil {
					return fmt.Errorf("%s, %s, round %d: %w", one.name, state, round+1, err)
				}
				took[state][one.name] = append(took[state][one.name], got.took)
				if one.name == action.name && state == "one line changed" {
					sent = max(sent, sentBytes(got.said))
				}
			}
			if err := s.clean(ctx); err != nil {
				return err
			}
		}
	}
	for _, peer := range peers {
		for _, state := range []string{"cold", "warm", "one line changed"} {
			if bound := peer.bound[state]; bound > 0 {
				b.figures = append(b.figures, figure{
					name: fmt.Sprintf("build-push: %s, %d services, %s, over %s", s.kind, p.services, state, peer.name), unit: "s", bound: bound,
					ours: middle(took[state][action.name]), peer: middle(took[state][peer.name]),
				})
			}
		}
	}
	b.figures = append(b.figures, figure{
		name: fmt.Sprintf("build-push: %s, %d services, files sent after one line changed", s.kind, p.services), unit: "kB",
		ours: float64(sent) / 1e3, bound: dockerfileSize * float64(p.services),
	})
	return nil
}

// weigh measures the memory, with a large image at last.
func (s *site) weigh(ctx context.Context, b *bench, p project) error {
	if err := p.write(strconv.FormatInt(time.Now().UnixNano(), 36)); err != nil {
		return err
	}
	small := s.memory
	got, err := s.buildPush(ctx, p, fmt.Sprintf("%040x", time.Now().UnixNano()))
	if err != nil {
		return err
	}
	b.figures = append(b.figures,
		figure{name: "build-push: peak memory, 20 services", unit: "MB", ours: float64(small) / 1e6, bound: 80},
		figure{name: "build-push: peak memory, an image of 300 MB", unit: "MB", ours: float64(got.memory) / 1e6, bound: 80},
	)
	return nil
}

func (s *site) name(p project, owner, service string) string {
	return fmt.Sprintf("%s/%s/%s-%s", s.registry, owner, p.name, service)
}

func (s *site) buildPush(ctx context.Context, p project, sha string) (sample, error) {
	var services strings.Builder
	for i := range p.services {
		fmt.Fprintf(&services, "%s: {image: %s, build: %s}\n", p.service(i), s.name(p, "ours", p.service(i)), p.service(i))
	}
	got, err := measure(ctx, p.dir, append([]string{
		"GITHUB_WORKSPACE=" + p.dir, "GITHUB_SHA=" + sha, "GITHUB_REF=refs/heads/main", "GITHUB_EVENT_NAME=push",
		"INPUT_SERVICES=" + services.String(), "INPUT_TAGS=sha-{sha}\nlatest", "INPUT_CACHE=" + cmp.Or(s.cache, "none"),
	}, s.environ...), s.action)
	s.memory = max(s.memory, got.memory)
	return got, err
}

// bake is the same by docker buildx bake, with the same cache.
func (s *site) bake(ctx context.Context, p project, sha string) (sample, error) {
	var file strings.Builder
	file.WriteString("services:\n")
	for i := range p.services {
		name := s.name(p, "bake", p.service(i))
		fmt.Fprintf(&file, "  %s:\n    image: %s:latest\n    build:\n      context: %s\n      tags: [%q, %q]\n",
			p.service(i), name, p.service(i), name+":sha-"+sha[len(sha)-12:], name+":latest")
		if s.cache != "" {
			fmt.Fprintf(&file, "      cache_from: [%q]\n      cache_to: [type=%s]\n", name+":latest", s.cache)
		}
	}
	path := filepath.Join(p.dir, "bake.yml")
	if err := os.WriteFile(path, []byte(file.String()), 0o644); err != nil {
		return sample{}, err
	}
	return measure(ctx, p.dir, s.environ, "docker", "buildx", "bake", "--push", "--allow=fs.read="+p.dir, "-f", path)
}

// travis is one docker build after the other, and then one push after the
// other.
func (s *site) travis(ctx context.Context, p project, _ string) (sample, error) {
	started := time.Now()
	for _, step := range [][]string{{"build", "-t"}, {"push"}} {
		for i := range p.services {
			args := append(slices.Clone(step), s.name(p, "travis", p.service(i)))
			if step[0] == "build" {
				args = append(args, p.service(i))
			}
			if _, err := measure(ctx, p.dir, s.environ, "docker", args...); err != nil {
				return sample{}, err
			}
		}
	}
	return sample{took: time.Since(started)}, nil
}

// clean removes the images that go to the registry.
func (s *site) clean(ctx context.Context) error {
	listed, err := measure(ctx, "", s.environ, "docker", "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
	if err != nil {
		return err
	}
	others := func(tag string) bool {
		return !strings.HasPrefix(tag, s.registry+"/") || strings.Contains(tag, "<none>")
	}
	tags := slices.DeleteFunc(strings.Fields(listed.said), others)
	if len(tags) == 0 {
		return nil
	}
	_, err = measure(ctx, "", s.environ, "docker", append([]string{"image", "rm", "-f"}, tags...)...)
	return err
}

// middle is the median, in seconds.
func middle(all []time.Duration) float64 {
	slices.Sort(all)
	return all[len(all)/2].Seconds()
}

// sentBytes is what the action says that it sent.
func sentBytes(said string) int {
	_, rest, _ := strings.Cut(said, "sent ")
	number, _, found := strings.Cut(rest, " bytes of files")
	if !found {
		return 1 << 40 // it said nothing, which no bound holds
	}
	count, err := strconv.Atoi(number)
	if err != nil {
		return 1 << 40
	}
	return count
}
