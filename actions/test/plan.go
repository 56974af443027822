package test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/junit"
)

// label marks what a run makes in the engine, with the run's key as its value.
const label = "io.travois.test"

// ownNames begins the names of networks and volumes.
const ownNames = "travois-test-"

// plan is what a run will do.
type plan struct {
	// key is the run's, in labels and names.
	key, workspace string
	// repository is whose sources these are.
	repository string
	// tags are those that earlier images of the services may have.
	tags []string
	// suites are in the order given.
	suites []suite
	// services are the suites, what they depend on and the bases of both, by name;
	// order is their names in the source's order.
	services map[string]service
	order    []string

	timeout, idle time.Duration
	// tries is how often a suite is run until it passes.
	tries       int
	network     string
	failOnEmpty bool
	keep        bool
	// paths come from the input, before those that the services give.
	paths junit.PathMap
	// notes tell what of the services has no effect in a test.
	notes []string
}

// suite is a service whose exit code is the verdict.
type suite struct {
	name string
	// needs are all services that it depends on, directly or not.
	needs []string
	// bases are further services, of which only the image is made: those of the
	// suite's start from them.
	bases []string
	// reports are patterns in its container.
	reports   []string
	artifacts []copiedOut
}

// members are the services that have a container, the suite itself last.
func (s suite) members() []string { return append(slices.Clone(s.needs), s.name) }

// copiedOut is a file or folder that is copied out of a service's container.
type copiedOut struct {
	service string
	// from is a path in the container, to one relative to the workspace.
	from, to string
}

// service is a container of a suite or of something that it depends on, or an
// image that those of others start from, which has no container.
type service struct {
	name string
	// build is nil for an image that is pulled.
	build   *compose.Build
	secrets map[string][]byte
	// image is what is built or pulled.
	image image.Reference
	// repository is where images of the service are pushed by others, empty if
	// the source does not say.
	repository image.Reference
	container  engine.Container
	// aliases are its names in the suite's network.
	aliases []string
	// volumes are named ones, fresh for each try.
	volumes []engine.Volume
	copies  []copied
	// files are secrets and configs.
	files []compose.File
	needs []need
	// paths tell where folders of the container are in the repository.
	paths junit.PathMap
}

// need is a service that another one waits for.
type need struct {
	service string
	// condition is one of Compose's.
	condition string
	// optional tells that the other one is started without it too.
	optional bool
}

// makePlan decides everything that can be decided without the engine.
func makePlan(c config, key string, project *compose.Project) (plan, error) {
	p := plan{
		key: key, workspace: project.Workspace, services: map[string]service{}, timeout: c.Timeout, idle: c.IdleTimeout, tries: 1 + c.Retries,
		network: c.Network, failOnEmpty: c.FailOnEmpty, keep: c.Keep, paths: c.PathMap,
	}
	names, err := suiteNames(c, project)
	problems := []error{err}
	for _, name := range names {
		one := suite{name: name, needs: closure(project, name)}
		for _, member := range one.members() {
			if _, planned := p.services[member]; !planned {
				problems = append(problems, p.add(c, project, member))
			}
		}
		one.bases = bases(project, one.members())
		p.suites = append(p.suites, one)
	}
	problems = append(problems, p.addBases(c, project))
	for _, name := range project.Names {
		if _, used := p.services[name]; used {
			p.order = append(p.order, name)
		}
	}
	if c.Services != "" {
		p.notes = append(p.notes, unused(p, project)...)
	}
	problems = append(problems, p.takeReports(c.Reports), p.takeArtifacts(c.Artifacts))
	problems = append(problems, c.BuildArgs.Unknown("build-args", project.Names)...)
	problems = append(problems, c.Secrets.Unknown("secrets", project.Names)...)
	return p, errors.Join(problems...)
}

func (p *plan) add(c config, project *compose.Project, name string) error {
	one, notes, err := planService(c, p.key, project, project.Services[name])
	p.services[name] = one
	p.notes = append(p.notes, notes...)
	return err
}

// addBases plans the images of which nothing is run in any suite.
func (p *plan) addBases(c config, project *compose.Project) error {
	var problems []error
	for _, suite := range p.suites {
		for _, name := range suite.bases {
			if _, planned := p.services[name]; planned {
				continue
			}
			one := service{name: name}
			problems = append(problems, one.takeImage(c, p.key, project, project.Services[name]))
			p.services[name] = one
		}
	}
	return errors.Join(problems...)
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

// built are the names of the images that the run makes.
func (p plan) built() []string {
	var names []string
	for _, name := range p.order {
		if one := p.services[name]; one.build != nil {
			names = append(names, one.image.String())
		}
	}
	return names
}

func (p plan) suite(name string) int {
	return slices.IndexFunc(p.suites, func(one suite) bool { return one.name == name })
}
