package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/image"
)

// label marks what a run makes in the engine, with the run's key as its value.
const label = "io.travois.test"

// plan is the suites in the order given.
type plan struct {
	suites []suite
}

// suite is a container whose exit code is the verdict.
type suite struct {
	name string
	// build is nil for an image that is pulled.
	build   *compose.Build
	secrets map[string][]byte
	// image is what is built or pulled.
	image     image.Reference
	container engine.Container
}

// makePlan decides everything that can be decided without the engine.
func makePlan(c config, key string, project *compose.Project) (plan, error) {
	var p plan
	names := []string(c.Suites)
	var problems []error
	switch {
	case len(names) == 0 && c.Services == "":
		problems = append(problems, action.BadInput("suites", "is empty; name the services of the Compose file that are test suites, one a line; there are: %s", strings.Join(project.Names, ", ")))
	case len(names) == 0:
		names = project.Names
	}
	services, err := project.Select("suites", names)
	problems = append(problems, err)
	for _, service := range services {
		one, err := planSuite(c, key, project, service)
		problems = append(problems, err)
		p.suites = append(p.suites, one)
	}
	problems = append(problems, c.BuildArgs.Unknown("build-args", project.Names)...)
	problems = append(problems, c.Secrets.Unknown("secrets", project.Names)...)
	return p, errors.Join(problems...)
}

func planSuite(c config, key string, project *compose.Project, service types.ServiceConfig) (suite, error) {
	one := suite{name: service.Name, secrets: map[string][]byte{}}
	problems := unsupported(project, service)
	if service.Build != nil {
		build, err := project.Build(service)
		problems = append(problems, err)
		args := map[string]string{}
		maps.Copy(args, build.Args)
		maps.Copy(args, c.BuildArgs.For(service.Name))
		build.Args = args
		one.build = &build
		one.image = image.Reference{Repository: suiteImages + imageName(service.Name), Tag: key}
	} else {
		reference, err := c.Name(service.Image)
		if err != nil {
			problems = append(problems, project.At(service.Name, fmt.Errorf("service %q: %w", service.Name, err)))
		}
		one.image = reference
	}
	for name, value := range c.Secrets.For(service.Name) {
		one.secrets[name] = []byte(value)
	}
	one.container = engine.Container{
		Entrypoint: service.Entrypoint, Command: service.Command, Env: environment(service),
		WorkingDir: service.WorkingDir, User: service.User, Labels: map[string]string{label: key},
	}
	return one, errors.Join(problems...)
}

// suiteImages begins the names of the images that are built.
const suiteImages = "travois-test/"

var notInRepository = regexp.MustCompile(`[^a-z0-9]+`)

// imageName makes a service's name fit for a repository. Two services never
// get the same.
func imageName(service string) string {
	sum := sha256.Sum256([]byte(service))
	readable := strings.Trim(notInRepository.ReplaceAllString(strings.ToLower(service), "-"), "-")
	return strings.TrimPrefix(readable+"-"+hex.EncodeToString(sum[:4]), "-")
}

// environment is CI=true, as Travis set it, and the service's own.
func environment(service types.ServiceConfig) []string {
	values := map[string]string{"CI": "true"}
	for name, value := range service.Environment {
		if value != nil {
			values[name] = *value
		}
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		pairs = append(pairs, name+"="+values[name])
	}
	return pairs
}

// used are the keys of a service that a suite carries.
var used = []string{"Name", "Image", "Build", "Command", "Entrypoint", "Environment", "EnvFiles", "WorkingDir", "User", "Extensions"}

// without are the keys that have no effect on a test run: it is started once,
// under a name of its own, and nothing connects to it from outside.
var without = []string{"ContainerName", "Restart", "StdinOpen", "Tty", "Ports", "Expose", "Profiles", "Labels", "Attach"}

func unsupported(project *compose.Project, service types.ServiceConfig) []error {
	var problems []error
	value := reflect.ValueOf(service)
	for _, field := range reflect.VisibleFields(value.Type()) {
		if field.Anonymous || value.FieldByIndex(field.Index).IsZero() || slices.Contains(used, field.Name) || slices.Contains(without, field.Name) || onlyDefaultNetwork(field.Name, service) {
			continue
		}
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		problems = append(problems, project.At(service.Name, fmt.Errorf("service %q: %s is not supported in a suite; remove it, or give the suite in a file of its own", service.Name, key)))
	}
	return problems
}

// onlyDefaultNetwork tells what the parser adds to every service.
func onlyDefaultNetwork(field string, service types.ServiceConfig) bool {
	_, standard := service.Networks["default"]
	return field == "Networks" && len(service.Networks) == 1 && standard
}
