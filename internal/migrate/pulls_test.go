package migrate

import (
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
	"golang.org/x/tools/txtar"
)

// No deployment of any golden can run on a pull request.
func TestNoDeploymentOnPulls(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	deployments := 0
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if f.Name == "want/deploy.yml" {
				deployments += checkPulls(t, path, f.Data)
			}
		}
	}
	if deployments < 20 {
		t.Errorf("%d deployments were looked at, want at least 20", deployments)
	}
}

func checkPulls(t *testing.T, path string, source []byte) (deployments int) {
	t.Helper()
	var file struct {
		Jobs map[string]struct {
			If    string
			Steps []struct{ If, Uses string }
		}
	}
	if err := yaml.Unmarshal(source, &file); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	for name, job := range file.Jobs {
		for _, step := range job.Steps {
			if !strings.Contains(step.Uses, "/eb-deploy@") {
				continue
			}
			deployments++
			if !excludesPulls(bareExpression(job.If)) && !excludesPulls(bareExpression(step.If)) {
				t.Errorf("%s: the deployment of %s may run on a pull request: if: %s, if: %s", path, name, job.If, step.If)
			}
		}
	}
	return deployments
}

func bareExpression(condition string) string {
	return strings.TrimSuffix(strings.TrimPrefix(condition, "${{ "), " }}")
}
