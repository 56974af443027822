package test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/engine"
)

// used are the keys of a service that its container carries.
var used = []string{
	"Name", "Image", "Build", "Command", "Entrypoint", "Environment", "EnvFiles", "WorkingDir", "User", "Extensions",
	"DependsOn", "HealthCheck", "Links", "MemLimit", "MemReservation", "MemSwapLimit", "CPUS", "PidsLimit", "Deploy", "Tmpfs", "ShmSize",
	"Init", "ExtraHosts", "Volumes", "Hostname", "Platform", "Secrets", "Configs", "ReadOnly", "CapAdd", "CapDrop", "GroupAdd", "Sysctls", "Ulimits", "DNS", "StopSignal", "Networks",
}

// without are the keys that have no effect in a test: a container is started
// once, under a name of its own, nothing connects to it from outside, and it
// is removed.
var without = []string{
	"ContainerName", "Restart", "StdinOpen", "Tty", "Ports", "Expose", "Profiles", "Labels", "Attach", "Logging", "StopGracePeriod", "PullPolicy", "Annotations", "Develop",
}

// checkKeys reports the keys of a service that are not supported, and names
// those that have no effect.
func checkKeys(project *compose.Project, service types.ServiceConfig) (idle []string, problems []error) {
	value := reflect.ValueOf(service)
	for _, field := range reflect.VisibleFields(value.Type()) {
		if field.Anonymous || value.FieldByIndex(field.Index).IsZero() || slices.Contains(used, field.Name) {
			continue
		}
		key, _, _ := strings.Cut(field.Tag.Get("yaml"), ",")
		if slices.Contains(without, field.Name) {
			idle = append(idle, key)
			continue
		}
		problems = append(problems, project.At(service.Name, fmt.Errorf("service %q: %s is not supported in a test; remove it, or give the service in a file of its own", service.Name, key)))
	}
	if err := engine.CheckPlatform(service.Platform); err != nil {
		problems = append(problems, project.At(service.Name, fmt.Errorf("service %q: platform: %w", service.Name, err)))
	}
	for _, key := range unsupportedBelow(service) {
		problems = append(problems, project.At(service.Name, fmt.Errorf("service %q: %s is not supported in a test; remove it", service.Name, key)))
	}
	return idle, problems
}

// unsupportedBelow are keys inside of keys that are used.
func unsupportedBelow(service types.ServiceConfig) []string {
	var keys []string
	if deploy := service.Deploy; deploy != nil {
		for _, resource := range []*types.Resource{deploy.Resources.Limits, deploy.Resources.Reservations} {
			if resource != nil && (len(resource.Devices) > 0 || len(resource.GenericResources) > 0) {
				keys = append(keys, "deploy.resources: a device")
			}
		}
		if deploy.Replicas != nil && *deploy.Replicas != 1 {
			keys = append(keys, "deploy.replicas other than 1")
		}
	}
	for name, network := range service.Networks {
		if network != nil && (network.Ipv4Address != "" || network.Ipv6Address != "" || len(network.LinkLocalIPs) > 0 || network.MacAddress != "") {
			keys = append(keys, "networks."+name+": a fixed address")
		}
	}
	return keys
}
