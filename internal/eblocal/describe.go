package eblocal

import (
	"slices"
	"time"
)

// deletedFor is how long a terminated environment is still described.
const deletedFor = time.Hour

type listener struct {
	Protocol string
	Port     int
}

type loadBalancer struct {
	LoadBalancerName string
	Domain           string
	Listeners        list[listener]
}

type tier struct{ Name, Type, Version string }

type environmentResources struct{ LoadBalancer loadBalancer }

type environmentDescription struct {
	EnvironmentName              string
	EnvironmentID                string `xml:"EnvironmentId"`
	ApplicationName              string
	VersionLabel                 string `xml:",omitempty"`
	SolutionStackName            string
	PlatformArn                  string
	Description                  string `xml:",omitempty"`
	EndpointURL                  string `xml:",omitempty"`
	CNAME                        string `xml:",omitempty"`
	DateCreated                  string
	DateUpdated                  string
	Status                       string
	AbortableOperationInProgress bool
	Health                       string
	HealthStatus                 string `xml:",omitempty"`
	Resources                    *environmentResources
	Tier                         tier
	EnvironmentLinks             list[string]
	EnvironmentArn               string
}

// shown are the status and the label that clients see, which lag behind if they
// are told to.
func (s *Server) shown(e *environment) (status, label string) {
	status, label = e.Status, e.Label
	if status == statusUpdating && s.clock.now().Before(e.Accepted.Add(s.faults.LateUpdating)) {
		status = statusReady
	}
	if s.faults.LateLabel && e.Before != nil {
		label = e.Before.Label
	}
	return status, label
}

func (s *Server) describeEnvironment(e *environment) environmentDescription {
	status, label := s.shown(e)
	d := environmentDescription{
		EnvironmentName: e.Name, EnvironmentID: e.ID, ApplicationName: e.App, VersionLabel: label,
		SolutionStackName: e.release().stack(), PlatformArn: s.platformArn(e.release()), Description: e.Description,
		EndpointURL: e.Listen, CNAME: e.Listen, DateCreated: stamp(e.Created), DateUpdated: stamp(e.Updated),
		Status: status, AbortableOperationInProgress: status == statusUpdating && !e.Ending,
		Health: e.Health, Tier: tier{"WebServer", "Standard", "1.0"}, EnvironmentArn: s.environmentArn(e),
	}
	if e.enhanced() {
		d.HealthStatus = e.HealthStatus
	}
	if e.Status != statusTerminated {
		d.Resources = &environmentResources{loadBalancer{
			LoadBalancerName: e.loadBalancer(), Domain: e.Listen, Listeners: listOf([]listener{{"HTTP", webPort}}),
		}}
	}
	return d
}

func (s *Server) environmentArn(e *environment) string {
	return s.arn("environment/" + e.App + "/" + e.Name)
}

func (e *environment) loadBalancer() string { return "awseb-" + e.ID }

func (e *environment) group() string { return "awseb-" + e.ID + "-stack-AWSEBAutoScalingGroup" }

func (s *Server) describeEnvironments(c *call) (any, error) {
	since, err := s.deletedSince(c)
	if err != nil {
		return nil, err
	}
	var found []*environment
	for _, e := range slices.Backward(s.state.Envs) {
		if e.matches(c) && (e.Status != statusTerminated || !since.IsZero() && e.Updated.After(since)) {
			found = append(found, e)
		}
	}
	found, token, err := page(c, 0, found, func(e *environment) int64 { return e.Sequence })
	if err != nil {
		return nil, err
	}
	var described []environmentDescription
	for _, e := range found {
		described = append(described, s.describeEnvironment(e))
	}
	return struct {
		Environments list[environmentDescription]
		NextToken    string `xml:",omitempty"`
	}{listOf(described), token}, nil
}

// deletedSince is from when on terminated environments are described too, zero
// for none of them.
func (s *Server) deletedSince(c *call) (time.Time, error) {
	include, err := c.boolean("IncludeDeleted")
	if err != nil || c.has("IncludeDeleted") && !include {
		return time.Time{}, err
	}
	if c.has("IncludedDeletedBackTo") {
		return c.instant("IncludedDeletedBackTo")
	}
	return s.clock.now().Add(-deletedFor), nil
}

func (e *environment) matches(c *call) bool {
	names, ids := c.strings("EnvironmentNames"), c.strings("EnvironmentIds")
	return (!c.has("ApplicationName") || c.str("ApplicationName") == e.App) &&
		(!c.has("VersionLabel") || c.str("VersionLabel") == e.Label) &&
		(len(names) == 0 || slices.Contains(names, e.Name)) &&
		(len(ids) == 0 || slices.Contains(ids, e.ID))
}

type named struct{ Name string }
type identified struct {
	ID string `xml:"Id"`
}

type resourceDescription struct {
	EnvironmentName      string
	AutoScalingGroups    list[named]
	Instances            list[identified]
	LaunchConfigurations list[named]
	LaunchTemplates      list[identified]
	LoadBalancers        list[named]
	Triggers             list[named]
	Queues               list[named]
}

func (s *Server) describeEnvironmentResources(c *call) (any, error) {
	e, err := s.named(c)
	if err != nil {
		return nil, err
	}
	var instances []identified
	for _, i := range e.all() {
		instances = append(instances, identified{i.ID})
	}
	return struct{ EnvironmentResources resourceDescription }{resourceDescription{
		EnvironmentName:   e.Name,
		AutoScalingGroups: listOf([]named{{e.group()}}),
		Instances:         listOf(instances),
		LoadBalancers:     listOf([]named{{e.loadBalancer()}}),
	}}, nil
}
