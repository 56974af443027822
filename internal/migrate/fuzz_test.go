package migrate_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"

	"github.com/guk0/travois/internal/migrate"
	"github.com/guk0/travois/internal/travis"
)

// Whatever a .travis.yml holds ends as an error or as a workflow that is YAML.
func FuzzMigrate(f *testing.F) {
	for _, path := range archives(f) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range archive.Files {
			if strings.Contains(file.Name, "travis") {
				f.Add(file.Data)
			}
		}
	}
	f.Fuzz(func(t *testing.T, source []byte) {
		files := []travis.File{{Name: ".travis.yml", Source: source}}
		result, err := migrate.Migrate(files, migrate.Options{Beside: fstest.MapFS{}, Repair: true})
		if err != nil {
			return
		}
		var file map[string]any
		if err := yaml.Unmarshal([]byte(result.Workflow), &file); err != nil {
			t.Errorf("%v in\n%s", err, result.Workflow)
		}
	})
}
