package beanstalk

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// Result is how a deployment ended.
type Result string

// The results of a deployment.
const (
	// Deployed: this version runs and is healthy.
	Deployed Result = "deployed"
	// Created: the version exists; no environment was waited for.
	Created Result = "created"
	// Unchanged: this version ran already, healthy; nothing was done.
	Unchanged Result = "unchanged"
	// Rejected: refused before the environment was changed; a version may have
	// been made.
	Rejected Result = "rejected"
	// Failed: the update failed, and what runs now is not known to be good.
	Failed Result = "failed"
	// RolledBack: the update failed and another version runs again.
	RolledBack Result = "rolled-back"
	// Unhealthy: this version runs, but its health is not accepted.
	Unhealthy Result = "unhealthy"
	// Superseded: a newer run's version runs, or another update took the
	// environment before this one could be judged.
	Superseded Result = "superseded"
	// TimedOut: the deadline passed while the update was still going on, or
	// before the environment took it.
	TimedOut Result = "timed-out"
)

// Good tells whether the result lets a pipeline go on.
func (r Result) Good() bool { return r == Deployed || r == Created || r == Unchanged }

// The graces: how long a state may last that may still be on its way to
// another.
const (
	// startGrace is for an update that was accepted but does not show: the
	// environment may still be Ready for a moment, with the old label or the new.
	startGrace = 30 * time.Second
	// healthGrace is for the health right after Ready, which lags behind by a
	// round of health checks and reports. An update to what is there already has
	// as long to show itself.
	healthGrace = 3 * time.Minute
	// launchGrace is for an instance that scaling has launched beside the update:
	// it boots, and pulls the images.
	launchGrace = 10 * time.Minute
)

// Expected is what a deployment was to reach.
type Expected struct {
	// Label is the version.
	Label string
	// RequestID is the request of the update.
	RequestID string
	// AcceptHealth are the healths that are good enough.
	AcceptHealth []string
	// Policy is the environment's deployment policy, empty when it is not known.
	Policy string
	// Again tells that the environment held this version already, so that the
	// label alone proves nothing.
	Again bool
	// After is then the last deployment of before; 0 is not known.
	After int64
}

// undoes tells whether the policy takes a failed update back by itself: it puts
// new instances aside, while AllAtOnce and Rolling change those that serve.
func (e Expected) undoes() bool { return e.Policy == "Immutable" || e.Policy == "TrafficSplitting" }

// beginGrace is how long the update may not have shown itself. Where nothing
// but the update's own signs tells its end from the state before, it is longer.
func (e Expected) beginGrace(seen []Instance) time.Duration {
	if len(seen) == 0 || e.Again && e.After == 0 {
		return healthGrace
	}
	return startGrace
}

// Instance is an instance's own word on what it runs (enhanced health only).
type Instance struct {
	ID string
	// Deployment is "In Progress", "Deployed" or "Failed".
	Deployment string
	// DeploymentID counts the deployments of the environment; 0 is not known.
	DeploymentID int64
	// Label is the version that the deployment is of.
	Label string
	// Age is the time since its launch by the server's clock; 0 is not known.
	Age    time.Duration
	Health string
	Causes []string
}

// runs tells whether the instance says that it runs the version.
func (i Instance) runs(label string) bool { return i.Deployment == "Deployed" && i.Label == label }

// Observation is what was seen of an environment at one time.
type Observation struct {
	Environment Environment
	// Instances is empty with basic health reporting.
	Instances []Instance
	// Unasked tells that the instances can't be asked, or have not been; where they
	// can, a deployment is proven by them alone.
	Unasked bool
	// Errors are all events so far that say that our update failed.
	Errors []Event
	// Shown tells that the update has shown itself: a look found another status
	// than Ready, or an event of our request tells that it is over. Until then
	// Ready may be that of before, whatever the answer to the request and the
	// label say.
	Shown bool
	// Ended tells that an event of our request tells that it is over.
	Ended bool
	// Overtaken tells that another update has begun after ours.
	Overtaken bool
	// SinceUpdate is the time since the update was accepted, SinceReady the
	// time that the environment has been Ready since.
	SinceUpdate, SinceReady time.Duration
}

// Verdict is the judgement of an observation. An empty Result means that it is
// too early to tell, Reason then says what is waited for.
type Verdict struct {
	Result Result
	Reason string
}

func pending(format string, args ...any) Verdict {
	return Verdict{Reason: fmt.Sprintf(format, args...)}
}

func final(result Result, format string, args ...any) Verdict {
	return Verdict{Result: result, Reason: fmt.Sprintf(format, args...)}
}

// Judge tells how a deployment ended, or that it has not. That an environment
// is Ready proves nothing alone: after a rollback it is Ready too, and also
// when every instance failed. So the label, the errors of our request, the
// instances and the health must all agree.
func Judge(want Expected, seen Observation) Verdict {
	env := seen.Environment
	switch {
	case env.Terminated():
		return final(Failed, "environment %q is being terminated", env.Name)
	case env.Status != "Ready":
		return pending("environment %q is %s", env.Name, env.Status)
	case !seen.Shown && seen.SinceUpdate < want.beginGrace(seen.Instances):
		return pending("environment %q is Ready, and the update does not show yet", env.Name)
	case env.VersionLabel != want.Label:
		return judgeOther(want, seen)
	case len(seen.Errors) > 0:
		return final(Failed, "%s", firstMessage(seen.Errors))
	}
	if v, settled := judgeInstances(want, seen); settled {
		return v
	}
	return judgeHealth(want, seen)
}

// judgeOther is for an environment that is Ready with another version.
func judgeOther(want Expected, seen Observation) Verdict {
	env := seen.Environment
	if seen.Overtaken && len(seen.Errors) == 0 {
		return final(Superseded, "another update has brought environment %q to %s before it was known how this one ended", env.Name, named(env.VersionLabel))
	}
	others, proven := contradicting(env.VersionLabel, seen.Instances)
	if seen.SinceReady < startGrace && (len(seen.Errors) == 0 || len(others) > 0) {
		return pending("environment %q still shows %s", env.Name, named(env.VersionLabel))
	}
	why := "the update ended without an error event"
	if len(seen.Errors) > 0 {
		why = firstMessage(seen.Errors)
	}
	switch {
	case len(others) > 0:
		return final(Failed, "%s Environment %q shows %s, but instances do not run it: %s.",
			sentence(why), env.Name, named(env.VersionLabel), strings.Join(others, ", "))
	case env.VersionLabel == "":
		return final(Failed, "%s No version runs.", sentence(why))
	case !proven && !want.undoes():
		return final(Failed, "%s Environment %q shows version %q, but what its instances run is not known.",
			sentence(why), env.Name, env.VersionLabel)
	}
	return final(RolledBack, "%s Version %q runs.", sentence(why), env.VersionLabel)
}

// contradicting lists the instances that say something else than that they run
// the version, with what they say; proven tells that there are some and each says
// that it does.
func contradicting(label string, all []Instance) (others []string, proven bool) {
	proven = len(all) > 0
	for _, i := range all {
		if i.runs(label) {
			continue
		}
		proven = false
		if i.Deployment != "" {
			others = append(others, fmt.Sprintf("%s (%s %s)", i.ID, i.Label, strings.ToLower(i.Deployment)))
		}
	}
	return others, proven
}

// named is a version in a sentence.
func named(label string) string {
	if label == "" {
		return "no version"
	}
	return fmt.Sprintf("version %q", label)
}

// judgeInstances lets the instances speak where they can: the label of the
// environment may be ours although some or all of them failed. One that is silent
// proves nothing, unless it was launched later.
func judgeInstances(want Expected, seen Observation) (Verdict, bool) {
	if len(seen.Instances) == 0 {
		return judgeNoInstance(want, seen)
	}
	var bad, open []string
	young, proven := false, false
	for _, i := range seen.Instances {
		switch {
		case i.runs(want.Label) && (i.DeploymentID == 0 || i.DeploymentID > want.After):
			proven = true
		case i.Deployment == "Failed":
			bad = append(bad, i.ID)
		case i.Age > 0 && i.Age < seen.SinceReady:
			// Launched after the update, it is none of it.
		default:
			open = append(open, i.ID)
			young = young || i.Age > 0 && i.Age < launchGrace
		}
	}
	switch {
	case len(bad) > 0:
		return final(Failed, "the deployment failed on %s", strings.Join(bad, ", ")), true
	case len(open) == 0 && !proven:
		return judgeNoInstance(want, seen)
	case len(open) == 0:
		return Verdict{}, false
	case seen.SinceReady < healthGrace || young:
		return pending("%s not yet on version %q", strings.Join(open, ", "), want.Label), true
	}
	return final(Failed, "environment %q is Ready, but %s did not come to run version %q", seen.Environment.Name, strings.Join(open, ", "), want.Label), true
}

// judgeNoInstance is for an environment that reports none. With basic health there
// are none to ask, and where none runs the health is Grey.
func judgeNoInstance(want Expected, seen Observation) (Verdict, bool) {
	env := seen.Environment
	basic := seen.Unasked || env.HealthStatus == ""
	switch {
	case basic && !seen.Ended && seen.SinceReady < startGrace:
		// Events may be listed late, and here nothing else tells of a failure.
		return pending("no event tells yet how the update ended"), true
	case basic:
		return Verdict{}, false
	case seen.SinceReady < healthGrace:
		return pending("no instance says yet that it runs version %q", want.Label), true
	case env.Health == string(types.EnvironmentHealthGrey):
		return Verdict{}, false
	}
	return final(Failed, "environment %q is Ready, but no instance says that it runs version %q", env.Name, want.Label), true
}

func judgeHealth(want Expected, seen Observation) Verdict {
	env := seen.Environment
	if slices.Contains(want.AcceptHealth, env.Health) {
		return final(Deployed, "version %q runs, health %s", want.Label, env.Health)
	}
	accepted := strings.Join(want.AcceptHealth, ", ")
	if seen.SinceReady < healthGrace {
		return pending("health is %s, accepted: %s", env.Health, accepted)
	}
	return final(Unhealthy, "version %q runs, but its health is %s (accepted: %s)", want.Label, env.Health, accepted)
}

// firstMessage is what went wrong; the errors after it are its consequences.
func firstMessage(events []Event) string {
	for _, e := range events {
		if !e.tellsFailure() && !strings.HasPrefix(e.Message, seeLog) {
			return e.Message
		}
	}
	return events[0].Message
}

// seeLog begins the event that comes before the one that tells why.
const seeLog = "Instance deployment failed. For details, see"

func sentence(text string) string {
	if strings.HasSuffix(text, ".") {
		return text
	}
	return text + "."
}
