package wiretest

import (
	"slices"
	"time"
)

// Environment is an environment and the script of its updates.
type Environment struct {
	ID, Name, Status, Health, HealthStatus, Label string
	Stack, PlatformARN, Tier, CNAME               string
	// Options are namespace, name and value.
	Options [][3]string
	// OptionsPending tells that while it is not Ready its options are not
	// deployed yet.
	OptionsPending bool
	// Instances are what enhanced health reports; nil is basic health.
	Instances []Instance
	Causes    []string
	Events    []Event
	// Tail is the log of each instance by its id.
	Tail map[string]string
	// TailLost are the instances whose log is named, but not there.
	TailLost []string
	// TailTime is when a log was taken, where it is not now.
	TailTime map[string]time.Time
	// Script is what an update sets off. Without one the environment just
	// comes to run the version after 20 s.
	Script []Step
	// Abortable tells that an update can be aborted. OnAbort is what happens
	// then; without it the environment is Ready as before after 20 s.
	Abortable bool
	OnAbort   []Step
	// Aborted counts the aborts.
	Aborted int
	// Updates are the labels that were asked for, Sent the settings of each:
	// "NAME=value", and "-NAME" for one to remove.
	Updates []string
	Sent    [][]string
	// Separate tells that version and settings can't go in one update.
	Separate bool
	// Invalid are severity and message of what ValidateConfigurationSettings
	// says of an option.
	Invalid map[string][2]string

	running []due
	clock   time.Time
	request string
	label   string
	app     string
	listed  time.Time
	asked   time.Time
}

// Instance is an instance in DescribeInstancesHealth.
type Instance struct {
	ID, Deployment, Label, Health string
	Causes                        []string
	// DeploymentID is the number of the deployment; 0 is that of the last update.
	DeploymentID int
}

// Event is an event in DescribeEvents.
type Event struct {
	At                           time.Time
	Severity, Message, RequestID string
	// Label is the version that it is about.
	Label string
	// Delay is how long after At it shows itself.
	Delay time.Duration

	env string
}

// Step is a change of an environment, so long after the update began.
type Step struct {
	After time.Duration
	Do    func(*Environment)
}

type due struct {
	at time.Time
	do func(*Environment)
}

// Report adds an event of the running update.
func (e *Environment) Report(severity, message string) {
	e.Events = append(e.Events, Event{At: e.asked, Severity: severity, Message: message, RequestID: e.request, Label: e.label})
}

// Begin starts an update's script at a time.
func (e *Environment) Begin(label, request string, at time.Time) {
	e.Updates = append(e.Updates, label)
	e.Status, e.request, e.label, e.asked = "Updating", request, label, at
	e.Report("INFO", "Environment update is starting.")
	script := e.Script
	if script == nil {
		script = []Step{{20 * time.Second, func(e *Environment) { e.Finish(label) }}}
	}
	for _, s := range script {
		e.running = append(e.running, due{at.Add(s.After), s.Do})
	}
}

// Finish ends an update well.
func (e *Environment) Finish(label string) {
	e.Report("INFO", "New application version was deployed to running EC2 instances.")
	e.Report("INFO", "Environment update completed successfully.")
	e.Status, e.Health, e.HealthStatus, e.Label = "Ready", "Green", "Ok", label
}

// abort ends the running update.
func (e *Environment) abort(at time.Time) {
	e.Aborted++
	e.Status, e.running = "Aborting", nil
	steps := e.OnAbort
	if steps == nil {
		steps = []Step{{20 * time.Second, func(e *Environment) {
			e.Report("INFO", "The environment update was aborted.")
			e.Status = "Ready"
		}}}
	}
	for _, s := range steps {
		e.running = append(e.running, due{at.Add(s.After), s.Do})
	}
}

// advance does the steps that are due.
func (e *Environment) advance(now time.Time) {
	e.clock = now
	for len(e.running) > 0 && !e.running[0].at.After(now) {
		next := e.running[0]
		e.running = e.running[1:]
		e.asked = next.at
		next.do(e)
	}
}

// between gives the events that show themselves from a time on, and before
// another, the newest first. They are dated to the millisecond, as in answers.
func (e *Environment) between(start, end string) []Event {
	since, _ := time.Parse(time.RFC3339Nano, start)
	until, _ := time.Parse(time.RFC3339Nano, end)
	var found []Event
	for _, event := range e.Events {
		at := event.At.Truncate(time.Millisecond)
		shown := event.Delay == 0 || !e.clock.Before(event.At.Add(event.Delay))
		if shown && !at.Before(since) && (until.IsZero() || at.Before(until)) {
			event.At, event.env = at, e.Name
			found = append(found, event)
		}
	}
	slices.Reverse(found)
	return found
}
