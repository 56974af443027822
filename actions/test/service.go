package test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/image"
)

// planService makes a container of a service. The notes tell what of it has no
// effect.
func planService(c config, key string, project *compose.Project, from types.ServiceConfig) (service, []string, error) {
	one := service{name: from.Name, aliases: aliases(project, from), needs: needs(from)}
	idle, problems := checkKeys(project, from)
	problems = append(problems, one.takeImage(c, key, project, from))
	files, err := project.Files(from)
	one.files, problems = files, append(problems, err)
	one.container = container(from)
	one.container.Labels = map[string]string{label: key}
	notes, err := one.takeVolumes(project, from)
	problems = append(problems, err)
	if len(idle) > 0 {
		notes = append(notes, fmt.Sprintf("%s: without effect in a test: %s", from.Name, strings.Join(idle, ", ")))
	}
	return one, notes, errors.Join(problems...)
}

// mask hides the secrets that the source gives the service and its build.
func (s service) mask(log *action.Log) {
	for _, file := range s.files {
		if file.Secret {
			log.Mask(string(file.Content))
		}
	}
	if s.build == nil {
		return
	}
	for _, secret := range s.build.Secrets {
		log.Mask(string(secret))
	}
}

func (s *service) takeImage(c config, key string, project *compose.Project, from types.ServiceConfig) error {
	if from.Build == nil {
		reference, err := c.Name(from.Image)
		s.image = reference
		if err != nil {
			return project.At(from.Name, fmt.Errorf("service %q: %w", from.Name, err))
		}
		return nil
	}
	build, err := project.Build(from, c.Name)
	args := map[string]string{}
	maps.Copy(args, build.Args)
	maps.Copy(args, c.BuildArgs.For(from.Name))
	build.Args = args
	if from.Platform != "" {
		build.Platforms = []string{from.Platform}
	}
	build = plain(build)
	s.build, s.secrets = &build, map[string][]byte{}
	for name, value := range c.Secrets.For(from.Name) {
		s.secrets[name] = []byte(value)
	}
	s.image = image.Reference{Repository: suiteImages + imageName(from.Name), Tag: key}
	if from.Image == "" {
		return err
	}
	named, nameErr := c.Name(from.Image)
	if nameErr != nil {
		nameErr = project.At(from.Name, fmt.Errorf("service %q: %w", from.Name, nameErr))
	}
	s.repository = named.WithTag("")
	return errors.Join(err, nameErr)
}

// container carries a service's keys over. Its labels, networks and volumes
// are the run's.
func container(from types.ServiceConfig) engine.Container {
	one := engine.Container{
		Platform: from.Platform, Entrypoint: from.Entrypoint, Command: from.Command, Env: environment(from), WorkingDir: from.WorkingDir, User: from.User,
		Hostname: from.Hostname, ExtraHosts: sorted(from.ExtraHosts.AsList(":")), Tmpfs: tmpfs(from.Tmpfs),
		Memory: int64(from.MemLimit), MemoryReservation: int64(from.MemReservation), MemorySwap: int64(from.MemSwapLimit),
		NanoCPUs: int64(float64(from.CPUS) * 1e9), PidsLimit: from.PidsLimit, ShmSize: int64(from.ShmSize),
		Init: from.Init, ReadOnly: from.ReadOnly, CapAdd: from.CapAdd, CapDrop: from.CapDrop, GroupAdd: from.GroupAdd,
		Sysctls: from.Sysctls, DNS: from.DNS, StopSignal: from.StopSignal, Health: health(from.HealthCheck),
	}
	for name, limit := range from.Ulimits {
		if one.Ulimits == nil {
			one.Ulimits = map[string]engine.Ulimit{}
		}
		one.Ulimits[name] = ulimit(limit)
	}
	if from.Deploy != nil {
		resources(&one, from.Deploy.Resources)
	}
	return one
}

func resources(one *engine.Container, from types.Resources) {
	if limits := from.Limits; limits != nil {
		one.Memory = max(one.Memory, int64(limits.MemoryBytes))
		one.NanoCPUs = max(one.NanoCPUs, int64(float64(limits.NanoCPUs)*1e9))
		one.PidsLimit = max(one.PidsLimit, limits.Pids)
	}
	if kept := from.Reservations; kept != nil {
		one.MemoryReservation = max(one.MemoryReservation, int64(kept.MemoryBytes))
	}
}

func ulimit(from *types.UlimitsConfig) engine.Ulimit {
	if from.Single != 0 {
		return engine.Ulimit{Soft: int64(from.Single), Hard: int64(from.Single)}
	}
	return engine.Ulimit{Soft: int64(from.Soft), Hard: int64(from.Hard)}
}

func health(from *types.HealthCheckConfig) *engine.Health {
	if from == nil {
		return nil
	}
	if from.Disable {
		return &engine.Health{Test: []string{"NONE"}}
	}
	one := engine.Health{
		Test: from.Test, Interval: duration(from.Interval), Timeout: duration(from.Timeout),
		StartPeriod: duration(from.StartPeriod), StartInterval: duration(from.StartInterval),
	}
	if from.Retries != nil {
		one.Retries = int(*from.Retries)
	}
	return &one
}

func duration(from *types.Duration) time.Duration {
	if from == nil {
		return 0
	}
	return time.Duration(*from)
}

// tmpfs takes "target" and "target:options" apart.
func tmpfs(from []string) map[string]string {
	all := map[string]string{}
	for _, one := range from {
		target, options, _ := strings.Cut(one, ":")
		all[target] = options
	}
	return all
}

// environment is CI=true, as Travis set it, and the service's own.
func environment(from types.ServiceConfig) []string {
	values := map[string]string{"CI": "true"}
	for name, value := range from.Environment {
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

// needs are what a service depends on; links are among them.
func needs(from types.ServiceConfig) []need {
	var all []need
	for _, name := range slices.Sorted(maps.Keys(from.DependsOn)) {
		dependency := from.DependsOn[name]
		all = append(all, need{service: name, condition: dependency.Condition, optional: !dependency.Required})
	}
	return all
}

// aliases are a service's names in the network: its own, the one of its
// container, those that its networks give it and those that links of others do.
func aliases(project *compose.Project, from types.ServiceConfig) []string {
	names := []string{from.Name, from.ContainerName, from.Hostname}
	for _, network := range from.Networks {
		if network != nil {
			names = append(names, network.Aliases...)
		}
	}
	for _, other := range project.Services {
		for _, link := range other.Links {
			if target, alias, found := strings.Cut(link, ":"); found && target == from.Name {
				names = append(names, alias)
			}
		}
	}
	names = slices.DeleteFunc(names, func(name string) bool { return name == "" })
	sort.Strings(names[1:])
	return slices.Compact(names)
}

func sorted(all []string) []string {
	sort.Strings(all)
	return all
}
