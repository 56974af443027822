package e2e

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

// TestPipeline is a morning with the example on the Docker platform: each step
// goes on from the one before.
func TestPipeline(t *testing.T) {
	d := start(t, "e2e", "docker")

	first := d.push(t, true)
	wantResult(t, first, "test", "passed")
	wantResult(t, first, "build-push", "pushed")
	wantResult(t, first, "eb-deploy", "deployed")
	if image := pinned(t, filepath.Join(d.state, "release", "v1")); !strings.Contains(first, "docker run image="+image) {
		t.Errorf("the pipeline does not run the released image %s:\n%s", image, first)
	}
	if page := d.page(t); !strings.Contains(page, `id="root"`) {
		t.Errorf("the page is not the app's:\n%s", page)
	}
	d.post(t, "api/value", `{"value":"written through the form"}`)
	if values := d.get(t, "api/values"); !strings.Contains(values, "written through the form") {
		t.Errorf("MySQL has %s", values)
	}
	label := outputs(first, "eb-deploy")["version-label"]
	if got := d.aws(t, "elasticbeanstalk", "describe-environments", "--query", "Environments[0].[VersionLabel,Status,Health]"); got != label+"\tReady\tGreen" {
		t.Errorf("aws describes %q, want %s Ready Green", got, label)
	}

	bundles := d.bundles(t)
	again := d.push(t, true)
	wantResult(t, again, "eb-deploy", "unchanged")
	if got := d.bundles(t); got != bundles {
		t.Errorf("uploaded again: %s, had %s", got, bundles)
	}

	d.edit(t, "frontend/src/App.jsx", "<h1>Values</h1>", "<h1>Values of today</h1>")
	changed := d.push(t, true)
	wantResult(t, changed, "eb-deploy", "deployed")
	if page := d.page(t); !strings.Contains(page, "Values of today") {
		t.Error("the page does not show the changed line")
	}
	if values := d.get(t, "api/values"); !strings.Contains(values, "written through the form") {
		t.Errorf("the values are gone with the version: %s", values)
	}
	before, after := digests(t, first), digests(t, changed)
	if before["backend"] != after["backend"] || before["nginx"] != after["nginx"] || before["frontend"] == after["frontend"] {
		t.Errorf("one frontend line turned\n%v into\n%v", before, after)
	}

	tags, bundles := d.tags(t, "guk0/docker-frontend"), d.bundles(t)
	d.edit(t, "frontend/src/App.test.jsx", "No values yet.", "Never shown.")
	broken := d.push(t, false)
	wantResult(t, broken, "test", "failed")
	if got := d.tags(t, "guk0/docker-frontend"); got != tags {
		t.Errorf("a failed test pushed: %s, had %s", got, tags)
	}
	if got := d.bundles(t); got != bundles {
		t.Errorf("a failed test deployed: %s, had %s", got, bundles)
	}

	d.edit(t, "frontend/src/App.test.jsx", "Never shown.", "No values yet.")
	rollBack(t, d)
	if page := d.page(t); !strings.Contains(page, "Values of today") {
		t.Error("the previous version does not answer")
	}
}

// TestDockerrun is the same with Dockerrun.aws.json on the ECS platform.
func TestDockerrun(t *testing.T) {
	d := start(t, "e2e-ecs", "ecs")
	first := d.push(t, true)
	wantResult(t, first, "eb-deploy", "deployed")
	d.post(t, "api/value", `{"value":"over ECS"}`)
	rollBack(t, d)
	if values := d.get(t, "api/values"); !strings.Contains(values, "over ECS") {
		t.Errorf("the previous version does not answer: %s", values)
	}
}

// rollBack deploys a backend that exits at start.
func rollBack(t *testing.T, d *demo) {
	t.Helper()
	label := d.aws(t, "elasticbeanstalk", "describe-environments", "--query", "Environments[0].VersionLabel")
	d.edit(t, "backend/src/server.js", "\n", "\nconsole.error('backend: out of order today');\nprocess.exit(1);\n")
	log := d.push(t, false)
	wantResult(t, log, "test", "passed")
	wantResult(t, log, "eb-deploy", "rolled-back")
	if !strings.Contains(log, "backend: out of order today") {
		t.Errorf("the log does not say why:\n%s", log)
	}
	if got := d.aws(t, "elasticbeanstalk", "describe-environments", "--query", "Environments[0].VersionLabel"); got != label {
		t.Errorf("the environment runs %s, want %s", got, label)
	}
}

func wantResult(t *testing.T, log, job, want string) {
	t.Helper()
	if got := outputs(log, job)["result"]; got != want {
		t.Fatalf("%s set result=%q, want %q\n%s", job, got, want, log)
	}
}

func digests(t *testing.T, log string) map[string]string {
	t.Helper()
	var byService map[string]string
	if err := json.Unmarshal([]byte(outputs(log, "build-push")["digests"]), &byService); err != nil {
		t.Fatal(err)
	}
	return byService
}

// oneStep is a workflow with the action at the root of the repository.
const oneStep = `name: deploy
on: {push: {branches: [master]}}
permissions: {contents: read}
jobs:
  eb-deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - uses: guk0/travois@main
        id: travois
        env:
          AWS_ACCESS_KEY_ID: ${{ secrets.AWS_ACCESS_KEY_ID }}
          AWS_SECRET_ACCESS_KEY: ${{ secrets.AWS_SECRET_ACCESS_KEY }}
        with:
          test-services: |
            frontend:
              build: {context: ./frontend, dockerfile: Dockerfile.dev}
              command: npm run test
          build-services: |
            frontend: {image: guk0/docker-frontend, build: ./frontend}
            backend: {image: guk0/docker-backend, build: ./backend}
            nginx: {image: guk0/docker-nginx, build: ./nginx}
          registry: ${{ vars.DOCKER_REGISTRY }}
          username: ${{ vars.DOCKER_HUB_ID }}
          password: ${{ secrets.DOCKER_HUB_PASSWORD }}
          region: ap-northeast-2
          app: docker-fullstack
          env: Dockerfullstack-env
          deploy-compose-file: docker-compose.yml
      - run: echo "told ${{ steps.travois.outputs.test-result }} ${{ steps.travois.outputs.build-result }} ${{ steps.travois.outputs.deploy-result }}"
`

// TestOneStep runs the three actions as one, over their own names: in whole and
// as they are before a release, then released, on a branch that is not deployed.
func TestOneStep(t *testing.T) {
	d := start(t, "e2e-one", "docker")
	d.write(t, ".github/workflows/deploy.yml", oneStep)
	log := d.push(t, true)
	if !strings.Contains(log, "told passed pushed deployed") {
		t.Errorf("the composite's outputs are not those of its steps:\n%s", log)
	}
	if page := d.page(t); !strings.Contains(page, `id="root"`) {
		t.Errorf("the page is not the app's:\n%s", page)
	}

	bundles := d.bundles(t)
	d.edit(t, ".github/workflows/deploy.yml", "guk0/travois@main", "guk0/travois@v1")
	d.edit(t, ".github/workflows/deploy.yml", "          app: docker-fullstack\n", "          app: docker-fullstack\n          deploy-branch: release/*\n")
	log = d.push(t, true)
	if !strings.Contains(log, "told passed built \n") && !strings.Contains(log, "told passed built\n") {
		t.Errorf("another branch is not tested and built only:\n%s", log)
	}
	if reason := "Nothing is pushed and deployed: refs/heads/master is not the deploy-branch (release/*)"; !strings.Contains(log, reason) {
		t.Errorf("the log does not say %q:\n%s", reason, log)
	}
	if got := d.bundles(t); got != bundles {
		t.Errorf("another branch was deployed: %s, had %s", got, bundles)
	}
}
