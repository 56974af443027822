package migrate

import (
	"slices"
	"strings"

	"github.com/guk0/travois/internal/workflow"
)

func (p *pipeline) testJob() {
	services, client := new(workflow.Map), new(workflow.Map)
	if p.runsHost() {
		services, client = p.services()
	}
	steps := p.testSteps()
	if len(steps) == 0 {
		p.last = p.needs
		return
	}
	p.unusedServices()
	p.sameJob = p.runsHost() && p.matrix.size() == 0
	id := p.jobID()
	p.test = p.newJob(id, p.cond, p.needs)
	p.testID, p.last = id, []string{id}
	if p.allowFailure != "" {
		p.test.Set("continue-on-error", continues(p.allowFailure))
	}
	p.test.SetMap("strategy", p.matrix.strategy())
	if p.matrix.has("windows") {
		p.test.Set("defaults", new(workflow.Map).Set("run", new(workflow.Map).Set("shell", "bash")))
	}
	p.test.SetMap("env", p.jobEnv(client))
	p.test.SetMap("services", services)
	p.test.Set("steps", steps)
	p.c.addJob(id, p.test)
}

// unusedServices lists the services that no line on the runner can use.
func (p *pipeline) unusedServices() {
	for _, wanted := range p.wanted {
		if name, _, _ := knownBacking(wanted.name.Value); !p.runsHost() {
			p.c.todo.tell(wanted.name.Place, "service %s: the tests run in containers of their own, so it is no service of the job; add it to the services of actions/test if they need it", name)
		}
	}
}

// continues is a truth value, or an expression that gives one.
func continues(text string) any {
	if text == "true" {
		return workflow.Raw(text)
	}
	return text
}

// jobEnv is what lines on the runner see.
func (p *pipeline) jobEnv(client *workflow.Map) *workflow.Map {
	if !p.runsHost() {
		return nil
	}
	env := new(workflow.Map)
	for _, name := range client.Keys() {
		env.Set(name, client.Get(name))
	}
	for _, name := range p.env.Keys() {
		env.Set(name, p.env.Get(name))
	}
	return env
}

// jobWish is a name as the id of a job, which begins with a letter.
func jobWish(name string) string {
	wish := slug(name)
	if wish == "" {
		return "job"
	}
	if wish[0] >= '0' && wish[0] <= '9' {
		return "job-" + wish
	}
	return wish
}

func (p *pipeline) jobID() string {
	switch {
	case p.name != "":
		return p.c.ids.unique(jobWish(p.name))
	case p.stage != "":
		return p.c.ids.unique(jobWish(p.stage))
	case p.runsHost() && p.matrix.size() == 0 && !p.images.empty():
		return p.c.ids.unique("build", "test")
	}
	return p.c.ids.unique("test")
}

func (p *pipeline) newJob(id string, conds, needs []string) *workflow.Map {
	job := new(workflow.Map)
	if p.name != "" && slug(p.name) != p.name && strings.HasPrefix(id, jobWish(p.name)) {
		job.Set("name", p.name)
	}
	switch len(needs) {
	case 0:
	case 1:
		job.Set("needs", needs[0])
	default:
		job.Set("needs", workflow.Flow(needs))
	}
	if condition := p.c.condition(id, conds, needs); condition != "" {
		job.Set("if", condition)
	}
	return job.Set("runs-on", p.matrix.runsOn)
}

func (c *converter) addJob(id string, job *workflow.Map) {
	if c.jobs.Len() > 0 {
		c.jobs.Blank()
	}
	c.jobs.Set(id, job)
}

// testSteps are the steps up to the end of the script; empty when nothing is
// tested.
func (p *pipeline) testSteps() workflow.Seq {
	readings := p.ofPhases(testPhases...)
	at := slices.IndexFunc(readings, func(r *reading) bool {
		return slices.ContainsFunc(r.dockers, func(d *docker) bool { return d.verb == "run" || d.verb == "compose" })
	})
	var middle []*workflow.Map
	suites := !p.tests.empty()
	if at < 0 || !suites {
		middle = p.hostSteps(readings, p.rawTests)
	} else {
		middle = p.hostSteps(readings[:at], false)
		middle = append(middle, p.tests.steps(p.unit)...)
		middle = append(middle, p.hostSteps(readings[at:], false)...)
	}
	before, _ := p.afterSuccess()
	after := p.afterSteps(before)
	if len(middle) == 0 && len(after) == 0 {
		return nil
	}
	steps := workflow.Seq{p.checkout()}
	if p.runsHost() {
		steps = appendSteps(steps, p.envSteps())
		if p.lang.setup != nil {
			steps = appendSteps(steps, p.lang.setup(p.version, p.c))
		}
		steps = appendSteps(steps, p.setupSteps())
		if p.cacheWith != nil {
			steps = append(steps, p.cacheStep())
		}
	}
	return appendSteps(appendSteps(steps, middle), after)
}

func appendSteps(steps workflow.Seq, more []*workflow.Map) workflow.Seq {
	for _, step := range more {
		steps = append(steps, step)
	}
	return steps
}

// afterSteps are after_success, which did not change the result of a build.
func (p *pipeline) afterSteps(success []*reading) []*workflow.Map {
	var steps []*workflow.Map
	for _, run := range byDocker(success, p.rawImages) {
		docker := p.rawImages && mentionsDocker(run[0].line)
		for _, step := range p.hostSteps(run, p.rawImages) {
			if docker {
				step = new(workflow.Map).Set("if", noPullRequest).Join(step)
			} else {
				step.Set("continue-on-error", workflow.Raw("true"))
			}
			steps = append(steps, step)
		}
	}
	return steps
}

// byDocker parts lines at the changes between those with docker and those
// without, where that matters.
func byDocker(readings []*reading, matters bool) [][]*reading {
	var runs [][]*reading
	for i, r := range readings {
		if i > 0 && (!matters || mentionsDocker(r.line) == mentionsDocker(readings[i-1].line)) {
			runs[len(runs)-1] = append(runs[len(runs)-1], r)
			continue
		}
		runs = append(runs, []*reading{r})
	}
	return runs
}

// finish puts after_failure and after_script at the end of the job.
func (p *pipeline) finish() {
	if p.test == nil {
		return
	}
	var steps []*workflow.Map
	for _, step := range p.hostSteps(p.ofPhases("after_failure"), true) {
		steps = append(steps, new(workflow.Map).Set("if", "failure()").Join(step))
	}
	for _, step := range p.hostSteps(p.ofPhases("after_script"), true) {
		steps = append(steps, new(workflow.Map).Set("if", "always()").Join(step).Set("continue-on-error", workflow.Raw("true")))
	}
	p.test.Set("steps", appendSteps(p.test.Get("steps").(workflow.Seq), steps))
}
