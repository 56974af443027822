package eblocal

import (
	"slices"
	"strings"
)

// colors are the colors of the enhanced health statuses.
var colors = map[string]string{
	"Ok": "Green", "Info": "Green", "Warning": "Yellow", "Degraded": "Red", "Severe": "Red",
	"NoData": "Grey", "Unknown": "Grey", "Pending": "Grey",
}

// setHealth records a health status, with an event when it changed; the caller
// holds the lock. As on AWS the event belongs to no request.
func (s *Server) setHealth(status string, causes ...string) {
	e := &s.state.Env
	before := e.HealthStatus
	e.HealthStatus, e.Health = status, colors[status]
	e.Causes = nil
	for _, cause := range causes {
		e.Causes = append(e.Causes, s.redact(cause))
	}
	if before == status {
		return
	}
	severity := "INFO"
	if e.Health == "Red" || e.Health == "Yellow" {
		severity = "WARN"
	}
	text := "Environment health has transitioned from " + before + " to " + status + "."
	s.event(event{App: e.App, Env: e.Name, Severity: severity,
		Message: strings.TrimSpace(text + " " + strings.Join(causes, " "))})
}

type instanceCounts struct {
	NoData, Unknown, Pending, Ok, Info, Warning, Degraded, Severe int
}

type environmentHealth struct {
	EnvironmentName string
	HealthStatus    string          `xml:",omitempty"`
	Status          string          `xml:",omitempty"`
	Color           string          `xml:",omitempty"`
	Causes          *list[string]   `xml:",omitempty"`
	InstancesHealth *instanceCounts `xml:",omitempty"`
	RefreshedAt     string          `xml:",omitempty"`
}

// wants tells whether an attribute is asked for.
func (c *call) wants(attribute string) bool {
	asked := c.strings("AttributeNames")
	return slices.Contains(asked, "All") || slices.Contains(asked, attribute)
}

// only returns v if the attribute is asked for, else nothing.
func only[T any](c *call, attribute string, v T) T {
	var none T
	if c.wants(attribute) {
		return v
	}
	return none
}

func (s *Server) describeEnvironmentHealth(c *call) (any, error) {
	if err := s.named(c); err != nil {
		return nil, err
	}
	e := &s.state.Env
	causes := listOf(e.Causes)
	counts := s.instanceCounts()
	return environmentHealth{
		EnvironmentName: e.Name,
		HealthStatus:    only(c, "HealthStatus", e.HealthStatus),
		Status:          only(c, "Status", e.Status),
		Color:           only(c, "Color", e.Health),
		Causes:          only(c, "Causes", &causes),
		InstancesHealth: only(c, "InstancesHealth", &counts),
		RefreshedAt:     only(c, "RefreshedAt", stamp(s.clock.now())),
	}, nil
}

func (s *Server) instanceCounts() instanceCounts {
	var n instanceCounts
	fields := map[string]*int{
		"NoData": &n.NoData, "Unknown": &n.Unknown, "Pending": &n.Pending, "Ok": &n.Ok,
		"Info": &n.Info, "Warning": &n.Warning, "Degraded": &n.Degraded, "Severe": &n.Severe,
	}
	for _, i := range s.state.Env.instances() {
		*fields[s.instanceStatus(i)]++
	}
	return n
}

// instanceStatus is the health of one instance: that of the environment, of
// which there is but one, or Pending while it is being launched.
func (s *Server) instanceStatus(i *instance) string {
	e := &s.state.Env
	switch {
	case i == e.Candidate && e.Health == "Red":
		return e.HealthStatus
	case i == e.Candidate:
		return "Pending"
	case e.Candidate != nil:
		return "Ok"
	}
	return e.HealthStatus
}

type deployment struct {
	VersionLabel   string
	DeploymentID   int64 `xml:"DeploymentId"`
	Status         string
	DeploymentTime string `xml:",omitempty"`
}

type instanceHealth struct {
	InstanceID       string        `xml:"InstanceId"`
	HealthStatus     string        `xml:",omitempty"`
	Color            string        `xml:",omitempty"`
	Causes           *list[string] `xml:",omitempty"`
	LaunchedAt       string        `xml:",omitempty"`
	Deployment       *deployment   `xml:",omitempty"`
	AvailabilityZone string        `xml:",omitempty"`
	InstanceType     string        `xml:",omitempty"`
}

func (s *Server) describeInstancesHealth(c *call) (any, error) {
	if err := s.named(c); err != nil {
		return nil, err
	}
	var instances []instanceHealth
	for _, i := range s.state.Env.instances() {
		instances = append(instances, s.describeInstance(c, i))
	}
	return struct {
		InstanceHealthList list[instanceHealth]
		RefreshedAt        string
	}{listOf(instances), stamp(s.clock.now())}, nil
}

func (s *Server) describeInstance(c *call, i *instance) instanceHealth {
	status := s.instanceStatus(i)
	var causes list[string]
	if colors[status] != "Green" {
		causes = listOf(s.state.Env.Causes)
	}
	d := deployment{VersionLabel: i.Label, DeploymentID: i.DeploymentID, Status: i.Status}
	if !i.Deployed.IsZero() {
		d.DeploymentTime = stamp(i.Deployed)
	}
	return instanceHealth{
		InstanceID:       i.ID,
		HealthStatus:     only(c, "HealthStatus", status),
		Color:            only(c, "Color", colors[status]),
		Causes:           only(c, "Causes", &causes),
		LaunchedAt:       only(c, "LaunchedAt", stamp(i.Launched)),
		Deployment:       only(c, "Deployment", &d),
		AvailabilityZone: only(c, "AvailabilityZone", s.opts.Region+"a"),
		InstanceType:     only(c, "InstanceType", "t3.micro"),
	}
}
