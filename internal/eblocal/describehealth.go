package eblocal

import (
	"net/http"
	"slices"
)

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

// enhanced finds the environment of a call that only enhanced health answers.
func (s *Server) enhanced(c *call, action string) (*environment, error) {
	e, err := s.named(c)
	if err == nil && !e.enhanced() {
		err = &apiError{http.StatusBadRequest, "InvalidRequestException", action + " is not supported."}
	}
	return e, err
}

func (s *Server) describeEnvironmentHealth(c *call) (any, error) {
	e, err := s.enhanced(c, "DescribeEnvironmentHealth")
	if err != nil {
		return nil, err
	}
	status, _ := s.shown(e)
	causes := listOf(e.Causes)
	counts := e.instanceCounts()
	return environmentHealth{
		EnvironmentName: e.Name,
		HealthStatus:    only(c, "HealthStatus", e.HealthStatus),
		Status:          only(c, "Status", status),
		Color:           only(c, "Color", e.Health),
		Causes:          only(c, "Causes", &causes),
		InstancesHealth: only(c, "InstancesHealth", &counts),
		RefreshedAt:     only(c, "RefreshedAt", stamp(s.clock.now())),
	}, nil
}

func (e *environment) instanceCounts() instanceCounts {
	var n instanceCounts
	fields := map[string]*int{
		"NoData": &n.NoData, "Unknown": &n.Unknown, "Pending": &n.Pending, "Ok": &n.Ok,
		"Info": &n.Info, "Warning": &n.Warning, "Degraded": &n.Degraded, "Severe": &n.Severe,
	}
	for _, i := range e.all() {
		*fields[e.instanceStatus(i)]++
	}
	return n
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
	e, err := s.enhanced(c, "DescribeInstancesHealth")
	if err != nil {
		return nil, err
	}
	all, token, err := c.someInstances(e.all(), s.faults.InstancePage)
	if err != nil {
		return nil, err
	}
	var instances []instanceHealth
	for _, i := range all {
		instances = append(instances, s.describeInstance(c, e, i))
	}
	return struct {
		InstanceHealthList list[instanceHealth]
		RefreshedAt        string
		NextToken          string `xml:",omitempty"`
	}{listOf(instances), stamp(s.clock.now()), token}, nil
}

// someInstances is the page that is asked for; a token names the instance that
// the page before ended with.
func (c *call) someInstances(all []*instance, size int) ([]*instance, string, error) {
	if token := c.str("NextToken"); token != "" {
		at := slices.IndexFunc(all, func(i *instance) bool { return i.ID == token })
		if at < 0 {
			return nil, "", invalidValue("Invalid NextToken: %s", token)
		}
		all = all[at+1:]
	}
	if size == 0 || len(all) <= size {
		return all, "", nil
	}
	return all[:size], all[size-1].ID, nil
}

func (s *Server) describeInstance(c *call, e *environment, i *instance) instanceHealth {
	status := e.instanceStatus(i)
	causes := listOf(e.instanceCauses(i))
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
