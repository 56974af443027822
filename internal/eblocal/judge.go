package eblocal

import (
	"fmt"
	"slices"
	"strings"
)

// maxRestarts is how often a container may be restarted before it is given up:
// one that comes up before what it needs gets a few attempts.
const maxRestarts = 5

// expect is what a healthy instance consists of.
type expect struct {
	Web       endpoint `json:"web"`
	Services  []string `json:"services"`            // that must run
	Optional  []string `json:"optional,omitempty"`  // whose end does not stop the others
	Completes []string `json:"completes,omitempty"` // that may end with code 0
}

// endpoint is the container port that the instance's port 80 stands for.
type endpoint struct {
	Service string `json:"service"`
	Port    int    `json:"port"`
}

// verdict is what the containers of an instance tell about it.
type verdict struct {
	Failed  []string // what will not get better by waiting
	Waiting []string // what may
	Silent  string   // what is wrong with port 80, "" when it answers
	Web     string   // where its port 80 is found on this machine
	Print   string   // changes when a container was started anew
}

// judge holds the containers of an instance against what is expected. While an
// instance is launched, every container counts. In service the end of an optional
// one is worth a warning only: ECS lets the others run.
func (x expect) judge(containers []Container, inService bool) verdict {
	var v verdict
	var prints []string
	seen := map[string]bool{}
	for _, c := range containers {
		seen[c.Service] = true
		prints = append(prints, c.Service+"@"+c.StartedRaw)
		if c.Service == x.Web.Service && c.Ports[x.Web.Port] != "" {
			v.Web = c.Ports[x.Web.Port]
		}
		failed, waiting := x.complaint(c)
		v.Waiting = appendNonEmpty(v.Waiting, waiting)
		v.fail(failed, inService && slices.Contains(x.Optional, c.Service))
	}
	for _, name := range x.Services {
		if !seen[name] {
			v.fail(fmt.Sprintf("Container %q is gone.", name), inService && slices.Contains(x.Optional, name))
		}
	}
	slices.Sort(prints)
	v.Print = strings.Join(prints, " ")
	return v
}

// fail adds what is wrong for good; of a container that may go it is a warning.
func (v *verdict) fail(text string, mayGo bool) {
	if mayGo {
		v.Waiting = appendNonEmpty(v.Waiting, text)
		return
	}
	v.Failed = appendNonEmpty(v.Failed, text)
}

// complaint says what is wrong with a container, going by what is expected of it.
func (x expect) complaint(c Container) (failed, waiting string) {
	optional := slices.Contains(x.Optional, c.Service)
	if optional {
		c.Health = "" // ECS asks only the health of essential containers
	}
	return c.complaint(optional || slices.Contains(x.Completes, c.Service))
}

func appendNonEmpty(to []string, text string) []string {
	if text == "" {
		return to
	}
	return append(to, text)
}

// complaint says what is wrong with a container: for good, or for now.
func (c Container) complaint(mayComplete bool) (failed, waiting string) {
	switch c.State {
	case "running":
		return c.healthComplaint()
	case "restarting":
		if c.Restarts >= maxRestarts {
			return fmt.Sprintf("Container %q keeps restarting: it %s.", c.Service, c.end()), ""
		}
		return "", fmt.Sprintf("Container %q is restarting: it %s.", c.Service, c.end())
	case "created":
		if c.Error != "" {
			return fmt.Sprintf("Container %q could not be started: %s.", c.Service, strings.TrimSuffix(c.Error, ".")), ""
		}
		return "", fmt.Sprintf("Container %q is not started yet.", c.Service)
	case "exited", "dead":
		if mayComplete && c.State == "exited" && c.ExitCode == 0 {
			return "", ""
		}
		return fmt.Sprintf("Container %q %s.", c.Service, c.end()), ""
	}
	return "", fmt.Sprintf("Container %q is %s.", c.Service, c.State)
}

func (c Container) healthComplaint() (failed, waiting string) {
	switch {
	case c.Restarts >= maxRestarts:
		return fmt.Sprintf("Container %q keeps restarting: it was started %d times.", c.Service, c.Restarts+1), ""
	case c.Health == "unhealthy":
		return fmt.Sprintf("Container %q is unhealthy, says its own health check.", c.Service), ""
	case c.Health == "starting":
		return "", fmt.Sprintf("Container %q has not passed its own health check yet.", c.Service)
	}
	return "", ""
}

func (c Container) end() string {
	text := fmt.Sprintf("exited with code %d", c.ExitCode)
	if c.OOMKilled {
		text += " (out of memory: raise its memory limit)"
	}
	if c.Error != "" {
		text += " (" + strings.TrimSuffix(c.Error, ".") + ")"
	}
	return text
}

func (v verdict) complaints() []string {
	return appendNonEmpty(slices.Concat(v.Failed, v.Waiting), v.Silent)
}
