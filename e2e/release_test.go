package e2e

import (
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/guk0/travois/internal/registry/registrytest"
)

// largest is what an image may weigh, compressed, in bytes: each job that uses
// an action pulls it.
const largest = 20_000_000

// TestRelease makes a release of the working tree, which a user's workflow then
// runs, and looks at what was released.
func TestRelease(t *testing.T) {
	server := httptest.NewServer(registrytest.New("guk0", "only-for-this-test", "guk0/"))
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	state := t.TempDir()
	command := exec.CommandContext(t.Context(), filepath.Join(root, "scripts", "release-dry-run"), "v1.2.3")
	command.Env = append(os.Environ(), "TRAVOIS_STATE="+state, "TRAVOIS_REGISTRY="+host, "TRAVOIS_PASSWORD=only-for-this-test")
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("scripts/release-dry-run: %v\n%s", err, out)
	}

	image := pinned(t, filepath.Join(state, "v1"))
	if !strings.HasPrefix(image, host+"/guk0/travois:1.2.3@sha256:") {
		t.Errorf("the actions run %q; want 1.2.3 by its digest", image)
	}
	lookAtImages(t, image)
	migrateBy(t, image)
	tags := repository(filepath.Join(state, "origin"))
	released := tags.git(t, "rev-parse", "v1.2.3^{commit}")
	for _, tag := range []string{"v1.2", "v1"} {
		if got := tags.git(t, "rev-parse", tag+"^{commit}"); got != released {
			t.Errorf("%s is %s; want %s, as v1.2.3", tag, got, released)
		}
	}
	ran, err := os.ReadFile(filepath.Join(state, "act.log"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(ran), "docker pull image="+image) {
		t.Errorf("the workflow does not run %s:\n%s", image, ran)
	}
}

// migrateBy has the image write a workflow, as a user without Go does.
func migrateBy(t *testing.T, image string) {
	t.Helper()
	command := exec.CommandContext(t.Context(), "docker", "run", "--rm", "-i", image, "/travois-migrate", "-")
	command.Stdin = strings.NewReader(read(t, filepath.Join(root, "examples", "fullstack", ".travis.yml")))
	var listed strings.Builder
	command.Stderr = &listed
	workflow, err := command.Output()
	if err != nil || !strings.Contains(string(workflow), "uses: guk0/travois/") || !strings.Contains(listed.String(), "Secrets to create") {
		t.Errorf("travois-migrate of the image: %v\n%s\n%s", err, workflow, &listed)
	}
}

var runs = regexp.MustCompile(`(?m)^  image: docker://(.+)$`)

// pinned is the one image that all actions of a checkout run.
func pinned(t *testing.T, checkout string) string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(checkout, "actions", "*", "action.yml"))
	if err != nil || len(files) != 3 {
		t.Fatalf("the release has the actions %v, %v; want three", files, err)
	}
	var images []string
	for _, file := range files {
		found := runs.FindStringSubmatch(read(t, file))
		if found == nil {
			t.Fatalf("%s runs no image by name:\n%s", file, read(t, file))
		}
		images = append(images, found[1])
	}
	if images = slices.Compact(images); len(images) != 1 {
		t.Fatalf("the actions run %v; want one image", images)
	}
	return images[0]
}

// lookAtImages holds the images behind an index against what a release has: two
// platforms that weigh little, each with its provenance.
func lookAtImages(t *testing.T, image string) {
	t.Helper()
	reference, err := name.ParseReference(image)
	if err != nil {
		t.Fatal(err)
	}
	index, err := remote.Index(reference)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, one := range manifest.Manifests {
		platforms = append(platforms, one.Platform.String())
		content, err := index.Image(one.Digest)
		if err != nil {
			t.Fatal(err)
		}
		if one.Platform.OS == "unknown" {
			wantAttested(t, content)
		} else if size := weight(t, content); size > largest {
			t.Errorf("%s weighs %d bytes; want at most %d", one.Platform, size, largest)
		}
	}
	want := []string{"linux/amd64", "linux/arm64", "unknown/unknown", "unknown/unknown"}
	if slices.Sort(platforms); !slices.Equal(platforms, want) {
		t.Errorf("the image is for %v; want %v, the last two its attestations", platforms, want)
	}
}

func weight(t *testing.T, image v1.Image) int64 {
	t.Helper()
	manifest, err := image.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	total := manifest.Config.Size
	for _, layer := range manifest.Layers {
		total += layer.Size
	}
	return total
}

// wantAttested finds where an image comes from, and what is in it as the dry
// run's scanner has it.
func wantAttested(t *testing.T, attestations v1.Image) {
	t.Helper()
	layers, err := attestations.Layers()
	if err != nil {
		t.Fatal(err)
	}
	var all strings.Builder
	for _, layer := range layers {
		content, err := layer.Compressed()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(&all, content); err != nil {
			t.Fatal(err)
		}
	}
	for _, text := range []string{`"https://slsa.dev/provenance/`, `"https://spdx.dev/Document"`, `"name":"stand-in"`} {
		if !strings.Contains(strings.ReplaceAll(all.String(), `": "`, `":"`), text) {
			t.Errorf("the attestations lack %s:\n%s", text, &all)
		}
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
