package migrate

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The seed's deploy files, and what eb-deploy's own tests take as repaired;
// what only a person knows is left and said.
func TestMendSeed(t *testing.T) {
	read := func(name string) []byte {
		content, err := os.ReadFile(filepath.Join("..", "bundle", "testdata", "seed", name))
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	mended, changes := Mend("Dockerrun.aws.json", read("Dockerrun.aws.json"))
	if diff := cmp.Diff(string(read("Dockerrun.repaired.aws.json")), string(mended)); diff != "" {
		t.Errorf("Dockerrun.aws.json (-want +got):\n%s", diff)
	}
	want := []string{
		`2: repaired: the key "AWSEBDOCKERrunVersion" is spelt "AWSEBDockerrunVersion"`,
		"22: repaired: the container with port 80 is essential, since ECS takes no task without one",
	}
	if diff := cmp.Diff(want, texts(changes)); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	mended, changes = Mend("docker-compose.yml", read("docker-compose.yml"))
	known := strings.Replace(string(mended), "mem_limit: ***", "mem_limit: 256m", 1)
	diff := cmp.Diff(string(read("docker-compose.repaired.yml")), known)
	if diff != "" || len(changes) != 7 || texts(changes)[0] != "39: repaired: spaces for the tab in the indentation" || texts(changes)[6] != "45: left: mem_limit: *** stands for a value that only you know" {
		t.Errorf("docker-compose.yml: %q (-want +got):\n%s", changes, diff)
	}
}

func texts(mistakes []Mistake) []string {
	var out []string
	for _, m := range mistakes {
		out = append(out, m.String())
	}
	return out
}

// A file without a known mistake stays as it is, byte for byte.
func TestMendLeaves(t *testing.T) {
	for name, text := range map[string]string{
		"docker-compose.yml":  "services:\n  a: {image: x}  # c\n",
		"Dockerrun.aws.json":  `{"AWSEBDockerrunVersion": 2, "containerDefinitions": [{"essential": true, "portMappings": [{"hostPort": 80}]}]}`,
		"Dockerrun.aws.json ": "{",
	} {
		mended, changes := Mend(name, []byte(text))
		if string(mended) != text || len(changes) > 0 {
			t.Errorf("%s became %s: %q", text, mended, changes)
		}
	}
}
