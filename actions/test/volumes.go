package test

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/junit"
)

// takeVolumes sorts a service's volumes. A bind mount of its own build context
// is left out as far as the image holds the files already, and so are anonymous
// volumes below it; one of another part of the workspace becomes a copy.
func (s *service) takeVolumes(project *compose.Project, from types.ServiceConfig) ([]string, error) {
	var notes []string
	var problems []error
	hidden := ownContext(from)
	for _, volume := range from.Volumes {
		note, err := s.takeVolume(project, from, volume, hidden)
		if err != nil {
			problems = append(problems, project.At(from.Name, fmt.Errorf("service %q: volume %s: %w", from.Name, volume.Target, err)))
		}
		if note != "" {
			notes = append(notes, fmt.Sprintf("%s: %s", from.Name, note))
		}
	}
	return notes, errors.Join(problems...)
}

func (s *service) takeVolume(project *compose.Project, from types.ServiceConfig, volume types.ServiceVolumeConfig, hidden []string) (note string, err error) {
	switch volume.Type {
	case types.VolumeTypeBind:
		return s.takeBind(project, from, volume)
	case types.VolumeTypeVolume:
		if volume.Source == "" && below(volume.Target, hidden) {
			return fmt.Sprintf("anonymous volume %s left out with the mount that it was a hole in", volume.Target), nil
		}
		return "", s.takeNamed(project, volume)
	case types.VolumeTypeTmpfs:
		if s.container.Tmpfs == nil {
			s.container.Tmpfs = map[string]string{}
		}
		s.container.Tmpfs[volume.Target] = tmpfsOptions(volume.Tmpfs)
		return "", nil
	}
	return "", fmt.Errorf("type %s is not supported in a test; remove it", volume.Type)
}

func tmpfsOptions(from *types.ServiceVolumeTmpfs) string {
	var options []string
	if from != nil && from.Size > 0 {
		options = append(options, fmt.Sprintf("size=%d", from.Size))
	}
	if from != nil && from.Mode > 0 {
		options = append(options, fmt.Sprintf("mode=%o", from.Mode))
	}
	return strings.Join(options, ",")
}

func (s *service) takeBind(project *compose.Project, from types.ServiceConfig, volume types.ServiceVolumeConfig) (string, error) {
	inside, err := filepath.Rel(project.Workspace, volume.Source)
	if err != nil || !filepath.IsLocal(inside) {
		return "", fmt.Errorf("%s is outside the workspace; a test has no mounts of the machine, so remove it", volume.Source)
	}
	s.paths = append(s.paths, junit.Mapping{From: volume.Target, To: inside})
	if volume.Source == contextOf(from) {
		s.copies = append(s.copies, copied{volume.Source, volume.Target, s.build})
		return fmt.Sprintf("mount %s:%s left out: the image has these files, and gets those that it lacks", inside, volume.Target), nil
	}
	if _, err := os.Stat(volume.Source); err != nil {
		return s.takeMissing(volume, inside)
	}
	s.copies = append(s.copies, copied{from: volume.Source, to: volume.Target})
	return fmt.Sprintf("%s copied to %s in place of a mount", inside, volume.Target), nil
}

// takeMissing makes a volume of a folder that the workspace lacks, since
// Compose would make an empty one: a database's data are in no repository. What
// looks like a file is none of these.
func (s *service) takeMissing(volume types.ServiceVolumeConfig, inside string) (string, error) {
	if path.Ext(inside) != "" || path.Ext(volume.Target) != "" || volume.Bind != nil && !bool(volume.Bind.CreateHostPath) {
		return "", fmt.Errorf("there is no %s in the workspace", inside)
	}
	s.volumes = append(s.volumes, engine.Volume{Name: "mount-" + imageName(inside), Target: volume.Target, ReadOnly: volume.ReadOnly})
	return fmt.Sprintf("%s is not in the workspace: %s is a fresh volume", inside, volume.Target), nil
}

func (s *service) takeNamed(project *compose.Project, volume types.ServiceVolumeConfig) error {
	if volume.Volume != nil && volume.Volume.Subpath != "" {
		return errors.New("volume.subpath is not supported in a test")
	}
	if named, ok := project.Volumes[volume.Source]; ok && volume.Source != "" {
		if bool(named.External) {
			return fmt.Errorf("%s is external; a test has fresh volumes only, so remove external", volume.Source)
		}
		if named.Driver != "" && named.Driver != "local" || len(named.DriverOpts) > 0 {
			return fmt.Errorf("%s has a driver of its own; a test has plain volumes only, so remove driver and driver_opts", volume.Source)
		}
	}
	s.volumes = append(s.volumes, engine.Volume{Name: volume.Source, Target: volume.Target, ReadOnly: volume.ReadOnly})
	return nil
}

// ownContext are the targets of bind mounts that show the build context.
func ownContext(from types.ServiceConfig) []string {
	var targets []string
	for _, volume := range from.Volumes {
		if volume.Type == types.VolumeTypeBind && volume.Source == contextOf(from) {
			targets = append(targets, volume.Target)
		}
	}
	return targets
}

func contextOf(from types.ServiceConfig) string {
	if from.Build == nil {
		return ""
	}
	return from.Build.Context
}

func below(target string, folders []string) bool {
	for _, folder := range folders {
		if strings.HasPrefix(path.Clean(target), path.Clean(folder)+"/") {
			return true
		}
	}
	return false
}
