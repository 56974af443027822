package actiontest_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"github.com/guk0/travois/internal/actiontest"
)

// The two states of a commit: a branch's, where the actions are what the source
// says, and a release's.
const (
	ownImage  = "../../Dockerfile"
	ownBranch = "main"
)

var (
	releasedImage = regexp.MustCompile(`^docker://\S+@sha256:[0-9a-f]{64}$`)
	releasedTag   = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$`)
	usesOurs      = regexp.MustCompile(`(?m)uses: guk0/travois/actions/[a-z-]+@(\S+)$`)
)

// TestOneRelease holds the actions against each other: they run one image, and
// what uses them uses all at one ref, which goes with the image.
func TestOneRelease(t *testing.T) {
	var images []string
	for _, name := range actions {
		images = append(images, actiontest.Read(t, filepath.Join(root, "actions", name, "action.yml")).Runs.Image)
	}
	images = slices.Compact(images)
	if len(images) != 1 || images[0] != ownImage && !releasedImage.MatchString(images[0]) {
		t.Errorf("the actions run %q; want all %s, or all one docker:// with a digest", images, ownImage)
	}
	refs := refs(t)
	if len(refs) != 1 {
		t.Fatalf("the actions are used at %q; want one ref", refs)
	}
	if built, branch := images[0] == ownImage, refs[0] == ownBranch; built != branch || !branch && !releasedTag.MatchString(refs[0]) {
		t.Errorf("the actions run %s and are used @%s; want %s and @%s, or a released image and its version", images[0], refs[0], ownImage, ownBranch)
	}
}

// refs are those that what users call uses the actions at.
func refs(t *testing.T) []string {
	t.Helper()
	var all []string
	paths, err := filepath.Glob(filepath.Join(root, ".github", "workflows", "pipeline.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, filepath.Join(root, "action.yml")) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found := usesOurs.FindAllSubmatch(text, -1)
		if found == nil {
			t.Errorf("%s uses none of the actions", path)
		}
		for _, one := range found {
			all = append(all, string(one[1]))
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
