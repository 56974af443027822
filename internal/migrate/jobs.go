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

// sorted are a unit's lines by what becomes of them.
type sorted struct {
	readings []*reading
	tests    *tests
	images   *images
	// rawTests and rawImages tell that docker lines stay as they are.
	rawTests, rawImages bool
}

func (u *unit) sort() *sorted {
	r := &reader{scope: u.scope}
	s := &sorted{}
	for _, l := range u.allLines() {
		s.readings = append(s.readings, r.read(l))
	}
	for _, d := range u.deploys {
		for _, l := range d.script {
			reading := r.read(l)
			for _, docker := range reading.dockers {
				docker.terms = d.conds
			}
			if len(d.unread) > 0 && reading.kind == dockerLine {
				reading.kind, reading.reason = opaqueLine, "it depends on a condition that only a shell can check"
			}
			d.readings = append(d.readings, reading)
			if reading.kind == dockerLine || reading.kind == opaqueLine {
				s.readings = append(s.readings, reading)
			}
		}
	}
	var err error
	if s.tests, err = readTests(s.readings, u.scope); err != nil {
		s.rawTests, s.tests = true, &tests{login: &logins{}}
		u.c.todo.tell(u.section.Place, "the tests' docker lines stay as run: steps, since they can't be services of actions/test: %s", err)
	}
	ran := func(b *build) bool {
		if s.rawTests {
			return !imagePhases[b.phase]
		}
		return slices.ContainsFunc(s.tests.suites, func(c *container) bool { return c.build != nil && c.build.command == b.command }) ||
			slices.ContainsFunc(s.tests.backing, func(c *container) bool { return c.build != nil && c.build.command == b.command })
	}
	if s.images, err = readImages(s.readings, u.scope, ran); err != nil {
		s.rawImages, s.images = true, &images{login: &logins{}}
		// They may need images that the tests leave in the engine.
		s.rawTests, s.tests = true, &tests{login: &logins{}}
		u.c.todo.hand(u.section.Place, "the lines that build and push images stay as run: steps, and eb-deploy gets no tags from them: %s", err)
	}
	return s
}

// allLines are the lines with Travis's defaults where the file has none. The
// default install is for a script that runs on the runner.
func (u *unit) allLines() []*line {
	byPhase := map[string][]*line{}
	for _, l := range u.lines {
		byPhase[l.phase] = append(byPhase[l.phase], l)
	}
	if !u.given["script"] && !u.onlyDeploys() {
		byPhase["script"] = u.defaults("script")
	}
	host := slices.ContainsFunc(slices.Concat(byPhase["before_script"], byPhase["script"]), func(l *line) bool { return !mentionsDocker(l) })
	if host {
		byPhase["install"] = append(byPhase["install"], u.defaults("install")...)
	}
	var lines []*line
	for _, phase := range phases {
		lines = append(lines, byPhase[phase]...)
	}
	return lines
}

// onlyDeploys tells whether a unit is there for a deployment alone.
func (u *unit) onlyDeploys() bool {
	return len(u.deploys) > 0 && !u.given["script"] && !u.given["install"] && u.section != u.c.root
}

// ofPhases are the readings of some phases.
func (s *sorted) ofPhases(names ...string) []*reading {
	var out []*reading
	for _, r := range s.readings {
		if slices.Contains(names, r.phase) {
			out = append(out, r)
		}
	}
	return out
}

// runsHost tells whether test lines run on the runner, so that images may hold
// what they made.
func (s *sorted) runsHost() bool {
	return slices.ContainsFunc(s.ofPhases(testPhases...), func(r *reading) bool { return r.kind == hostLine || s.rawTests && r.kind != stateLine })
}

// afterSuccess parts what follows the tests from what follows the push.
func (s *sorted) afterSuccess() (before, after []*reading) {
	lines := s.ofPhases("after_success")
	if s.images.empty() {
		return lines, nil
	}
	first := slices.IndexFunc(lines, func(r *reading) bool { return r.kind == dockerLine })
	if first < 0 {
		return lines, nil
	}
	return lines[:first], lines[first:]
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
	// sameJob tells that images are built in the job of the tests.
	sameJob bool
}

func (p *pipeline) testJob() {
	steps := p.testSteps()
	if len(steps) == 0 {
		p.last = p.needs
		return
	}
	p.sameJob = p.runsHost() && p.matrix.size() == 0
	id := p.jobID()
	p.test = p.newJob(id, p.cond, p.needs)
	p.testID, p.last = id, []string{id}
	if p.allowFailure != "" {
		p.test.Set("continue-on-error", p.allowFailure)
	}
	p.test.SetMap("strategy", p.matrix.strategy())
	services, client := p.services()
	if !p.runsHost() && services.Len() > 0 {
		for _, key := range services.Keys() {
			p.c.todo.tell(p.section.Place, "service %s: the tests run in containers of their own, so it is no service of the job; add it to the services of actions/test if they need it", key)
		}
		services, client = new(workflow.Map), new(workflow.Map)
	}
	p.test.SetMap("env", p.jobEnv(client))
	p.test.SetMap("services", services)
	p.test.Set("steps", steps)
	p.c.addJob(id, p.test)
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

func (p *pipeline) jobID() string {
	switch {
	case p.name != "":
		return p.c.ids.unique(p.name)
	case p.stage != "":
		return p.c.ids.unique(p.stage)
	case p.runsHost() && p.matrix.size() == 0 && !p.images.empty():
		return p.c.ids.unique("build", "test")
	}
	return p.c.ids.unique("test")
}

func (p *pipeline) newJob(id string, conds, needs []string) *workflow.Map {
	job := new(workflow.Map)
	if p.name != "" && slug(p.name) != p.name && strings.HasPrefix(id, slug(p.name)) {
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
		if p.lang.setup != nil {
			steps = appendSteps(steps, p.lang.setup(p.version, p.c))
		}
		steps = appendSteps(steps, p.setup)
		if p.cacheStep != nil {
			steps = append(steps, p.cacheStep)
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
	if p.rawImages {
		for _, step := range p.hostSteps(success, true) {
			steps = append(steps, new(workflow.Map).Set("if", noPullRequest).Join(step))
		}
	} else {
		for _, step := range p.hostSteps(success, false) {
			steps = append(steps, step.Set("continue-on-error", workflow.Raw("true")))
		}
	}
	return steps
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
		steps = append(steps, p.checkout())
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
	if outputs != nil {
		job.Set("outputs", outputs)
		p.c.images[id] = true
		p.c.pushers = append(p.c.pushers, id)
	}
	job.Set("steps", steps)
	p.imageID, p.last = id, []string{id}
	p.c.addJob(id, job)
}
