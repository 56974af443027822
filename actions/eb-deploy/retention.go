package ebdeploy

import (
	"context"
	"slices"
	"time"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
)

// RetentionInputs say which versions stay.
type RetentionInputs struct {
	KeepVersions  int  `env:"KEEP-VERSIONS" envDefault:"0"`
	DeleteBundles bool `env:"DELETE-BUNDLES" envDefault:"false"`
}

// prunes tells that old versions are to be deleted.
func (i RetentionInputs) prunes() bool { return i.KeepVersions > 0 }

func (c config) checkRetention() []error {
	var problems []error
	if c.KeepVersions < 0 {
		problems = append(problems, action.BadInput("keep-versions", "%d is negative; 0 keeps all", c.KeepVersions))
	}
	if c.DeleteBundles && !c.prunes() {
		problems = append(problems, action.BadInput("delete-bundles", "is true, but keep-versions does not say how many versions stay"))
	}
	return problems
}

// pruneTime bounds the clean-up, which no deployment waits for.
const pruneTime = 5 * time.Minute

// prune deletes versions beyond those that stay. What fails is a warning: the
// deployment has its verdict by then.
func (p plan) prune(ctx context.Context, client *beanstalk.Client, log *action.Log, spare, unsure []string) {
	ctx, cancel := context.WithTimeout(ctx, pruneTime)
	defer cancel()
	w := log.Writer("")
	_, err := client.Prune(ctx, beanstalk.Retention{
		App: p.config.App, Keep: p.config.KeepVersions, Bundles: p.config.DeleteBundles,
		Spare: append(slices.Clone(spare), p.label), Unsure: unsure,
	}, w)
	for _, problem := range append(action.Problems(err), action.Problems(w.Close())...) {
		log.Warning(problem)
	}
}

// cleanUp follows a deployment that went well, also one that has changed
// nothing: the run before may have been killed right after its update. The
// versions that ran before are the way back; a run that changes nothing does not
// know them by itself.
func (e *execution) cleanUp(ctx context.Context, done result) {
	worst := done.worst()
	if !e.plan.config.prunes() || !worst.Good() || ctx.Err() != nil {
		return
	}
	var spare, unsure []string
	for _, env := range done.envs {
		spare = append(spare, env.previous)
		if env.Result == beanstalk.Unchanged {
			unsure = append(unsure, env.name)
		}
	}
	e.plan.prune(ctx, e.client, e.log, spare, unsure)
}
