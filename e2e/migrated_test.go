package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

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

	run := d.push(t, true)
	wantResult(t, run, "test", "passed")
	wantResult(t, run, "build-push", "pushed")
	wantResult(t, run, "eb-deploy", "deployed")
	if page := d.page(t); !strings.Contains(page, `id="root"`) {
		t.Errorf("the page is not the app's:\n%s", page)
	}
}
