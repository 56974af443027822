package eblocal

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/dotenv"
	"go.yaml.in/yaml/v3"
)

// noDeployFile is the platform's own text.
const noDeployFile = "Both 'Dockerfile' and 'Dockerrun.aws.json' are missing in your source bundle. Include at least one of them. The deployment failed."

// dockerSource reads a bundle as the Docker platform does: a Compose file at its
// root, else a Dockerrun.aws.json of version 1.
func dockerSource(app string, props map[string]string) (source, error) {
	vars, err := dotEnv(app, props)
	if err != nil {
		return source{}, err
	}
	if data, err := os.ReadFile(filepath.Join(app, composeFile)); err == nil {
		return source{name: composeFile, compose: data, vars: vars}, nil
	}
	data, err := os.ReadFile(filepath.Join(app, dockerrunFile))
	switch {
	case err == nil:
		return singleContainer(data, vars, props)
	case exists(filepath.Join(app, "Dockerfile")):
		return source{}, errors.New("the bundle is to be built from a Dockerfile, which eb-local does not do: add a docker-compose.yml that builds it")
	}
	return source{}, troubles{noDeployFile}
}

// dotEnv writes the environment properties as .env, unless the bundle has one,
// and returns what .env says.
func dotEnv(app string, props map[string]string) (map[string]string, error) {
	file := filepath.Join(app, ".env")
	if !exists(file) {
		var b strings.Builder
		for _, name := range sortedKeys(props) {
			b.WriteString(name + "=" + quoteEnv(props[name]) + "\n")
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			return nil, err
		}
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	vars, err := dotenv.Parse(bytes.NewReader(data))
	if err != nil {
		// Its text may quote a value.
		return nil, errors.New(".env: expected NAME=value lines")
	}
	return vars, nil
}

var plainEnv = regexp.MustCompile(`^[A-Za-z0-9_./:@%+,=-]*$`)

// quoteEnv writes a value so that both generations of Compose read it unchanged;
// for one with both ' and $ there is no such form, and the newer one's is taken.
func quoteEnv(value string) string {
	switch {
	case plainEnv.MatchString(value):
		return value
	case !strings.Contains(value, "'"):
		return "'" + value + "'"
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`).Replace(value) + `"`
}

// dockerrun1 is the part of a Dockerrun.aws.json of version 1 that is run here.
type dockerrun1 struct {
	Version any `json:"AWSEBDockerrunVersion"`
	Image   struct{ Name string }
	Ports   []struct{ ContainerPort any }
}

func singleContainer(data []byte, vars, props map[string]string) (source, error) {
	var d dockerrun1
	if err := json.Unmarshal(data, &d); err != nil {
		return source{}, fmt.Errorf("%s: %w", dockerrunFile, err)
	}
	if version := fmt.Sprint(d.Version); version != "1" {
		return source{}, fmt.Errorf("%s: AWSEBDockerrunVersion is %s: expected \"1\" without a docker-compose.yml on the Docker platform", dockerrunFile, version)
	}
	if d.Image.Name == "" || len(d.Ports) == 0 {
		return source{}, fmt.Errorf("%s: Image.Name and Ports must be given", dockerrunFile)
	}
	port, err := strconv.Atoi(fmt.Sprint(d.Ports[0].ContainerPort))
	if err != nil {
		return source{}, fmt.Errorf("%s: Ports[0].ContainerPort: expected a number, got %v", dockerrunFile, d.Ports[0].ContainerPort)
	}
	compose, err := yaml.Marshal(map[string]any{"version": "2.4", "services": map[string]any{"app": map[string]any{
		"image":       escape(d.Image.Name),
		"ports":       []string{fmt.Sprintf("%d:%d", webPort, port)},
		"environment": escapeAll(props),
	}}})
	return source{name: dockerrunFile, compose: compose, vars: vars}, err
}

// escape keeps Compose from seeing a variable where none is meant.
func escape(text string) string { return strings.ReplaceAll(text, "$", "$$") }

func escapeAll(m map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[k] = escape(v)
	}
	return out
}
