package eblocal

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"
)

// Labels of everything that is created on the engine.
const (
	labelEnv      = "io.travois.eb-local"
	labelInstance = "io.travois.eb-local.instance"
)

// rewriting says how a Compose file is fitted to an instance.
type rewriting struct {
	labels map[string]string
	vars   map[string]string // what ${…} in an image or a port stands for
}

// rewritten is a Compose file that may run beside another run of itself.
type rewritten struct {
	compose  []byte
	expect   expect
	images   []string // that are not built
	build    bool
	warnings []string
}

var errNoWeb = fmt.Errorf("no service publishes port %d, which the load balancer asks: add ports: [\"%d:…\"] to the one that answers", webPort, webPort)

// rewrite frees a Compose file of what can exist only once on a machine (host
// ports, container, network and volume names), labels what it creates, and
// tells what its instance consists of. All else stays as it is.
func rewrite(data []byte, r rewriting) (rewritten, error) {
	root, err := parseCompose(data)
	if err != nil {
		return rewritten{}, err
	}
	var out rewritten
	services := get(root, "services")
	if services == nil || services.Kind != yaml.MappingNode || len(services.Content) == 0 {
		return out, errors.New("it has no services: expected a mapping under services")
	}
	var errs []error
	defaultNetwork := false
	for name, service := range pairs(services) {
		if service.Kind != yaml.MappingNode {
			errs = append(errs, fmt.Errorf("service %q: expected a mapping", name))
			continue
		}
		errs = append(errs, r.service(name, service, &out))
		defaultNetwork = defaultNetwork || get(service, "networks") == nil && get(service, "network_mode") == nil
	}
	r.resources(root, "networks", defaultNetwork)
	r.resources(root, "volumes", false)
	if out.expect.Web.Service == "" {
		errs = append(errs, errNoWeb)
	}
	if err := errors.Join(errs...); err != nil {
		return out, err
	}
	out.compose, err = yaml.Marshal(root)
	return out, err
}

func parseCompose(data []byte) (*yaml.Node, error) {
	// The plain form refuses what the nodes would let pass: duplicate keys,
	// anchors that contain themselves, aliases without end.
	var plain any
	if err := yaml.Unmarshal(data, &plain); err != nil {
		return nil, err
	}
	var document yaml.Node
	if err := yaml.Unmarshal(data, &document); err != nil {
		return nil, err
	}
	if len(document.Content) == 0 || document.Content[0].Kind != yaml.MappingNode {
		return nil, errors.New("expected a mapping with services")
	}
	return expand(document.Content[0]), nil
}

func (r rewriting) service(name string, service *yaml.Node, out *rewritten) error {
	remove(service, "container_name")
	r.label(service)
	if get(service, "profiles") != nil {
		return nil // not started unless asked for
	}
	out.expect.Services = append(out.expect.Services, name)
	r.completes(service, out)
	if extends := get(service, "extends"); extends != nil && get(extends, "file") != nil {
		out.warnings = append(out.warnings, fmt.Sprintf("Service %q extends one of another file: ports and names there are not fitted to this machine.", name))
	}
	return errors.Join(r.image(name, service, out), r.ports(name, service, out))
}

// completes notes the services that others wait for to end well.
func (r rewriting) completes(service *yaml.Node, out *rewritten) {
	depends := get(service, "depends_on")
	if depends == nil || depends.Kind != yaml.MappingNode {
		return
	}
	for other, how := range pairs(depends) {
		condition := get(how, "condition")
		if condition != nil && condition.Value == "service_completed_successfully" && !slices.Contains(out.expect.Completes, other) {
			out.expect.Completes = append(out.expect.Completes, other)
		}
	}
}

func (r rewriting) image(name string, service *yaml.Node, out *rewritten) error {
	image := get(service, "image")
	if get(service, "build") != nil {
		out.build = true
		return nil
	}
	if image == nil {
		if get(service, "extends") != nil {
			return nil
		}
		return fmt.Errorf("service %q: expected an image or a build", name)
	}
	ref, err := r.interpolate(image.Value)
	if err != nil {
		return fmt.Errorf("service %q: image %q: %w", name, image.Value, err)
	}
	if !slices.Contains(out.images, ref) {
		out.images = append(out.images, ref)
	}
	return nil
}

func (r rewriting) interpolate(text string) (string, error) {
	return template.Substitute(text, func(name string) (string, bool) {
		v, ok := r.vars[name]
		return v, ok
	})
}

// ports publishes each port on a free loopback port, and finds the web.
func (r rewriting) ports(name string, service *yaml.Node, out *rewritten) error {
	ports := get(service, "ports")
	if ports == nil {
		return nil
	}
	if ports.Kind != yaml.SequenceNode {
		return fmt.Errorf("service %q: ports: expected a list", name)
	}
	var published []string
	for _, node := range ports.Content {
		configs, err := r.port(node)
		if err != nil {
			return fmt.Errorf("service %q: ports: %w", name, err)
		}
		for _, c := range configs {
			published = append(published, fmt.Sprintf("127.0.0.1::%d/%s", c.Target, c.Protocol))
			if !isWeb(c) {
				continue
			}
			if at := out.expect.Web.Service; at != "" && at != name {
				return fmt.Errorf("service %q publishes port %d, which service %q does already", name, webPort, at)
			}
			out.expect.Web = endpoint{Service: name, Port: int(c.Target)}
		}
	}
	slices.Sort(published)
	ports.Content, ports.Style = nil, 0
	for _, p := range slices.Compact(published) {
		ports.Content = append(ports.Content, text(p))
	}
	return nil
}

// isWeb tells whether the load balancer would reach this port.
func isWeb(c types.ServicePortConfig) bool {
	ip, err := netip.ParseAddr(c.HostIP)
	return c.Published == strconv.Itoa(webPort) && c.Protocol == "tcp" && (err != nil || !ip.IsLoopback())
}

// port reads the short and the long form of a port.
func (r rewriting) port(node *yaml.Node) ([]types.ServicePortConfig, error) {
	if node.Kind == yaml.ScalarNode {
		value, err := r.interpolate(node.Value)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", node.Value, err)
		}
		return types.ParsePortConfig(value)
	}
	fields := map[string]string{"protocol": "tcp"}
	for _, key := range []string{"target", "published", "protocol", "host_ip"} {
		if field := get(node, key); field != nil {
			value, err := r.interpolate(field.Value)
			if err != nil {
				return nil, fmt.Errorf("%q: %w", field.Value, err)
			}
			fields[key] = value
		}
	}
	target, err := strconv.ParseUint(fields["target"], 10, 16)
	if err != nil {
		return nil, fmt.Errorf("target %q: expected a port number", fields["target"])
	}
	return []types.ServicePortConfig{{
		Target: uint32(target), Published: fields["published"], Protocol: fields["protocol"], HostIP: fields["host_ip"],
	}}, nil
}

// resources gives networks or volumes names of this instance's own and labels
// them; those that are external are none of ours.
func (r rewriting) resources(root *yaml.Node, kind string, withDefault bool) {
	all := get(root, kind)
	if all == nil || all.Kind != yaml.MappingNode {
		if !withDefault {
			return
		}
		all = mapping()
		set(root, kind, all)
	}
	if withDefault && get(all, "default") == nil {
		set(all, "default", mapping())
	}
	for name, resource := range pairs(all) {
		if resource.Kind != yaml.MappingNode {
			resource = mapping()
			set(all, name, resource)
		}
		if external := get(resource, "external"); external != nil && external.Value != "false" {
			continue
		}
		remove(resource, "name")
		r.label(resource)
	}
}

// label adds the labels, in the form that the file uses.
func (r rewriting) label(node *yaml.Node) {
	labels := get(node, "labels")
	if labels == nil || labels.Kind == yaml.ScalarNode {
		labels = mapping()
		set(node, "labels", labels)
	}
	for _, name := range sortedKeys(r.labels) {
		if labels.Kind == yaml.SequenceNode {
			labels.Content = append(labels.Content, text(name+"="+r.labels[name]))
			continue
		}
		set(labels, name, text(strings.ReplaceAll(r.labels[name], "$", "$$")))
	}
}
