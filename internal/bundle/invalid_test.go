package bundle

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/place"
)

func TestInvalid(t *testing.T) {
	for _, c := range []struct {
		name, src, want string
	}{
		{"what Compose takes", "version: '2.4'\nx-a: {b: c}\nservices:\n  web:\n    image: a\n    build: {nonsense: 1}\n    mem_limit: ${MEM}\n    ports: ['80:80', 81, '${PORT}:82', {target: 83, published: '83'}]\n" +
			"    environment: [A, B=1]\n    env_file: [{path: x}]\n    depends_on: [db]\n    read_only: ${RO}\n    healthcheck: {retries: '${N}', interval: 5s}\n    logging: {driver: json-file, options: {max-size: 1m}}\n" +
			"  db: {image: mysql, volumes_from: [other], networks: {back: {aliases: [x]}}}\n  other: {image: a}\nnetworks: {back: }\nvolumes: {v: {external: true}}\n", ""},
		{"a misspelt key", "services:\n  web:\n    image: a\n    envronment: {A: b}\n    prots: [x]\n    container_nam: x\n",
			"f:4: services.web has a key \"envronment\", which Compose does not know; did you mean \"environment\"?\n" +
				"f:5: services.web has a key \"prots\", which Compose does not know; did you mean \"ports\"?\n" +
				"f:6: services.web has a key \"container_nam\", which Compose does not know; did you mean \"container_name\"?"},
		{"keys at other places", "servces: {}\nservices:\n  web: {image: a, healthcheck: {tests: x}, logging: {drive: x}}\n",
			"f:1: the file has a key \"servces\", which Compose does not know; did you mean \"services\"?\n" +
				"f:3: services.web.healthcheck has a key \"tests\", which Compose does not know; did you mean \"test\"?\n" +
				"f:3: services.web.logging has a key \"drive\", which Compose does not know; did you mean \"driver\"?"},
		{"types", "services:\n  web:\n    image: a\n    ports: 80\n    volumes:\n      - 3\n    restart: [x]\n    environment: {A: [b]}\n",
			"f:4: services.web.ports is \"80\"; Compose takes a list\n" +
				"f:6: services.web.volumes.0 is \"3\"; Compose takes a text\n" +
				"f:7: services.web.restart is a list; Compose takes a text\n" +
				"f:8: services.web.environment.A is a list; Compose takes nothing or true or false or a number or a text"},
		{"through an anchor", "x-c: &c\n  restrat: x\nservices:\n  a: {<<: *c, image: a}\n  b: {<<: *c, image: a}\n",
			"f:2: services.a has a key \"restrat\", which Compose does not know; did you mean \"restart\"?\n" +
				"f:2: services.b has a key \"restrat\", which Compose does not know; did you mean \"restart\"?"},
		{"a tab, and more", "services:\n  web:\n\timage: a\n\timages: a\n", "f:4: services.web has a key \"images\", which Compose does not know; did you mean \"image\"?"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := ""
			if err := Invalid(t.Context(), "f", []byte(c.src), nil); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	known := errors.Join(place.At("f", 3, errors.New("known")))
	if err := Invalid(t.Context(), "f", []byte("services:\n  web:\n    imge: a\n"), known); err != nil {
		t.Errorf("what is known is told again: %v", err)
	}
}

// TestSeedIsValid holds the files that users come with against the specification.
func TestSeedIsValid(t *testing.T) {
	src, err := os.ReadFile("testdata/seed/docker-compose.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := Invalid(t.Context(), "f", src, nil); err != nil && !strings.Contains(err.Error(), "mem_limit") {
		t.Error(err)
	}
}
