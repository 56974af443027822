package beanstalk

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// Event is something that Elastic Beanstalk reports about an environment.
type Event struct {
	At time.Time
	// Env is the name of the environment, empty for an event of the application.
	Env string
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

// endTexts begin the events that an update ends with.
var endTexts = []string{
	"Environment update completed successfully", "Update environment operation is complete", "Failed to deploy",
	"During an aborted deployment", "The environment was reverted to the previous configuration",
	"Successfully launched environment", "Create environment operation is complete", "Failed to launch environment",
}

// ends tells that an update is over with the event.
func (e Event) ends() bool {
	return slices.ContainsFunc(endTexts, func(text string) bool { return strings.HasPrefix(e.Message, text) })
}

// begins tells that an update or another deployment begins with the event.
func (e Event) begins() bool { return slices.Contains(beginTexts, e.Message) }

// of tells that the request has set the event off.
func (e Event) of(requestID string) bool { return e.RequestID != "" && e.RequestID == requestID }

// Severe tells an event of something that failed.
func (e Event) Severe() bool {
	return e.Severity == string(types.EventSeverityError) || e.Severity == string(types.EventSeverityFatal)
}

// fails tells whether the event says that the update of this request failed.
func (e Event) fails(requestID string) bool {
	if !e.Severe() {
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
