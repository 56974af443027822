package action_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/action"
)

const workflow = `
on: push
env: {ACCOUNT: "${{ secrets.AWS_ACCOUNT }}", PLAIN: word}
jobs:
  images:
    env: {OWNER: "${{ secrets.OWNER }}", MIXED: "of ${{ secrets.OWNER }}"}
    steps:
      - uses: docker/login-action@v3
        with: {username: "${{ secrets.OTHER }}"}
      - uses: guk0/travois/actions/build-push@v1
        with:
          username: ${{ secrets.DOCKER_HUB_ID }}
          password: ${{ secrets.DOCKER_HUB_PASSWORD }}
          registry: ${{ env.ACCOUNT }}.dkr.ecr.eu-west-1.amazonaws.com
          dry-run: true
          services: |
            web: {image: "${{ env.OWNER }}/web", build: .}
            api: {image: "${{ vars.TEAM }}/api", build: "${{ env.MIXED }}"}
      - uses: guk0/travois/actions/build-push@v1
        with: {username: "${{ secrets.THIRD }}", registry: another.example}
  other:
    steps:
      - uses: ./actions/build-push
        with: {username: "${{ secrets.DOCKER_HUB_ID }}"}
      - uses: ./actions/build-push
        with: {username: "${{ secrets.A || 'guk0' }}", tags: "${{ github.ref_name }}"}
`

// TestFromSecrets tells what of a step's inputs comes out of secrets by the
// workflow alone.
func TestFromSecrets(t *testing.T) {
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, ".github/workflows"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".github/workflows/deploy.yml"), workflow)
	write(t, filepath.Join(dir, ".github/workflows/broken.yaml"), "jobs: [")
	write(t, filepath.Join(dir, ".github/workflows/preview.yml"), strings.ReplaceAll(workflow, "secrets.", "vars."))
	inputs := []string{
		"GITHUB_WORKSPACE=" + dir, "INPUT_USERNAME=guk0", "INPUT_PASSWORD=sesame", "INPUT_REGISTRY=123.dkr.ecr.eu-west-1.amazonaws.com", "INPUT_DRY-RUN=true",
		"INPUT_SERVICES=web: {image: \"ann/web\", build: .}\napi: {image: \"team/api\", build: \"of ann\"}\n",
	}
	for _, c := range []struct {
		name    string
		environ []string
		want    []action.FromSecret
	}{
		{"all", append(inputs, "GITHUB_JOB=images"), []action.FromSecret{{"password", "sesame"}, {"registry", "123"}, {"services", "ann"}, {"username", "guk0"}}},
		{"other inputs", append(inputs, "GITHUB_JOB=images", "INPUT_SERVICES=web: {}"), nil},
		{"another job", append(inputs, "GITHUB_JOB=other"), []action.FromSecret{{"username", "guk0"}}},
		{"another workflow", append(inputs, "GITHUB_JOB=images", "GITHUB_WORKFLOW_REF=guk0/app/.github/workflows/preview.yml@refs/heads/main"), nil},
		{"called by another workflow", append(inputs, "GITHUB_JOB=other", "GITHUB_WORKFLOW_REF=guk0/app/.github/workflows/none.yml@refs/heads/main"), []action.FromSecret{{"username", "guk0"}}},
		{"no such job", append(inputs, "GITHUB_JOB=none"), nil},
		{"no workflows", []string{"GITHUB_WORKSPACE=" + t.TempDir(), "GITHUB_JOB=images"}, nil},
	} {
		got := action.NewRunner(c.environ, &bytes.Buffer{}).FromSecrets("build-push")
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
