package ebdeploy

import (
	"fmt"

	"github.com/guk0/travois/internal/beanstalk"
)

// next is what to do after a result; empty where there is nothing to do.
func (e envResult) next(p plan) string {
	switch {
	case e.cancelled && e.outcome.Sent:
		return "look in the console what the environment does, or run again, which waits for it"
	case e.cancelled:
		return ""
	case e.outcome.Environment.Terminated():
		return "name another environment, or make it again with create: true"
	}
	switch e.Result {
	case beanstalk.Created:
		return "the update goes on. Run again with wait: true to see how it ended"
	case beanstalk.Superseded:
		return "if the newer version is the wanted one, nothing. To deploy this one all the same, set force: true"
	case beanstalk.RolledBack:
		return fmt.Sprintf("correct what the causes and the logs name, and deploy again; until then %s serves", named(e.outcome.Environment.VersionLabel))
	case beanstalk.Failed:
		const again = "correct what the causes and the logs name, and deploy again"
		if e.outcome.Environment.VersionLabel == "" {
			return again
		}
		return "what runs now is not known to be good: " + again + e.back(p)
	case beanstalk.Unhealthy:
		return "look at the causes: the health check wants an answer on port 80 at the path / unless set otherwise" + e.back(p)
	case beanstalk.TimedOut:
		if e.outcome.Sent && e.outcome.Environment.Status == "Ready" {
			return "the environment is Ready, but not as it is to be. Look at the causes and the logs; where it only needs longer, raise timeout" + e.back(p)
		}
		if e.outcome.Sent {
			return "the update goes on without being watched. Look in the console what the environment does, or run again, which waits for it. Where it only needs longer, raise timeout"
		}
		return "another update held the environment. Run again once it is Ready, or raise timeout"
	case beanstalk.Rejected:
		return "correct what is named above, and run again; the environment was not changed"
	}
	return ""
}

// back is the way to the version before, where there is one.
func (e envResult) back(p plan) string {
	if e.previous == "" || e.previous == p.label || e.noWayBack {
		return ""
	}
	way := fmt.Sprintf(". To go back, run with version-label: %s and without images, tags and digests", e.previous)
	if p.config.OnFailure != rollback {
		way += "; on-failure: rollback does so by itself"
	}
	return way
}

// next is the step after a version alone.
func (d result) next() string {
	switch d.Result {
	case beanstalk.Created:
		return fmt.Sprintf("to deploy it, run with version-label: %s and an env, without images, tags and digests", d.plan.label)
	case beanstalk.TimedOut:
		return "run again, or raise timeout"
	}
	return ""
}
