package migrate

import (
	"slices"
	"strings"

	"github.com/guk0/travois/internal/workflow"
)

// deployJobs writes a job for each deployment, or steps where the deployment
// needs what the job made.
func (p *pipeline) deployJobs() {
	before := p.ofPhases("before_deploy")
	after := p.ofPhases("after_deploy")
	if len(p.deploys) == 0 {
		for _, r := range slices.Concat(before, after) {
			if r.kind != dockerLine {
				p.c.todo.hand(r.text.Place, "%s: %s: nothing is deployed here, so it is left out", r.phase, firstLine(r.text.Value))
				text, _, _ := modern(r.line)
				p.c.comments = append(p.c.comments, "\nNot converted, "+r.phase+", "+r.text.Place.String()+":\n"+indent(strings.TrimSpace(text)))
			}
		}
		return
	}
	base := p.last
	var ids []string
	for _, d := range p.deploys {
		d.keeps = d.keeps || p.runsHost() && len(onRunner(slices.Concat(before, d.readings))) > 0
		d.keeps = d.keeps || p.rawImages && slices.ContainsFunc(slices.Concat(d.readings, before, after), func(r *reading) bool { return mentionsDocker(r.line) })
		steps := p.deploySteps(d, before, after)
		if len(steps) == 0 {
			continue
		}
		if d.keeps && p.sameJob && p.test != nil && (p.imageID == "" || p.imageID == p.testID) {
			p.deployInJob(d, steps)
			continue
		}
		if !d.beanstalk {
			p.c.todo.tell(d.section.Place, "deploy by script runs in a job of its own, from a fresh checkout; if it builds or pushes images, let build-push do that")
		}
		if d.keeps && p.runsHost() {
			p.c.todo.hand(d.section.Place, "the deployment may use files of the tests, by skip_cleanup or its own lines, and here it is a job of its own: hand them over with actions/upload-artifact and actions/download-artifact, if it needs them")
		}
		lines := onRunner(slices.Concat(before, d.readings, after))
		ids = append(ids, p.deployJob(d, base, steps, lines))
	}
	if len(ids) > 0 {
		p.last = ids
	}
}

func (p *pipeline) deployJob(d *deployment, needs []string, steps []*workflow.Map, lines []*line) string {
	id := p.c.ids.unique(p.deployWishes(d)...)
	if p.testID != "" && p.imageID != "" && p.imageID != p.testID {
		needs = []string{p.imageID}
	}
	needs = unique(slices.Concat(needs, d.pushers))
	runsOn := p.matrix.runsOn
	p.matrix.runsOn = "ubuntu-latest"
	name := p.name
	if len(p.last) > 0 && p.testID != "" {
		p.name = ""
	}
	job := p.newJob(id, slices.Concat(p.cond, d.conds), needs)
	p.name, p.matrix.runsOn = name, runsOn
	if d.maybe {
		job.Set("continue-on-error", workflow.Raw("true"))
	}
	tools := p.toolsBeside(lines)
	if len(d.unread) > 0 {
		lines = append(lines, d.gateLine())
	}
	env := p.envBeside(lines)
	p.ofMatrix(job, env, appendSteps(nil, steps))
	if group := d.group(); group != "" && (d.tagged || !onlyOneRef(d.conds)) {
		job.Comment("Deployments of all branches and tags to one environment take turns.")
		job.Set("concurrency", new(workflow.Map).Set("group", group).Set("cancel-in-progress", workflow.Raw("false")))
	}
	job.SetMap("env", env)
	job.Set("steps", appendSteps(appendSteps(workflow.Seq{p.checkout()}, tools), steps))
	p.c.addJob(id, job)
	return id
}

// onlyOneRef tells whether a condition names one branch: then the workflow's
// own concurrency is enough.
func onlyOneRef(conds []string) bool {
	all := conjunction(conds)
	return strings.Count(all, "refs/heads/") == 1 && !strings.Contains(all, "||")
}

// group is the name under which deployments to an environment take turns.
func (d *deployment) group() string {
	if !d.beanstalk || d.environment == "" || d.versionOnly {
		return ""
	}
	return "eb-deploy-" + d.environment
}

func (p *pipeline) deployWishes(d *deployment) []string {
	name := "deploy"
	if d.beanstalk {
		name = "eb-deploy"
	}
	if p.name != "" && p.testID == "" {
		return []string{jobWish(p.name), name}
	}
	if d.versionOnly {
		return []string{"eb-version", name + "-" + d.environment}
	}
	return []string{name, name + "-" + d.environment}
}

// deployInJob puts a deployment's steps behind the tests.
func (p *pipeline) deployInJob(d *deployment, steps []*workflow.Map) {
	all := p.test.Get("steps").(workflow.Seq)
	condition := conjunction(d.conds)
	for _, step := range steps {
		merged := new(workflow.Map)
		if existing, ok := step.Get("if").(string); ok {
			step.Set("if", expression(conjunction([]string{condition, existing})))
			merged.Join(step)
		} else {
			merged.Set("if", expression(condition)).Join(step)
		}
		all = append(all, merged)
	}
	p.test.Set("steps", all)
}

// deploySteps are the steps of one deployment, without the checkout.
func (p *pipeline) deploySteps(d *deployment, before, after []*reading) []*workflow.Map {
	var steps []*workflow.Map
	steps = append(steps, p.hostSteps(before, p.rawImages)...)
	switch {
	case d.beanstalk:
		step := p.beanstalk(d)
		if len(d.pushers) > 1 {
			steps = append(steps, mergeStep(d.pushers, func(id string) string { return "needs." + id }))
		}
		steps = append(steps, step)
	default:
		own := p.hostSteps(d.readings, p.rawImages)
		if len(own) == 0 {
			return nil
		}
		steps = append(append(p.loginsFor(d.readings), steps...), own...)
	}
	steps = append(steps, p.hostSteps(after, p.rawImages)...)
	p.c.leaveRest(d.section, "deploy, ")
	if len(d.unread) == 0 {
		return steps
	}
	id, gate := p.gate(d)
	gated := []*workflow.Map{gate}
	for _, step := range steps {
		gated = append(gated, new(workflow.Map).Set("if", "steps."+id+".outputs.met == 'true'").Join(step))
	}
	return gated
}
