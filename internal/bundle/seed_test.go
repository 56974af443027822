package bundle

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the goldens in testdata")

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "seed", name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// golden compares with a file in testdata/seed, which -update writes.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(filepath.Join("testdata", "seed", name), []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readFile(t, name)), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

const zeros = "@sha256:0000000000000000000000000000000000000000000000000000000000000000"

func seedImages() map[string]string {
	return map[string]string{
		"frontend": "guk0/docker-frontend:sha-0123456789ab" + zeros,
		"backend":  "guk0/docker-backend:sha-0123456789ab" + zeros,
		"nginx":    "guk0/docker-nginx:sha-0123456789ab" + zeros,
	}
}

func TestSeedAsItStands(t *testing.T) {
	_, err := RenderCompose("docker-compose.yml", readFile(t, "docker-compose.yml"), seedImages())
	if err == nil {
		t.Fatal("the Compose file renders, with a tab in it")
	}
	golden(t, "docker-compose.error", err.Error())
	_, err = RenderDockerrun("Dockerrun.aws.json", readFile(t, "Dockerrun.aws.json"), seedImages())
	if err == nil {
		t.Fatal("the Dockerrun file renders, with a misspelt key in it")
	}
	golden(t, "Dockerrun.error", err.Error())
}

func TestSeedRepaired(t *testing.T) {
	compose, err := RenderCompose("docker-compose.yml", readFile(t, "docker-compose.repaired.yml"), seedImages())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "docker-compose.rendered.yml", string(compose.Content))
	golden(t, "docker-compose.changes", changeLines(compose.Changes))
	dockerrun, err := RenderDockerrun("Dockerrun.aws.json", readFile(t, "Dockerrun.repaired.aws.json"), seedImages())
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "Dockerrun.rendered.aws.json", string(dockerrun.Content))
	golden(t, "Dockerrun.changes", changeLines(dockerrun.Changes))
}
