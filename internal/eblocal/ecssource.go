package eblocal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// task is a Dockerrun.aws.json of version 2: an ECS task definition in the main.
type task struct {
	Containers []containerDefinition `json:"containerDefinitions"`
	Volumes    []volumeDefinition    `json:"volumes"`
}

type volumeDefinition struct {
	Name string `json:"name"`
	Host struct {
		SourcePath string `json:"sourcePath"`
	} `json:"host"`
}

// taskKeys are the keys of the file that mean something here, or nothing anywhere.
var taskKeys = []string{"AWSEBDockerrunVersion", "containerDefinitions", "volumes", "family", "authentication"}

// ecsSource reads a bundle as the ECS platform does.
func ecsSource(app string, props map[string]string) (source, error) {
	data, err := os.ReadFile(filepath.Join(app, dockerrunFile))
	if err != nil {
		return source{}, fmt.Errorf("ECS Application sourcebundle validation error: %s is missing at the root of the source bundle", dockerrunFile)
	}
	t, warnings, err := parseTask(data)
	if err != nil {
		return source{}, err
	}
	out := source{name: dockerrunFile, vars: map[string]string{}, warnings: warnings}
	for _, c := range t.Containers {
		if !c.essential() {
			out.optional = append(out.optional, c.Name)
		}
	}
	out.compose, err = t.compose(layout{app: app, host: filepath.Join(filepath.Dir(app), "host")}, props)
	return out, err
}

// parseTask reads the file and says what in it has no effect here.
func parseTask(data []byte) (task, []string, error) {
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(data, &keys); err != nil {
		return task{}, nil, fmt.Errorf("ECS Application sourcebundle validation error: %s is not valid JSON: %w", dockerrunFile, err)
	}
	if version := strings.TrimSpace(string(keys["AWSEBDockerrunVersion"])); version != "2" {
		return task{}, nil, fmt.Errorf("ECS Application sourcebundle validation error: Unsupported AWSEBDockerrunVersion: %s", strings.Trim(version, `"`))
	}
	var t task
	if err := json.Unmarshal(data, &t); err != nil {
		return task{}, nil, fmt.Errorf("ECS Application sourcebundle validation error: %s: %w", dockerrunFile, err)
	}
	warnings := unknownKeys("", keys, taskKeys)
	var raw struct {
		Containers []map[string]json.RawMessage `json:"containerDefinitions"`
	}
	if err := json.Unmarshal(data, &raw); err != nil {
		return task{}, nil, fmt.Errorf("%s: %w", dockerrunFile, err)
	}
	for i, c := range raw.Containers {
		warnings = append(warnings, unknownKeys(fmt.Sprintf(" of container %q", t.Containers[i].Name), c, containerKeys)...)
	}
	return t, warnings, t.check()
}

func unknownKeys(where string, keys map[string]json.RawMessage, known []string) []string {
	var warnings []string
	for _, key := range sortedKeys(keys) {
		if !slices.Contains(known, key) {
			warnings = append(warnings, fmt.Sprintf("%s: key %q%s is not known here and has no effect.", dockerrunFile, key, where))
		}
	}
	return warnings
}

// check reports all that ECS would refuse.
func (t task) check() error {
	var errs []error
	if len(t.Containers) == 0 {
		return fmt.Errorf("%s: containerDefinitions must hold at least one container", dockerrunFile)
	}
	essential := false
	for _, c := range t.Containers {
		essential = essential || c.essential()
		errs = append(errs, c.check(t))
	}
	if !essential {
		errs = append(errs, fmt.Errorf("%s: at least one container must be essential: take \"essential\": false from the one that the others serve", dockerrunFile))
	}
	return errors.Join(errs...)
}

func (t task) has(name string) bool {
	return slices.ContainsFunc(t.Containers, func(c containerDefinition) bool { return c.Name == name })
}

func (t task) volume(name string) (volumeDefinition, bool) {
	for _, v := range t.Volumes {
		if v.Name == name {
			return v, true
		}
	}
	return volumeDefinition{}, false
}

// layout is where an instance's directories are on this machine.
type layout struct {
	app  string // the unpacked bundle: /var/app/current on an instance
	host string // stands for the rest of the instance's disk
}

// bind maps a path on an instance to one on this machine, so that two instances
// don't share a directory that on AWS each has of its own.
func (l layout) bind(path string) string {
	for _, root := range []string{"/var/app/current", "/var/app/staging"} {
		if rest, ok := strings.CutPrefix(path, root); ok && (rest == "" || rest[0] == '/') {
			return filepath.Join(l.app, rest)
		}
	}
	if path == "/var/run/docker.sock" || path == "/run/docker.sock" {
		return path
	}
	return filepath.Join(l.host, path)
}

// compose writes the task as a Compose file of version 2.4, which has all that
// a task definition has.
func (t task) compose(l layout, props map[string]string) ([]byte, error) {
	services, volumes := map[string]any{}, map[string]any{}
	for _, c := range t.Containers {
		services[c.Name] = c.service(t, l, props)
	}
	for _, v := range t.Volumes {
		if v.Host.SourcePath == "" {
			volumes[v.Name] = map[string]any{}
		}
	}
	document := map[string]any{"version": "2.4", "services": services}
	if len(volumes) > 0 {
		document["volumes"] = volumes
	}
	return yaml.Marshal(document)
}
