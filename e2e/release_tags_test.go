package e2e

import (
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/guk0/travois/internal/registry/registrytest"
)

// repository is a folder of git's.
type repository string

func (r repository) git(t *testing.T, args ...string) string {
	t.Helper()
	return r.run(t, "git", args...)
}

func (r repository) run(t *testing.T, program string, args ...string) string {
	t.Helper()
	out, err := r.try(program, args...)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return out
}

func (r repository) try(program string, args ...string) (string, error) {
	command := exec.Command(program, args...)
	command.Dir = string(r)
	command.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null",
		"GIT_AUTHOR_NAME=test", "GIT_AUTHOR_EMAIL=test@example.org", "GIT_COMMITTER_NAME=test", "GIT_COMMITTER_EMAIL=test@example.org")
	out, err := command.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// TestReleaseTags releases in turn, in a repository with the files that
// scripts/release touches, what moves the tags and what does not.
func TestReleaseTags(t *testing.T) {
	work, image := small(t), anyImage(t)
	for _, one := range []struct {
		version string
		want    string // the version that each tag is, sorted by the tag
	}{
		{"v1.0.0", "v1=v1.0.0 v1.0=v1.0.0"},
		{"v1.1.0-rc.1", "v1=v1.0.0 v1.0=v1.0.0"},
		{"v1.1.0", "v1=v1.1.0 v1.0=v1.0.0 v1.1=v1.1.0"},
		{"v1.0.1", "v1=v1.1.0 v1.0=v1.0.1 v1.1=v1.1.0"},
		{"v1.10.0", "v1=v1.10.0 v1.0=v1.0.1 v1.1=v1.1.0 v1.10=v1.10.0"},
		{"v2.0.0", "v1=v1.10.0 v1.0=v1.0.1 v1.1=v1.1.0 v1.10=v1.10.0 v2=v2.0.0 v2.0=v2.0.0"},
	} {
		work.unreleased(t)
		work.run(t, "scripts/release", "prepare", one.version)
		work.git(t, "push", "-q", "origin", "main", one.version)
		if notes := work.run(t, "scripts/release", "notes", one.version); notes != "- Something new." {
			t.Errorf("%s: the notes are %q", one.version, notes)
		}
		work.run(t, "scripts/release", "publish", one.version, image)
		if diff := cmp.Diff(one.want, work.moving(t)); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", one.version, diff)
		}
		work.pins(t, one.version, image)
		work.git(t, "checkout", "-q", "main")
	}
}

// unreleased commits something that is not released.
func (r repository) unreleased(t *testing.T) {
	t.Helper()
	path := filepath.Join(string(r), "CHANGELOG.md")
	heading, rest, _ := strings.Cut(read(t, path), "\n\n")
	write(t, path, heading+"\n\n## Unreleased\n\n- Something new.\n\n"+rest)
	r.git(t, "commit", "-q", "-a", "-m", "Something new")
}

// moving are the tags that name no whole version, with those that they are.
func (r repository) moving(t *testing.T) string {
	t.Helper()
	versions := map[string]string{}
	var others []string
	for tag := range strings.FieldsSeq(r.git(t, "for-each-ref", "--format=%(refname:short)", "refs/tags")) {
		if strings.Count(tag, ".") < 2 {
			others = append(others, tag)
			continue
		}
		versions[r.git(t, "rev-parse", tag+"^{commit}")] = tag
	}
	var all []string
	for _, tag := range others {
		all = append(all, tag+"="+versions[r.git(t, "rev-parse", tag+"^{commit}")])
	}
	return strings.Join(all, " ")
}

// pins holds a release's files against it, and its parent against the branch.
func (r repository) pins(t *testing.T, version, image string) {
	t.Helper()
	want := map[string]string{
		"actions/one/action.yml":          "runs:\n  using: docker\n  image: docker://" + image + "\n  entrypoint: /one",
		"action.yml":                      "runs:\n  steps:\n    - uses: guk0/travois/actions/one@" + version,
		".github/workflows/pipeline.yml":  "jobs:\n  one:\n    steps:\n      - uses: guk0/travois/actions/one@" + version,
		".github/workflows/unrelated.yml": "uses: guk0/travois/actions/one@main",
	}
	for path, text := range want {
		if diff := cmp.Diff(text, r.git(t, "show", version+":"+path)); diff != "" {
			t.Errorf("%s of %s (-want +got):\n%s", path, version, diff)
		}
	}
	if got := r.git(t, "rev-parse", version+"^{commit}^"); got != r.git(t, "rev-parse", "main") {
		t.Errorf("%s is on top of %s; want the commit that was tagged", version, got)
	}
}

// TestReleaseRefused is what scripts/release does not do.
func TestReleaseRefused(t *testing.T) {
	work, image := small(t), anyImage(t)
	work.refuses(t, `release: "1.2.3" is no version; write it as v1.2.3 or v1.2.3-rc.1`, "prepare", "1.2.3")
	work.refuses(t, `release: unknown argument "pin"; allowed: prepare, check, binaries, publish, notes`, "pin")
	work.refuses(t, `release: CHANGELOG.md has nothing under "## Unreleased"`, "prepare", "v1.0.0")
	work.refuses(t, `release: CHANGELOG.md has no part "## 1.0.0"`, "notes", "v1.0.0")

	work.unreleased(t)
	work.run(t, "scripts/release", "prepare", "v1.0.0")
	work.refuses(t, "release: there is a tag v1.0.0 already", "prepare", "v1.0.0")
	work.refuses(t, "release: origin has no tag v1.0.0", "check", "v1.0.0")
	work.git(t, "push", "-q", "origin", "v1.0.0")
	work.refuses(t, "release: v1.0.0 is on no branch of origin", "check", "v1.0.0")
	work.git(t, "push", "-q", "origin", "main")
	work.run(t, "scripts/release", "check", "v1.0.0")
	work.refuses(t, `release: "x" is no image with a digest; write it as ghcr.io/guk0/travois:1.0.0@sha256:…`, "publish", "v1.0.0", "x")

	before := work.git(t, "ls-remote", "origin")
	missing := image[:len(image)-64] + strings.Repeat("0", 64)
	out, err := work.try("scripts/release", "publish", "v1.0.0", missing)
	if want := "release: nobody can pull " + missing + "; make the package public, and run this again"; err == nil || !strings.HasSuffix(out, want) {
		t.Errorf("publish of an image that is not there: %v\n%s\nwant %s", err, out, want)
	}
	if diff := cmp.Diff(before, work.git(t, "ls-remote", "origin")); diff != "" {
		t.Errorf("what was refused changed the origin:\n%s", diff)
	}
	work.run(t, "scripts/release", "publish", "v1.0.0", image)
	head := work.git(t, "rev-parse", "--short=12", "HEAD")
	released := work.git(t, "rev-parse", "--short=12", "v1.0.0^{commit}")
	work.refuses(t, "release: origin has v1.0.0 at "+released+", and this is "+head+"; is v1.0.0 released already?", "check", "v1.0.0")
	work.git(t, "checkout", "-q", "v1.0.0")
	work.refuses(t, "release: v1.0.0 is released already", "check", "v1.0.0")
}

func (r repository) refuses(t *testing.T, want string, args ...string) {
	t.Helper()
	if out, err := r.try("scripts/release", args...); err == nil || out != want {
		t.Errorf("scripts/release %v: %v\n%s\nwant\n%s", args, err, out, want)
	}
}

// small is a clone of a repository with what scripts/release touches.
func small(t *testing.T) repository {
	t.Helper()
	origin, work := repository(t.TempDir()), repository(t.TempDir())
	origin.git(t, "init", "-q", "--bare", "-b", "main")
	work.git(t, "init", "-q", "-b", "main")
	work.git(t, "remote", "add", "origin", string(origin))
	for path, text := range map[string]string{
		"scripts/release":                 read(t, filepath.Join(root, "scripts", "release")),
		"CHANGELOG.md":                    "# Changelog\n\n",
		"action.yml":                      "runs:\n  steps:\n    - uses: guk0/travois/actions/one@main\n",
		"actions/one/action.yml":          "runs:\n  using: docker\n  image: ../../Dockerfile\n  entrypoint: /one\n",
		".github/workflows/pipeline.yml":  "jobs:\n  one:\n    steps:\n      - uses: guk0/travois/actions/one@main\n",
		".github/workflows/unrelated.yml": "uses: guk0/travois/actions/one@main\n",
	} {
		write(t, filepath.Join(string(work), path), text)
	}
	work.git(t, "add", "-A")
	work.git(t, "commit", "-q", "-m", "Begin")
	work.git(t, "push", "-q", "-u", "origin", "main")
	return work
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
}

// anyImage is the reference, with its digest, of an image that anybody can
// pull.
func anyImage(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registrytest.New("guk0", "only-for-this-test", "guk0/"))
	t.Cleanup(server.Close)
	reference, err := name.ParseReference(strings.TrimPrefix(server.URL, "http://") + "/guk0/travois:1")
	if err != nil {
		t.Fatal(err)
	}
	content, err := random.Image(1024, 1)
	if err != nil {
		t.Fatal(err)
	}
	login := remote.WithAuth(&authn.Basic{Username: "guk0", Password: "only-for-this-test"})
	if err := remote.Write(reference, content, login); err != nil {
		t.Fatal(err)
	}
	digest, err := content.Digest()
	if err != nil {
		t.Fatal(err)
	}
	image := reference.String() + "@" + digest.String()
	t.Cleanup(func() { _ = exec.Command("docker", "rmi", "-f", image).Run() })
	return image
}
