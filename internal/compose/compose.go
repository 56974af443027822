// Package compose owns the user's services: inline in an input or from Compose
// files, parsed by the reference parser, with the place of every problem.
package compose

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
)

// DefaultFile is read where neither services nor files are given.
const DefaultFile = "docker-compose.yml"

// InlineInput is the input that holds inline services, in error texts.
const InlineInput = "input services"

// Source says where services come from.
type Source struct {
	// Inline is the body of Compose's `services:`. Its paths are relative to
	// the workspace.
	Inline string
	// Files are merged in order, as `docker compose -f a -f b` does. Paths in
	// them are relative to the first one's folder.
	Files []string
	// Workspace is an absolute path.
	Workspace string
	// Vars fill ${NAME}; nothing else does.
	Vars map[string]string
	// Keys are the keys of a service that will be used, all of them if nil. A
	// ${NAME} without a value is an error only there.
	Keys []string
	// Select are the services that will be used, with what they depend on and
	// what their images start from; all of them if empty. What is missing for
	// others is no error.
	Select []string
}

// Project is the services with what belongs to them.
type Project struct {
	*types.Project
	// Names are the services' in the order of the source.
	Names []string
	// Workspace is an absolute path.
	Workspace string

	sources []source
}

// Load reads and checks services. All that can be found wrong is reported
// together, each with file and line.
func Load(ctx context.Context, from Source) (*Project, error) {
	sources, err := from.read()
	if err != nil {
		return nil, err
	}
	var problems []error
	used := wanted(sources, from.Select)
	for _, one := range sources {
		problems = append(problems, one.problems(from, used)...)
	}
	problems = append(problems, hollow(sources)...)
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	logrus.SetOutput(io.Discard) // the parser's warnings are about Compose itself
	project, err := load(ctx, from.details(sources), from.Select, func(o *loader.Options) {
		o.SetProjectName("travois", true)
		o.ResolvePaths = true
		o.SkipResolveEnvironment = true // a file that is missing would be all that is told
		o.Profiles = []string{"*"}
	})
	if err != nil {
		return nil, locate(sources, err)
	}
	found := &Project{Project: project, Names: withIncluded(names(sources), project), Workspace: from.Workspace, sources: sources}
	if !from.uses("environment") {
		return found, nil
	}
	if err := found.resolveEnvironment(from.Select); err != nil {
		return nil, err
	}
	return found, nil
}

// withIncluded adds the services of included files.
func withIncluded(names []string, project *types.Project) []string {
	for _, name := range project.ServiceNames() {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

func (s Source) uses(key string) bool { return s.Keys == nil || slices.Contains(s.Keys, key) }

func (s Source) read() ([]source, error) {
	if s.Inline != "" && len(s.Files) > 0 {
		return nil, errors.New("inputs services and compose-file are both given; give one of them")
	}
	if s.Inline != "" {
		one, err := parseInline(s.Inline, s.Workspace)
		return []source{one}, err
	}
	files := s.Files
	if len(files) == 0 {
		files = []string{DefaultFile}
	}
	var sources []source
	var problems []error
	for _, file := range files {
		one, err := s.readFile(file)
		problems = append(problems, err)
		sources = append(sources, one)
	}
	return sources, errors.Join(problems...)
}

func (s Source) readFile(file string) (source, error) {
	path := file
	if !filepath.IsAbs(path) {
		path = filepath.Join(s.Workspace, file)
	}
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && len(s.Files) == 0 {
		return source{}, fmt.Errorf("neither the input services nor compose-file is given, and the workspace has no %s: give one of them", DefaultFile)
	}
	if errors.Is(err, os.ErrNotExist) {
		return source{}, fmt.Errorf("input compose-file: there is no file %s in the workspace (was the repository checked out before this step?)", file)
	}
	if err != nil {
		return source{}, fmt.Errorf("input compose-file: %w", err)
	}
	return parseFile(file, path, text)
}

func (s Source) details(sources []source) types.ConfigDetails {
	details := types.ConfigDetails{WorkingDir: filepath.Dir(sources[0].path), Environment: s.Vars}
	if details.Environment == nil {
		details.Environment = types.Mapping{}
	}
	for _, one := range sources {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: one.path, Content: one.text})
	}
	return details
}

// Select is the named services, in the order given. Unknown names are errors
// that list the known ones.
func (p *Project) Select(input string, wanted []string) ([]types.ServiceConfig, error) {
	var services []types.ServiceConfig
	var problems []error
	for _, name := range wanted {
		service, ok := p.Services[name]
		if !ok {
			problems = append(problems, fmt.Errorf("input %s: there is no service %q; there are: %s", input, name, strings.Join(p.Names, ", ")))
			continue
		}
		services = append(services, service)
	}
	return services, errors.Join(problems...)
}

// At gives an error about a service its place: the line where the service
// begins in the last source that has it.
func (p *Project) At(service string, err error) error { return at(p.sources, service, err) }
