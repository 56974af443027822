package eblocal

import (
	"slices"
	"strings"
	"time"
)

// severities, least first.
var severities = []string{"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"}

// event is a line of the environment's history.
type event struct {
	Sequence  int64     `json:"sequence"`
	Time      time.Time `json:"time"`
	App       string    `json:"application"`
	Env       string    `json:"environment,omitempty"`
	EnvID     string    `json:"environmentId,omitempty"`
	Label     string    `json:"label,omitempty"`
	RequestID string    `json:"requestId,omitempty"`
	Severity  string    `json:"severity"`
	Message   string    `json:"message"`
}

type eventDescription struct {
	EventDate       string
	Message         string
	ApplicationName string
	VersionLabel    string `xml:",omitempty"`
	EnvironmentName string `xml:",omitempty"`
	RequestID       string `xml:"RequestId,omitempty"`
	Severity        string
}

// event records e and saves the state; the caller holds the lock.
func (s *Server) event(e event) {
	e.Sequence = s.state.next()
	// Clients see milliseconds; filters must see what they see.
	e.Time = s.clock.now().Truncate(time.Millisecond)
	if s.faults.WholeSeconds {
		e.Time = e.Time.Truncate(time.Second)
	}
	e.Message = s.redact(e.Message)
	s.state.Events = append(s.state.Events, e)
	if extra := len(s.state.Events) - maxEvents; extra > 0 {
		s.state.Events = slices.Delete(s.state.Events, 0, extra)
	}
	s.logf("%s  %-5s  %s", stamp(e.Time), e.Severity, e.Message)
	s.keep()
}

// redact hides the values of environment properties that are long enough to be
// secrets: what the engine complains about may quote them.
func (s *Server) redact(text string) string {
	const minSecret = 6
	var settings []setting
	for _, e := range s.state.Envs {
		settings = append(settings, e.Settings...)
		for _, i := range e.all() {
			settings = append(settings, i.Run.Settings...) // it may run with others
		}
	}
	// A value that begins with another one must not lose only that part.
	slices.SortStableFunc(settings, func(a, b setting) int { return len(b.Value) - len(a.Value) })
	for _, o := range settings {
		if o.Namespace == propertyNamespace && len(o.Value) >= minSecret {
			text = strings.ReplaceAll(text, o.Value, "***")
		}
	}
	return text
}

// eventFilter is what DescribeEvents can be asked for.
type eventFilter struct {
	app, env, envID, label, requestID string
	severity                          int
	start, end                        time.Time
}

func (c *call) eventFilter() (eventFilter, error) {
	f := eventFilter{
		app: c.str("ApplicationName"), env: c.str("EnvironmentName"),
		envID: c.str("EnvironmentId"), label: c.str("VersionLabel"), requestID: c.str("RequestId"),
	}
	var err error
	if f.start, err = c.instant("StartTime"); err != nil {
		return f, err
	}
	if f.end, err = c.instant("EndTime"); err != nil {
		return f, err
	}
	if c.has("Severity") {
		f.severity = slices.Index(severities, c.str("Severity"))
	}
	if f.severity < 0 {
		return f, invalidValue("Severity %q: expected one of %s", c.str("Severity"), strings.Join(severities, ", "))
	}
	return f, nil
}

func (f eventFilter) matches(e event) bool {
	for _, pair := range [][2]string{{f.app, e.App}, {f.env, e.Env}, {f.envID, e.EnvID}, {f.label, e.Label}, {f.requestID, e.RequestID}} {
		if pair[0] != "" && pair[0] != pair[1] {
			return false
		}
	}
	if !f.start.IsZero() && e.Time.Before(f.start) {
		return false
	}
	if !f.end.IsZero() && !e.Time.Before(f.end) {
		return false
	}
	return slices.Index(severities, e.Severity) >= f.severity
}

func (s *Server) describeEvents(c *call) (any, error) {
	filter, err := c.eventFilter()
	if err != nil {
		return nil, err
	}
	var found []event
	visible := s.clock.now().Add(-s.faults.LateEvents)
	for _, e := range slices.Backward(s.state.Events) {
		if filter.matches(e) && !e.Time.After(visible) {
			found = append(found, e)
		}
	}
	found, token, err := page(c, s.faults.EventPage, found, func(e event) int64 { return e.Sequence })
	if err != nil {
		return nil, err
	}
	var described []eventDescription
	for _, e := range found {
		described = append(described, eventDescription{
			EventDate: stamp(e.Time), Message: e.Message, ApplicationName: e.App, VersionLabel: e.Label,
			EnvironmentName: e.Env, RequestID: e.RequestID, Severity: e.Severity,
		})
	}
	return struct {
		Events    list[eventDescription]
		NextToken string `xml:",omitempty"`
	}{listOf(described), token}, nil
}
