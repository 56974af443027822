package compose

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/compose-spec/compose-go/v2/types"
)

// resolveEnvironment fills the services' environment from their files, less
// those of which only the image is used.
func (p *Project) resolveEnvironment(selected []string) error {
	var problems []error
	run := p.withDependencies(selected)
	for _, name := range p.Names {
		service, loaded := p.Services[name]
		if loaded && len(run) > 0 && !slices.Contains(run, name) {
			service.EnvFiles = nil
			p.Services[name] = service
		}
		for _, file := range service.EnvFiles {
			if err := checkEnvFile(p.Workspace, file); err != nil {
				problems = append(problems, p.At(name, fmt.Errorf("service %q: env_file: %w", name, err)))
			}
		}
	}
	if len(problems) > 0 {
		return errors.Join(problems...)
	}
	resolved, err := p.WithServicesEnvironmentResolved(false)
	if err != nil {
		return locate(p.sources, err)
	}
	p.Project = resolved
	return nil
}

// withDependencies are the selected services that exist, with all that they
// depend on.
func (p *Project) withDependencies(selected []string) []string {
	var all []string
	next := slices.Clone(selected)
	for len(next) > 0 {
		name := next[0]
		next = next[1:]
		if service, exists := p.Services[name]; exists && !slices.Contains(all, name) {
			all = append(all, name)
			next = slices.AppendSeq(next, maps.Keys(service.DependsOn))
		}
	}
	return all
}

func checkEnvFile(workspace string, file types.EnvFile) error {
	info, err := os.Stat(file.Path)
	name := relative(workspace, file.Path)
	switch {
	case errors.Is(err, os.ErrNotExist) && !bool(file.Required):
		return nil
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("there is no %s in the workspace; write it in a step before this one, or say {path: %s, required: false} and give the variables in environment", name, name)
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("%s is a folder", name)
	}
	return nil
}
