package beanstalk

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// overlap is how far before the start events are read, so that none that is
// dated a little early is lost. reach is how late an event may show itself
// while an update goes on.
const (
	overlap = 2 * time.Minute
	reach   = 15 * time.Minute
)

// eventLog reads environments' events: each one once, none lost. Events have no
// id and several may be equal in all they say, so it counts how many of each
// kind a window of time holds, and gives those above the count so far.
type eventLog struct {
	client *Client
	app    string
	// env is the one environment that is watched; empty where there are several.
	env string
	// since is the beginning of the window, now the server's time.
	since, now time.Time
	seen       map[Event]int
}

// newEventLog makes a log that begins at the server's time.
func (c *Client) newEventLog(app string, envs []string, now time.Time) *eventLog {
	l := &eventLog{client: c, app: app, since: now.Add(-overlap), now: now, seen: map[Event]int{}}
	if len(envs) == 1 {
		l.env = envs[0]
	}
	return l
}

// slide moves the window's beginning on, and forgets what is before it.
func (l *eventLog) slide(now time.Time) {
	if since := now.Add(-reach); since.After(l.since) {
		l.since = since
		maps.DeleteFunc(l.seen, func(e Event, _ int) bool { return e.At.Before(since) })
	}
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

// read gives all events of the window, oldest first. It goes on by time where
// there are several pages, not by the service's mark, which may count from the
// newest event: one that comes in between would be given twice then.
func (l *eventLog) read(ctx context.Context) ([]Event, error) {
	var all []Event
	var end *time.Time
	for {
		part, more, err := l.part(ctx, end)
		if err != nil {
			return nil, err
		}
		if !more {
			all = append(all, part...)
			break
		}
		// The instant that the part ends in is read again, whole.
		last := afterInstant(part[len(part)-1])
		end = &last
		all = append(all, slices.DeleteFunc(part, func(e Event) bool { return e.At.Before(last) })...)
	}
	// They come newest first; within one instant that order is kept, turned.
	slices.Reverse(all)
	slices.SortStableFunc(all, func(a, b Event) int { return a.At.Compare(b.At) })
	return all, nil
}

// part gives the newest events before an end, at least two instants of them
// where there are more.
func (l *eventLog) part(ctx context.Context, end *time.Time) (events []Event, more bool, err error) {
	in := &elasticbeanstalk.DescribeEventsInput{
		ApplicationName: &l.app, StartTime: &l.since, EndTime: end, MaxRecords: aws.Int32(1000),
	}
	subject := fmt.Sprintf("application %q", l.app)
	if l.env != "" {
		in.EnvironmentName = &l.env
		subject = fmt.Sprintf("environment %q", l.env)
	}
	for {
		out, err := l.client.eb.DescribeEvents(ctx, in)
		if err != nil {
			return nil, false, failed(err, "read the events of %s", subject)
		}
		l.now = serverTime(out.ResultMetadata)
		for _, e := range out.Events {
			events = append(events, event(e))
		}
		if aws.ToString(out.NextToken) == "" {
			return events, false, nil
		}
		in.NextToken = out.NextToken
		if len(events) == 0 {
			continue
		}
		last := afterInstant(events[len(events)-1])
		switch {
		case !last.Equal(afterInstant(events[0])):
			return events, true, nil
		case in.EndTime == nil || in.EndTime.After(last):
			// More than a page at one instant: the service's mark is needed, and
			// nothing newer may come in before it.
			in.EndTime, in.NextToken, events = &last, nil, nil
		}
	}
}

// afterInstant is the first time after an event that a request can tell from it.
func afterInstant(e Event) time.Time {
	return e.At.Truncate(time.Millisecond).Add(time.Millisecond)
}

func event(e types.EventDescription) Event {
	return Event{
		At: aws.ToTime(e.EventDate).UTC(), Env: aws.ToString(e.EnvironmentName), Severity: string(e.Severity),
		Message: aws.ToString(e.Message), RequestID: aws.ToString(e.RequestId),
	}
}
