package bundle

import (
	"errors"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/template"
	"github.com/compose-spec/compose-go/v2/types"
	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/yamlsource"
)

// Asks is what a Compose file asks of the environment that it runs in.
type Asks struct {
	// Variables are those without a default, each once for every line.
	Variables []Variable
	// Malformed are the lines of texts with a ${ that Compose can't read.
	Malformed []int
	// Ports are the published ports of the host. AllPorts is false where the
	// file may publish others, by a variable, extends or include.
	Ports    []int
	AllPorts bool
	// OldLimits are the lines of a mem_limit below version 3, where Compose 1
	// does not know it.
	OldLimits []int
}

// AsksOf reads a Compose file that renders. replaced are the services whose
// image is, variables and all.
func AsksOf(src []byte, replaced map[string]bool) Asks {
	d, err := yamlsource.Parse("", src)
	if err != nil {
		return Asks{AllPorts: false}
	}
	_, included := yamlsource.Get(d.Root, "include")
	a := Asks{AllPorts: !included}
	for _, top := range yamlsource.Pairs(d.Root) {
		if yamlsource.Follow(top.Key).Value != "services" {
			a.variables(top.Value)
		}
	}
	three := strings.HasPrefix(scalar(yamlsource.Lookup(d.Root, "version")), "3")
	for _, service := range yamlsource.Pairs(yamlsource.Lookup(d.Root, "services")) {
		for _, pair := range yamlsource.Pairs(service.Value) {
			a.key(pair, replaced[yamlsource.Follow(service.Key).Value], three)
		}
	}
	slices.SortStableFunc(a.Variables, func(x, y Variable) int { return x.Line - y.Line })
	a.Variables = slices.CompactFunc(a.Variables, Variable.same)
	slices.Sort(a.Malformed)
	a.Malformed = slices.Compact(a.Malformed)
	return a
}

// key takes one key of a service; build is taken out before it is deployed.
func (a *Asks) key(pair yamlsource.Pair, replaced, three bool) {
	key := yamlsource.Follow(pair.Key)
	switch {
	case key.Value == "build", key.Value == "image" && replaced:
		return
	case key.Value == "extends", key.Value == "network_mode" && scalar(pair.Value) == "host":
		a.AllPorts = false
	case key.Value == "mem_limit" && three:
		a.OldLimits = append(a.OldLimits, key.Line)
	case key.Value == "ports":
		if ports := yamlsource.Follow(pair.Value); ports != nil {
			for _, port := range ports.Content {
				a.port(yamlsource.Follow(port))
			}
		}
	}
	a.variables(pair.Value)
}

func (a *Asks) variables(n *yaml.Node) {
	yamlsource.Walk(n, func(n *yaml.Node) {
		if n.Kind != yaml.ScalarNode {
			return
		}
		for _, v := range variables(n.Value) {
			v.Line = n.Line
			a.Variables = append(a.Variables, v)
		}
		if malformed(n.Value) {
			a.Malformed = append(a.Malformed, n.Line)
		}
	})
}

// malformed asks the library that Docker Compose reads a text with, giving every
// variable a value. A dollar sign without a brace stays as it is there.
func malformed(text string) bool {
	if !strings.Contains(text, "$") {
		return false
	}
	_, err := template.Substitute(text, func(string) (string, bool) { return "x", true })
	var invalid *template.InvalidTemplateError
	return errors.As(err, &invalid)
}

// port takes an entry of ports: a text such as 127.0.0.1:80:3000/tcp, a number,
// or a mapping with published.
func (a *Asks) port(n *yaml.Node) {
	if n.Kind == yaml.MappingNode {
		a.publish(scalar(yamlsource.Lookup(n, "published")), scalar(yamlsource.Lookup(n, "host_ip")), scalar(yamlsource.Lookup(n, "protocol")))
		return
	}
	if strings.Contains(n.Value, "$") {
		a.AllPorts = false
		return
	}
	found, err := types.ParsePortConfig(n.Value)
	if err != nil {
		a.AllPorts = false
	}
	for _, port := range found {
		a.publish(port.Published, port.HostIP, port.Protocol)
	}
}

// publish takes a published port. What the machine alone reaches, or by UDP, is
// none that requests come to.
func (a *Asks) publish(port, address, protocol string) {
	if ip := net.ParseIP(strings.Trim(address, "[]")); ip.IsLoopback() || address == "localhost" || strings.EqualFold(protocol, "udp") {
		return
	}
	first, last, _ := strings.Cut(port, "-")
	from, err := strconv.Atoi(first)
	if err != nil {
		a.AllPorts = a.AllPorts && port == ""
		return
	}
	to, err := strconv.Atoi(last)
	if err != nil {
		to = from
	}
	for ; from <= to; from++ {
		a.Ports = append(a.Ports, from)
	}
}

func scalar(n *yaml.Node) string {
	if n = yamlsource.Follow(n); n == nil || n.Kind != yaml.ScalarNode {
		return ""
	}
	return n.Value
}
