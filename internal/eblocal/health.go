package eblocal

import (
	"fmt"
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
func (s *Server) setHealth(e *environment, status string, causes ...string) {
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
	s.event(event{App: e.App, Env: e.Name, EnvID: e.ID, Severity: severity,
		Message: strings.TrimSpace(text + " " + strings.Join(causes, " "))})
}

// note keeps what was seen of an instance; the caller holds the lock.
func (s *Server) note(i *instance, v verdict) {
	if v.Web != "" {
		i.web = v.Web
	}
	i.Health, i.Causes = "Ok", nil
	switch {
	case len(v.Failed) > 0 || v.Silent != "":
		i.Health = "Severe"
	case len(v.Waiting) > 0:
		i.Health = "Warning"
	}
	for _, cause := range v.complaints() {
		i.Causes = append(i.Causes, s.redact(cause))
	}
}

// strays is whether an instance does not run what it should.
func (e *environment) strays(i *instance) bool {
	return i.Status == deploymentFailed && !e.Hidden || i.Label != e.Label
}

// expected names the version that instances should run, as AWS does.
func (e *environment) expected() string {
	if e.Label == "" {
		return "Expected version n/a."
	}
	return fmt.Sprintf("Expected version \"%s\" (deployment %d).", e.Label, e.Deployment)
}

// reflect turns what was seen of the instances into health, and sends traffic to
// where they answer; the caller holds the lock.
func (s *Server) reflect(e *environment) {
	s.route(e)
	if len(e.Instances) == 0 {
		return
	}
	worst, sick, strays := "Ok", 0, 0
	var causes []string
	for _, i := range e.Instances {
		status := e.instanceStatus(i)
		if rank(status) > rank(worst) {
			worst = status
		}
		if status == "Severe" {
			sick++
		}
		if e.strays(i) {
			strays++
		}
		for _, cause := range i.Causes {
			if !slices.Contains(causes, cause) {
				causes = append(causes, cause)
			}
		}
	}
	if sick > 0 && sick < len(e.Instances) {
		worst = "Degraded"
	}
	s.setHealth(e, worst, append(e.strayCause(strays), causes...)...)
}

func (e *environment) strayCause(strays int) []string {
	switch {
	case strays == 0:
		return nil
	case strays == len(e.Instances):
		return []string{"Incorrect application version found on all instances. " + e.expected()}
	}
	return []string{fmt.Sprintf("Incorrect application version found on %d out of %d instances. %s", strays, len(e.Instances), e.expected())}
}

// statuses are the health statuses, the best first.
var statuses = []string{"Ok", "Info", "Pending", "NoData", "Unknown", "Warning", "Degraded", "Severe"}

func rank(status string) int { return slices.Index(statuses, status) }

// instanceStatus is the health of one instance.
func (e *environment) instanceStatus(i *instance) string {
	switch {
	case i.Status == deploymentRunning && slices.Contains(e.Fresh, i):
		return "Pending"
	case i.Status == deploymentRunning:
		return "Info"
	case i.Health == "Severe":
		return "Severe"
	case e.strays(i) && e.Before == nil:
		return "Degraded"
	}
	return i.Health
}

// instanceCauses are what an instance tells of itself.
func (e *environment) instanceCauses(i *instance) []string {
	causes := slices.Clone(i.Causes)
	if e.strays(i) && e.Before == nil {
		causes = append([]string{fmt.Sprintf("Incorrect application version \"%s\" (deployment %d). %s", i.Label, i.DeploymentID, e.expected())}, causes...)
	}
	return causes
}

// route sends traffic to the instances that are in service; the caller holds the
// lock.
func (s *Server) route(e *environment) []<-chan struct{} {
	return e.proxy.send(addresses(e.Instances)...)
}

func addresses(instances []*instance) []string {
	var addrs []string
	for _, i := range instances {
		if i.web != "" && !i.Out {
			addrs = append(addrs, i.web)
		}
	}
	return addrs
}
