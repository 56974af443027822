package eblocal

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// containerDefinition is a container of a task, as far as it has a meaning here.
type containerDefinition struct {
	Name              string            `json:"name"`
	Image             string            `json:"image"`
	Hostname          string            `json:"hostname"`
	Essential         *bool             `json:"essential"`
	Memory            int               `json:"memory"`            // MiB, a limit
	MemoryReservation int               `json:"memoryReservation"` // MiB
	CPU               int               `json:"cpu"`               // shares, 1024 a core
	Links             []string          `json:"links"`
	PortMappings      []portMapping     `json:"portMappings"`
	Environment       []nameValue       `json:"environment"`
	MountPoints       []mountPoint      `json:"mountPoints"`
	Command           []string          `json:"command"`
	EntryPoint        []string          `json:"entryPoint"`
	WorkingDirectory  string            `json:"workingDirectory"`
	User              string            `json:"user"`
	Privileged        bool              `json:"privileged"`
	ReadOnly          bool              `json:"readonlyRootFilesystem"`
	Interactive       bool              `json:"interactive"`
	PseudoTerminal    bool              `json:"pseudoTerminal"`
	DNSServers        []string          `json:"dnsServers"`
	ExtraHosts        []extraHost       `json:"extraHosts"`
	DockerLabels      map[string]string `json:"dockerLabels"`
	DependsOn         []dependency      `json:"dependsOn"`
}

type portMapping struct {
	HostPort      int    `json:"hostPort"`
	ContainerPort int    `json:"containerPort"`
	Protocol      string `json:"protocol"`
}

type nameValue struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type mountPoint struct {
	SourceVolume  string `json:"sourceVolume"`
	ContainerPath string `json:"containerPath"`
	ReadOnly      bool   `json:"readOnly"`
}

type extraHost struct {
	Hostname  string `json:"hostname"`
	IPAddress string `json:"ipAddress"`
}

type dependency struct {
	ContainerName string `json:"containerName"`
	Condition     string `json:"condition"`
}

// containerKeys are the keys that containerDefinition reads.
var containerKeys = func() []string {
	var keys []string
	for _, field := range reflect.VisibleFields(reflect.TypeFor[containerDefinition]()) {
		keys = append(keys, field.Tag.Get("json"))
	}
	return keys
}()

// logVolume is the prefix of the volumes that the platform makes for logs.
const logVolume = "awseb-logs-"

func (c containerDefinition) essential() bool { return c.Essential == nil || *c.Essential }

// check reports all that ECS would refuse.
func (c containerDefinition) check(t task) error {
	var errs []error
	refuse := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: container %q: %s", dockerrunFile, c.Name, fmt.Sprintf(format, args...)))
	}
	if c.Name == "" || c.Image == "" {
		refuse("name and image must be given")
	}
	if c.Memory <= 0 && c.MemoryReservation <= 0 {
		refuse("at least one of memory and memoryReservation must be given, in MiB")
	}
	for _, link := range c.Links {
		if name, _, _ := strings.Cut(link, ":"); !t.has(name) {
			refuse("links to %q, which is no container of the task", name)
		}
	}
	for _, d := range c.DependsOn {
		if !t.has(d.ContainerName) || dependencyConditions[d.Condition] == "" {
			refuse("dependsOn: expected a container of the task and one of START, COMPLETE, SUCCESS, HEALTHY, got %q, %q", d.ContainerName, d.Condition)
		}
	}
	for _, m := range c.MountPoints {
		if _, ok := t.volume(m.SourceVolume); !ok && m.SourceVolume != logVolume+c.Name {
			refuse("mounts the volume %q, which is not under volumes", m.SourceVolume)
		}
	}
	for _, p := range c.PortMappings {
		if p.ContainerPort < 1 || p.ContainerPort > 65535 {
			refuse("portMappings: containerPort %d: expected 1 to 65535", p.ContainerPort)
		}
	}
	return errors.Join(errs...)
}

var dependencyConditions = map[string]string{
	"START": "service_started", "HEALTHY": "service_healthy",
	"SUCCESS": "service_completed_successfully", "COMPLETE": "service_completed_successfully",
}

// service is the container as a Compose service. Containers of a task are on the
// engine's own bridge and see of each other what links name, no more.
func (c containerDefinition) service(t task, l layout, props map[string]string) map[string]any {
	out := map[string]any{"image": escape(c.Image), "network_mode": "bridge"}
	put := func(key string, value any) {
		if v := reflect.ValueOf(value); v.IsZero() || v.Kind() == reflect.Slice && v.Len() == 0 {
			return
		}
		out[key] = value
	}
	put("hostname", c.Hostname)
	put("mem_limit", mebibytes(c.Memory))
	put("mem_reservation", mebibytes(c.MemoryReservation))
	put("cpu_shares", c.CPU)
	put("links", c.Links)
	put("ports", c.ports())
	put("volumes", c.volumes(t, l))
	put("command", escapeList(c.Command))
	put("entrypoint", escapeList(c.EntryPoint))
	put("working_dir", escape(c.WorkingDirectory))
	put("user", c.User)
	put("privileged", c.Privileged)
	put("read_only", c.ReadOnly)
	put("stdin_open", c.Interactive)
	put("tty", c.PseudoTerminal)
	put("dns", c.DNSServers)
	put("extra_hosts", c.extraHosts())
	if env := c.environment(props); len(env) > 0 {
		out["environment"] = env
	}
	if len(c.DockerLabels) > 0 {
		out["labels"] = escapeAll(c.DockerLabels)
	}
	if len(c.DependsOn) > 0 {
		out["depends_on"] = c.dependsOn()
	}
	return out
}

func mebibytes(n int) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%dm", n)
}

func escapeList(list []string) []string {
	var out []string
	for _, s := range list {
		out = append(out, escape(s))
	}
	return out
}

// environment lays the container's own values over the environment's properties.
func (c containerDefinition) environment(props map[string]string) map[string]string {
	env := maps.Clone(props)
	if env == nil {
		env = map[string]string{}
	}
	for _, e := range c.Environment {
		env[e.Name] = e.Value
	}
	return escapeAll(env)
}

func (c containerDefinition) ports() []string {
	var ports []string
	for _, p := range c.PortMappings {
		text := fmt.Sprint(p.ContainerPort)
		if p.HostPort != 0 {
			text = fmt.Sprintf("%d:%d", p.HostPort, p.ContainerPort)
		}
		if p.Protocol != "" {
			text += "/" + p.Protocol
		}
		ports = append(ports, text)
	}
	return ports
}

func (c containerDefinition) volumes(t task, l layout) []string {
	var volumes []string
	for _, m := range c.MountPoints {
		from := m.SourceVolume
		v, _ := t.volume(from)
		switch {
		case from == logVolume+c.Name:
			from = l.bind("/var/log/containers/" + c.Name)
		case v.Host.SourcePath != "":
			from = l.bind(v.Host.SourcePath)
		}
		text := escape(from + ":" + m.ContainerPath)
		if m.ReadOnly {
			text += ":ro"
		}
		volumes = append(volumes, text)
	}
	return volumes
}

func (c containerDefinition) extraHosts() []string {
	var hosts []string
	for _, h := range c.ExtraHosts {
		hosts = append(hosts, h.Hostname+":"+h.IPAddress)
	}
	slices.Sort(hosts)
	return hosts
}

func (c containerDefinition) dependsOn() map[string]any {
	out := map[string]any{}
	for _, d := range c.DependsOn {
		out[d.ContainerName] = map[string]any{"condition": dependencyConditions[d.Condition]}
	}
	return out
}
