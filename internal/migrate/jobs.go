package migrate

import (
	"slices"
	"strings"

	"github.com/guk0/travois/internal/workflow"
)

// emit writes the jobs of all stages. A stage waits for the one before.
func (c *converter) emit(stages []*stage) {
	for _, s := range stages {
		for _, u := range s.units {
			c.deploys = c.deploys || slices.ContainsFunc(u.deploys, func(d *deployment) bool { return d.beanstalk })
		}
	}
	whole := c.wholeCondition()
	var needs []string
	for _, s := range stages {
		var ids []string
		for _, u := range s.units {
			u.cond = slices.Concat(whole, s.cond, u.cond)
			ids = append(ids, u.emit(needs)...)
		}
		if len(ids) > 0 {
			needs = ids
		}
	}
}

// emit writes a unit's jobs: the tests, the images, the deployments. It returns
// the ids that the next stage waits for.
func (u *unit) emit(needs []string) []string {
	s := u.sort()
	p := &pipeline{unit: u, sorted: s, needs: needs}
	p.testJob()
	p.imageJob()
	p.deployJobs()
	p.finish()
	return p.last
}

// pipeline is the jobs of one unit while they are written.
type pipeline struct {
	*unit
	*sorted
	needs []string
	// last are the jobs that the next ones wait for.
	last []string
	// test is the job of the tests, and images are its step's or its job's id.
	test            *workflow.Map
	testID, imageID string
	// gates are the ids of steps that check a deployment's condition.
	gates namer
	// sameJob tells that images are built in the job of the tests.
	sameJob bool
}

// ofMatrix makes a job one of each row of the matrix when its env or its steps
// ask for the values.
func (p *pipeline) ofMatrix(job, env *workflow.Map, steps workflow.Seq) bool {
	if !strings.Contains(new(workflow.Map).Set("env", env).Set("steps", steps).String(), "${{ matrix.") {
		return false
	}
	job.SetMap("strategy", p.matrix.strategy())
	return true
}

// imageJob builds and pushes, in a job of its own where nothing of the runner
// can be in an image.
func (p *pipeline) imageJob() {
	if p.images.empty() {
		return
	}
	_, after := p.afterSuccess()
	conds := p.images.sharedConds()
	var steps workflow.Seq
	inJob := p.sameJob && p.test != nil
	if !inJob {
		steps = appendSteps(append(steps, p.checkout()), p.toolsBeside(onRunner(after)))
	}
	more := p.images.steps(p.unit, inJob)
	more = append(more, p.hostSteps(after, false)...)
	steps = appendSteps(steps, more)
	outputs := p.images.outputs()
	if inJob {
		p.imageID = p.testID
		all := p.test.Get("steps").(workflow.Seq)
		p.test.Set("steps", append(all, steps...))
		if outputs != nil {
			p.test.SetBefore("steps", "outputs", outputs)
			p.c.images[p.testID] = true
			p.c.pushers = append(p.c.pushers, p.testID)
		}
		return
	}
	if p.matrix.size() > 0 && p.runsHost() {
		p.c.todo.hand(p.section.Place, "the images are built in a job of their own, from a fresh checkout: if they need what the script made, make it there too")
	}
	id := p.c.ids.unique("build-push", "build-push-"+p.name)
	runsOn := p.matrix.runsOn
	p.matrix.runsOn = "ubuntu-latest"
	if strings.HasPrefix(runsOn, "ubuntu-") {
		p.matrix.runsOn = runsOn
	}
	job := p.newJob(id, slices.Concat(p.cond, conds), p.last)
	p.matrix.runsOn = runsOn
	env := p.envBeside(onRunner(after))
	if p.ofMatrix(job, env, steps) && outputs != nil && len(p.deploys) > 0 {
		p.c.todo.hand(p.section.Place, "each job of the matrix pushes images, and eb-deploy gets those of the last one: give it the tags of the one that is meant")
	}
	if p.allowFailure == "true" {
		job.Set("continue-on-error", continues(p.allowFailure))
	}
	if outputs != nil {
		job.Set("outputs", outputs)
		p.c.images[id] = true
		p.c.pushers = append(p.c.pushers, id)
	}
	job.SetMap("env", env)
	job.Set("steps", steps)
	p.imageID, p.last = id, []string{id}
	p.c.addJob(id, job)
}
