package beanstalk

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// Event is something that Elastic Beanstalk reports about an environment.
type Event struct {
	At time.Time
	// Severity is TRACE, DEBUG, INFO, WARN, ERROR or FATAL.
	Severity string
	Message  string
	// RequestID is the request that set it off; health changes have none.
	RequestID string
}

// String is the line that is printed for an event.
func (e Event) String() string {
	return fmt.Sprintf("%s %-5s %s", e.At.UTC().Format(time.TimeOnly), e.Severity, strings.Join(strings.Fields(e.Message), " "))
}

// failureTexts begin the events that tell of a failed deployment. They count
// also where an event carries no request.
var failureTexts = []string{
	"Failed to deploy application", "Unsuccessful command execution on instance", "During an aborted deployment",
}

// beginTexts are the events with which an update or another deployment of an
// environment's version begins.
var beginTexts = []string{"Environment update is starting.", "createEnvironment is starting.", "rebuildEnvironment is starting."}

// severe tells an event of something that failed.
func (e Event) severe() bool {
	return e.Severity == string(types.EventSeverityError) || e.Severity == string(types.EventSeverityFatal)
}

// fails tells whether the event says that the update of this request failed.
func (e Event) fails(requestID string) bool {
	if !e.severe() {
		return false
	}
	if e.RequestID != "" {
		return e.RequestID == requestID
	}
	return e.tellsFailure()
}

// tellsFailure goes by the text alone.
func (e Event) tellsFailure() bool {
	return slices.ContainsFunc(failureTexts, func(text string) bool { return strings.HasPrefix(e.Message, text) })
}

// overlap is how far before the start events are read, so that none that is
// dated a little early is lost.
const overlap = 2 * time.Minute

// eventLog reads an environment's events: each one once, none lost. Events
// have no id and several may be equal in all they say, so it counts how many
// of each kind the window holds, and gives those above the count so far. The
// window's beginning stays, so that an event may appear as late as it likes.
type eventLog struct {
	client   *Client
	app, env string
	since    time.Time
	seen     map[Event]int
}

// newEventLog starts a log at the server's time; what happened before is taken
// as seen.
func (c *Client) newEventLog(ctx context.Context, app, env string, now time.Time) (*eventLog, error) {
	log := &eventLog{client: c, app: app, env: env, since: now.Add(-overlap), seen: map[Event]int{}}
	_, err := log.fresh(ctx)
	return log, err
}

// fresh gives the events that were not given before, oldest first.
func (l *eventLog) fresh(ctx context.Context) ([]Event, error) {
	window, err := l.read(ctx)
	if err != nil {
		return nil, err
	}
	counts := make(map[Event]int, len(window))
	var fresh []Event
	for _, e := range window {
		counts[e]++
		if counts[e] > l.seen[e] {
			fresh = append(fresh, e)
		}
	}
	for e, n := range counts {
		l.seen[e] = max(n, l.seen[e])
	}
	return fresh, nil
}

// read gives all events of the window, oldest first.
func (l *eventLog) read(ctx context.Context) ([]Event, error) {
	in := &elasticbeanstalk.DescribeEventsInput{
		ApplicationName: &l.app, EnvironmentName: &l.env,
		StartTime: &l.since, MaxRecords: aws.Int32(1000),
	}
	var all []Event
	for {
		out, err := l.client.eb.DescribeEvents(ctx, in)
		if err != nil {
			return nil, failed(err, "read the events of environment %q", l.env)
		}
		for _, e := range out.Events {
			all = append(all, event(e))
		}
		if aws.ToString(out.NextToken) == "" {
			break
		}
		in.NextToken = out.NextToken
	}
	// They come newest first; within one instant that order is kept, turned.
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b Event) int { return a.At.Compare(b.At) })
	return all, nil
}

func event(e types.EventDescription) Event {
	return Event{
		At: aws.ToTime(e.EventDate).UTC(), Severity: string(e.Severity),
		Message: aws.ToString(e.Message), RequestID: aws.ToString(e.RequestId),
	}
}
