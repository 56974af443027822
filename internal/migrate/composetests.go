package migrate

import (
	"fmt"
	"strings"
)

// compose reads docker-compose commands: up that ends with a container is a
// test of the Compose files.
func (t *tests) compose(d *docker) error {
	verb, rest := composeVerb(d)
	switch verb {
	case "build", "pull", "down", "stop", "rm", "version", "config", "ps", "push", "":
		return nil
	case "up":
	default:
		return fmt.Errorf("docker-compose %s: the command is not in the Compose files, so it stays as it is", verb)
	}
	suite := ""
	ends := false
	for i, a := range rest {
		text, _ := a.lit()
		switch {
		case text == "--exit-code-from" && i+1 < len(rest):
			suite = rest[i+1].String()
		case strings.HasPrefix(text, "--exit-code-from="):
			suite = strings.TrimPrefix(text, "--exit-code-from=")
		case text == "--abort-on-container-exit":
			ends = true
		case text == "-d" || text == "--detach":
			return fmt.Errorf("docker-compose up -d: something outside uses the containers")
		}
	}
	if suite == "" {
		if ends {
			return fmt.Errorf("docker-compose up --abort-on-container-exit does not say which service is the test: add --exit-code-from")
		}
		return fmt.Errorf("docker-compose up does not end by itself")
	}
	t.composeUp = true
	t.composeSuites = append(t.composeSuites, suite)
	files := d.composeFiles()
	if len(files) == 0 {
		files = []string{strings.TrimPrefix(d.inWorkspace("docker-compose.yml"), "./")}
	}
	t.composeFiles = files
	return nil
}

// composeVerb is the verb of a docker-compose command and what follows it.
func composeVerb(d *docker) (string, []arg) {
	if len(d.args) == 0 {
		return "", nil
	}
	verb, _ := d.args[0].lit()
	return verb, d.args[1:]
}

func (d *docker) composeFiles() []string {
	var files []string
	for _, a := range d.all("file") {
		files = append(files, strings.TrimPrefix(d.inWorkspace(a.String()), "./"))
	}
	return files
}
