package eblocal

import (
	"slices"
	"time"
)

// Statuses of an environment.
const (
	statusReady    = "Ready"
	statusUpdating = "Updating"
	statusAborting = "Aborting"
)

// environment is the one environment that is served.
type environment struct {
	Name         string    `json:"name"`
	ID           string    `json:"id"`
	App          string    `json:"application"`
	Description  string    `json:"description"`
	Label        string    `json:"label"` // while Updating already the new one, as on AWS
	Status       string    `json:"status"`
	Health       string    `json:"health"`
	HealthStatus string    `json:"healthStatus"`
	Causes       []string  `json:"causes,omitempty"`
	Created      time.Time `json:"created"`
	Updated      time.Time `json:"updated"`
	Accepted     time.Time `json:"accepted"` // when the last update was
	Settings     []setting `json:"settings"`

	Launches  int        `json:"launches"`            // instances launched so far
	Instance  *instance  `json:"instance,omitempty"`  // in service
	Candidate *instance  `json:"candidate,omitempty"` // of the update in progress
	Before    *snapshot  `json:"before,omitempty"`    // what the update in progress falls back to
	Retiring  []instance `json:"retiring,omitempty"`  // out of service, not removed yet
}

// snapshot is what an update changes and a failed one puts back.
type snapshot struct {
	Label     string    `json:"label"`
	Settings  []setting `json:"settings"`
	RequestID string    `json:"requestId"` // of the update
}

// uses tells whether a version runs, is being deployed or would be fallen back to.
func (e *environment) uses(label string) bool {
	return e.Label == label || e.Before != nil && e.Before.Label == label
}

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
	EndpointURL                  string
	CNAME                        string
	DateCreated                  string
	DateUpdated                  string
	Status                       string
	AbortableOperationInProgress bool
	Health                       string
	HealthStatus                 string
	Resources                    environmentResources
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

func (s *Server) describeEnvironment() environmentDescription {
	e := &s.state.Env
	status, label := s.shown(e)
	return environmentDescription{
		EnvironmentName: e.Name, EnvironmentID: e.ID, ApplicationName: e.App, VersionLabel: label,
		SolutionStackName: s.solutionStack(), PlatformArn: s.platformArn(), Description: e.Description,
		EndpointURL: s.addr, CNAME: s.addr, DateCreated: stamp(e.Created), DateUpdated: stamp(e.Updated),
		Status: status, AbortableOperationInProgress: status == statusUpdating,
		Health: e.Health, HealthStatus: e.HealthStatus,
		Resources: environmentResources{loadBalancer{
			LoadBalancerName: s.loadBalancer(), Domain: s.addr, Listeners: listOf([]listener{{"HTTP", webPort}}),
		}},
		Tier:           tier{"WebServer", "Standard", "1.0"},
		EnvironmentArn: s.arn("environment/" + e.App + "/" + e.Name),
	}
}

func (s *Server) loadBalancer() string { return "awseb-" + s.id }

func (s *Server) describeEnvironments(c *call) (any, error) {
	if _, err := c.boolean("IncludeDeleted"); err != nil {
		return nil, err
	}
	if _, err := c.pageSize(); err != nil {
		return nil, err
	}
	var found []environmentDescription
	if s.state.Env.matches(c) {
		found = append(found, s.describeEnvironment())
	}
	return struct {
		Environments list[environmentDescription]
	}{listOf(found)}, nil
}

func (e *environment) matches(c *call) bool {
	names, ids := c.strings("EnvironmentNames"), c.strings("EnvironmentIds")
	return (!c.has("ApplicationName") || c.str("ApplicationName") == e.App) &&
		(!c.has("VersionLabel") || c.str("VersionLabel") == e.Label) &&
		(len(names) == 0 || slices.Contains(names, e.Name)) &&
		(len(ids) == 0 || slices.Contains(ids, e.ID))
}

// named checks that a call that must name the environment names this one.
func (s *Server) named(c *call) error {
	name, id := c.str("EnvironmentName"), c.str("EnvironmentId")
	switch {
	case name == "" && id == "":
		return invalidCombination("You must specify either EnvironmentName or EnvironmentId.")
	case name != "" && name != s.opts.Env:
		return invalidValue("No Environment found for EnvironmentName = '%s'.", name)
	case id != "" && id != s.id:
		return invalidValue("No Environment found for EnvironmentId = '%s'.", id)
	}
	if app := c.str("ApplicationName"); app != "" && app != s.opts.App {
		return invalidValue("No Environment found for EnvironmentName = '%s' in application '%s'.", s.opts.Env, app)
	}
	return nil
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
	if err := s.named(c); err != nil {
		return nil, err
	}
	var instances []identified
	for _, i := range s.state.Env.instances() {
		instances = append(instances, identified{i.ID})
	}
	return struct{ EnvironmentResources resourceDescription }{resourceDescription{
		EnvironmentName:   s.opts.Env,
		AutoScalingGroups: listOf([]named{{s.loadBalancer() + "-stack-AWSEBAutoScalingGroup"}}),
		Instances:         listOf(instances),
		LoadBalancers:     listOf([]named{{s.loadBalancer()}}),
	}}, nil
}

// instances are the one in service and the one being launched, as far as there are any.
func (e *environment) instances() []*instance {
	return slices.DeleteFunc([]*instance{e.Instance, e.Candidate}, func(i *instance) bool { return i == nil })
}
