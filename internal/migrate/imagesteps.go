package migrate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

// sharedConds are the conditions that all steps have, which are the job's.
// That nothing is pushed on pull requests is build-push's default.
func (m *images) sharedConds() []string {
	if m.compose {
		return withoutPullRequests(m.conds)
	}
	if len(m.groups) != 1 {
		return nil
	}
	return withoutPullRequests(m.groups[0].conds)
}

func withoutPullRequests(conds []string) []string {
	if conjunction(conds) == noPullRequest {
		return nil
	}
	return conds
}

// steps are the steps of build-push, with their conditions where the job does
// not have them.
func (m *images) steps(u *unit, inJob bool) []*workflow.Map {
	if m.compose {
		with := new(workflow.Map).SetText("compose-file", strings.Join(m.composeFiles, "\n"))
		m.login.inputs(with)
		step := pushStep("images", m.stepCondition(m.conds, inJob)).SetMap("with", with)
		return []*workflow.Map{m.credentials(u, step)}
	}
	var steps []*workflow.Map
	for i, g := range m.groups {
		id := groupID(i)
		f := u.fields()
		with := new(workflow.Map)
		with.Set("services", workflow.Block(g.services(u.c, f).String()))
		with.SetText("vars", f.lines())
		with.SetText("tags", strings.Join(g.tags, "\n"))
		if g.push {
			if m.movable(u.c) {
				with.Comment("Empty is Docker Hub.").Set("registry", otherRegistry)
			}
			m.login.inputs(with)
		} else {
			with.Set("push", "false")
		}
		step := pushStep(id, m.stepCondition(g.conds, inJob)).SetMap("with", with)
		if g.push {
			step = m.credentials(u, step)
		}
		steps = append(steps, step)
	}
	if len(m.groups) > 1 {
		steps = append(steps, m.merge())
	}
	return steps
}

func (m *images) stepCondition(conds []string, inJob bool) string {
	if !inJob && (m.compose || len(m.groups) == 1) {
		return ""
	}
	return conjunction(withoutPullRequests(conds))
}

func pushStep(id, condition string) *workflow.Map {
	step := new(workflow.Map)
	if condition != "" {
		step.Set("if", expression(condition))
	}
	return step.Set("uses", "guk0/travois/actions/build-push@v1").Set("id", id)
}

// credentials gives build-push what it logs in to ECR with.
func (m *images) credentials(u *unit, step *workflow.Map) *workflow.Map {
	if !m.login.ecr {
		return step
	}
	return step.SetMap("env", u.awsKeys("", ""))
}

// merge puts the outputs of several steps together.
func (m *images) merge() *workflow.Map {
	var ids []string
	for i := range m.groups {
		ids = append(ids, groupID(i))
	}
	return mergeStep(ids, func(id string) string { return "steps." + id })
}

func groupID(i int) string {
	if i == 0 {
		return "images"
	}
	return fmt.Sprintf("images-%d", i+1)
}

// mergeStep puts outputs of build-push together, which expressions can't.
func mergeStep(ids []string, of func(id string) string) *workflow.Map {
	env := new(workflow.Map)
	var tags, digests []string
	for i, id := range ids {
		t, d := fmt.Sprintf("TAGS_%d", i+1), fmt.Sprintf("DIGESTS_%d", i+1)
		env.Set(t, "${{ "+of(id)+".outputs.tags || '{}' }}")
		env.Set(d, "${{ "+of(id)+".outputs.digests || '{}' }}")
		tags, digests = append(tags, `"$`+t+`"`), append(digests, `"$`+d+`"`)
	}
	run := "echo \"tags=$(printf '%s' " + strings.Join(tags, " ") + " | jq -cs add)\" >> \"$GITHUB_OUTPUT\"\n" +
		"echo \"digests=$(printf '%s' " + strings.Join(digests, " ") + " | jq -cs add)\" >> \"$GITHUB_OUTPUT\"\n"
	return new(workflow.Map).Set("id", "all").Set("run", run).Set("env", env)
}

// otherRegistry is a variable that stands in for Docker Hub, as the example's
// workflow has it: so a workflow can be tried under act without a push to it.
const otherRegistry = "${{ vars.DOCKER_REGISTRY }}"

// movable tells whether the images may go to any registry: they name none, and
// one login is for Docker Hub.
func (m *images) movable(c *converter) bool {
	if m.compose || m.login.ecr || len(m.login.list) != 1 || !hub(m.login.list[0].registry.String()) {
		return false
	}
	for _, g := range m.groups {
		for _, p := range g.images {
			first, _, slash := strings.Cut(p.repository.String(), "/")
			if slash && (strings.ContainsAny(first, ".:") && !strings.Contains(first, "${{")) {
				return false
			}
		}
	}
	c.todo.tell(travis.Place{}, "DOCKER_REGISTRY is an optional variable: another registry than Docker Hub, such as one on your machine under act")
	return true
}

// outputs are the job's outputs that eb-deploy takes.
func (m *images) outputs() *workflow.Map {
	if !m.compose && !slices.ContainsFunc(m.groups, func(g *group) bool { return g.push }) {
		return nil
	}
	id := "images"
	if len(m.groups) > 1 {
		id = "all"
	}
	return new(workflow.Map).
		Set("tags", "${{ steps."+id+".outputs.tags }}").
		Set("digests", "${{ steps."+id+".outputs.digests }}")
}
