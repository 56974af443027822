package eblocal

import (
	"context"
	"net/http"
	"slices"
	"time"
)

// Statuses of an environment.
const (
	statusLaunching   = "Launching"
	statusReady       = "Ready"
	statusUpdating    = "Updating"
	statusAborting    = "Aborting"
	statusTerminating = "Terminating"
	statusTerminated  = "Terminated"
)

// environment is one environment and what it runs.
type environment struct {
	Sequence     int64             `json:"sequence"`
	Name         string            `json:"name"`
	ID           string            `json:"id"`
	App          string            `json:"application"`
	Platform     Platform          `json:"platform"`
	Version      string            `json:"platformVersion"`
	Prefix       string            `json:"cnamePrefix"`
	Description  string            `json:"description"`
	Label        string            `json:"label"` // while Updating already the new one, as on AWS
	Status       string            `json:"status"`
	Health       string            `json:"health"`
	HealthStatus string            `json:"healthStatus"`
	Causes       []string          `json:"causes,omitempty"`
	Hidden       bool              `json:"hidden,omitempty"` // that the last deployment failed
	Created      time.Time         `json:"created"`
	Updated      time.Time         `json:"updated"`
	Accepted     time.Time         `json:"accepted"` // when the last update was
	Dipped       time.Time         `json:"dipped"`   // until when its health is not told truly
	Settings     []setting         `json:"settings"`
	Tags         map[string]string `json:"tags,omitempty"`
	Listen       string            `json:"listen"` // its own address

	Deployments int64       `json:"deployments"`         // so far
	Deployment  int64       `json:"deployment"`          // the one that brought the label
	Instances   []*instance `json:"instances,omitempty"` // that belong to it
	Fresh       []*instance `json:"fresh,omitempty"`     // launched by the update in progress
	Starting    []run       `json:"starting,omitempty"`  // whose containers are being made
	Retiring    []run       `json:"retiring,omitempty"`  // out of service, not removed yet
	Ending      bool        `json:"ending,omitempty"`    // an update that can't be aborted any more
	Before      *snapshot   `json:"before,omitempty"`    // what the update in progress falls back to
	Failed      []failure   `json:"failed,omitempty"`    // what the last failure removed
	Infos       []info      `json:"infos,omitempty"`

	proxy *proxy
	front *http.Server
	abort context.CancelCauseFunc // of the update in progress
}

// snapshot is what an update changes and a failed one puts back.
type snapshot struct {
	Label     string    `json:"label"`
	Settings  []setting `json:"settings"`
	Version   string    `json:"platformVersion"`
	RequestID string    `json:"requestId"` // of the update
}

// uses tells whether a version runs, is being deployed or would be fallen back to.
func (e *environment) uses(label string) bool {
	return e.Label == label || e.Before != nil && e.Before.Label == label
}

// all are the instances that belong to it and those that are being launched.
func (e *environment) all() []*instance { return slices.Concat(e.Instances, e.Fresh) }

func (e *environment) enhanced() bool {
	return valueOf(e.Settings, healthNamespace, "SystemType") == "enhanced"
}

// named finds the environment that a call must name.
func (s *Server) named(c *call) (*environment, error) {
	name, id := c.str("EnvironmentName"), ""
	if c.takes("EnvironmentId") {
		id = c.str("EnvironmentId")
	}
	if name == "" && id == "" {
		return nil, invalidCombination("You must specify either EnvironmentName or EnvironmentId.")
	}
	for _, e := range s.state.envs() {
		if (name == "" || name == e.Name) && (id == "" || id == e.ID) {
			if c.takes("ApplicationName") && c.has("ApplicationName") && c.str("ApplicationName") != e.App {
				return nil, invalidValue("No Environment found for EnvironmentName = '%s' in application '%s'.", e.Name, c.str("ApplicationName"))
			}
			return e, nil
		}
	}
	if name == "" {
		return nil, invalidValue("No Environment found for EnvironmentId = '%s'.", id)
	}
	return nil, invalidValue("No Environment found for EnvironmentName = '%s'.", name)
}

// environment makes one that runs nothing yet; the caller holds the lock.
func (s *Server) environment(app, name string, r release, id string) *environment {
	now := s.clock.now()
	return &environment{
		Sequence: s.state.next(), Name: name, ID: id, App: app, Platform: r.kind, Version: r.version,
		Prefix: name, Status: statusReady, Health: "Grey", HealthStatus: "NoData", Created: now, Updated: now,
	}
}
