package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"github.com/guk0/travois/internal/migrate"
	"github.com/guk0/travois/internal/travis"
)

// TestMigrated runs the workflow that travois-migrate makes of the example's
// .travis.yml, without an edit: it tests, pushes and deploys the app.
func TestMigrated(t *testing.T) {
	d := start(t, "e2e-migrated", "docker")
	source, err := os.ReadFile(filepath.Join(d.source, ".travis.yml"))
	if err != nil {
		t.Fatal(err)
	}
	files := []travis.File{{Name: ".travis.yml", Source: source}}
	result, err := migrate.Migrate(files, migrate.Options{Beside: os.DirFS(d.source)})
	if err != nil {
		t.Fatal(err)
	}
	d.write(t, ".github/workflows/deploy.yml", result.Workflow)

	runMigrated(t, d)
}

// TestMigratedPieces runs what travois-migrate makes of a .travis.yml in two
// pieces, beside deploy files with the mistakes that --repair mends. Only what
// nobody else can know is filled in: the memory of one container.
func TestMigratedPieces(t *testing.T) {
	d := start(t, "e2e-pieces", "docker")
	for _, file := range pieces(t) {
		if !strings.HasPrefix(file.Name, "want/") {
			d.write(t, file.Name, strings.ReplaceAll(string(file.Data), "mem_limit: ***", "mem_limit: 256m"))
		}
	}
	program, err := filepath.Abs(filepath.Join(d.state, "bin", "travois-migrate"))
	if err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./cmd/travois-migrate")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	command := exec.CommandContext(t.Context(), program, "--repair", "travis.yml", "travis-deploy.yml")
	command.Dir = d.source
	var listed bytes.Buffer
	command.Stderr = &listed
	workflow, err := command.Output()
	if err != nil {
		t.Fatalf("travois-migrate: %v\n%s", err, &listed)
	}
	if strings.Contains(listed.String(), "Left to do by hand:") {
		t.Errorf("something is left to do by hand:\n%s", &listed)
	}
	d.write(t, ".github/workflows/deploy.yml", string(workflow))
	// The file names the bucket of its owner's account, which is there.
	d.aws(t, "s3", "mb", "s3://elasticbeanstalk-ap-northeast-2-957930470982")
	runMigrated(t, d)
}

// pieces are the .travis.yml in two pieces and the files beside it.
func pieces(t *testing.T) []txtar.File {
	t.Helper()
	archive, err := txtar.ParseFile(filepath.Join(root, "internal", "migrate", "testdata", "seed.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	return archive.Files
}

// runMigrated pushes, and wants the app tested, its images pushed and deployed.
func runMigrated(t *testing.T, d *demo) {
	t.Helper()
	run := d.push(t, true)
	wantResult(t, run, "test", "passed")
	wantResult(t, run, "build-push", "pushed")
	wantResult(t, run, "eb-deploy", "deployed")
	if page := d.page(t); !strings.Contains(page, `id="root"`) {
		t.Errorf("the page is not the app's:\n%s", page)
	}
}
