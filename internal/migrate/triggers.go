package migrate

import (
	"slices"
	"strings"

	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

// triggers are the events of the workflow. Travis built every push of a branch
// or a tag, and every pull request; branches: restricts both, for a pull
// request by the branch that it is for, and a tag counted as a branch.
func (c *converter) triggers() *workflow.Map {
	push, pull := new(workflow.Map), new(workflow.Map)
	if node, ok := c.root.Take("branches"); ok {
		c.branches(node, push, pull)
	}
	on := new(workflow.Map)
	on.Set("push", orNothing(push))
	on.Set("pull_request", orNothing(pull))
	text := c.jobs.String()
	if strings.Contains(text, "github.event_name == 'schedule'") {
		on.Comment("The times are in Travis's settings:\nschedule: [{cron: '0 3 * * *'}]")
		c.todo.hand(travis.Place{}, "a condition asks for type = cron: put your times into on: schedule, which is a comment in the workflow")
	}
	if strings.Contains(text, "github.event_name == 'workflow_dispatch'") {
		on.Set("workflow_dispatch", nil)
	}
	return on
}

func orNothing(m *workflow.Map) any {
	if m.Len() == 0 {
		return nil
	}
	return m
}

func (c *converter) branches(node travis.Node, push, pull *workflow.Map) {
	section := node.Section()
	if !node.IsMap() {
		c.only(node.Texts(), nil, push, pull)
		return
	}
	only, hasOnly := section.Take("only")
	except, hasExcept := section.Take("except")
	switch {
	case hasOnly:
		c.only(only.Texts(), except.Texts(), push, pull)
	case hasExcept:
		c.except(except.Texts(), push, pull)
	}
	for _, key := range section.Rest() {
		c.leave(key, "branches, ", "branches knows only: and except:")
	}
}

// filters are GitHub's patterns for Travis's names and regular expressions.
func (c *converter) filters(texts []travis.Text) (branches, tags []string) {
	for _, text := range texts {
		expression, isRegex := strings.CutPrefix(text.Value, "/")
		if !isRegex {
			branches = append(branches, escapeGlob(text.Value))
			continue
		}
		expression = strings.TrimSuffix(strings.TrimSuffix(expression, "i"), "/")
		patterns, exact, ok := globs(expression)
		if !ok {
			c.todo.hand(text.Place, "branches: %s has no counterpart among GitHub's patterns; add one to on: push", text.Value)
			c.comments = append(c.comments, "\nNot converted, branches, "+text.Place.String()+":\n  "+text.Value)
			continue
		}
		if !exact {
			c.todo.tell(text.Place, "branches: %s became %s, which lets more pass", text.Value, strings.Join(patterns, " "))
		}
		if versionLike(expression) {
			tags = append(tags, patterns...)
			continue
		}
		branches = append(branches, patterns...)
	}
	return unique(branches), unique(tags)
}

func (c *converter) only(only, except []travis.Text, push, pull *workflow.Map) {
	branches, tags := c.filters(only)
	not, notTags := c.filters(except)
	for _, pattern := range not {
		branches = append(branches, "!"+pattern)
	}
	if len(tags) > 0 {
		for _, pattern := range notTags {
			tags = append(tags, "!"+pattern)
		}
	}
	if len(branches) > 0 && strings.HasPrefix(branches[0], "!") {
		branches = nil
	}
	if len(branches) > 0 {
		push.Set("branches", workflow.Flow(branches))
		pull.Set("branches", workflow.Flow(branches))
	}
	if len(tags) > 0 {
		push.Set("tags", workflow.Flow(tags))
	}
}

func (c *converter) except(texts []travis.Text, push, pull *workflow.Map) {
	branches, tags := c.filters(texts)
	if len(branches) > 0 {
		push.Set("branches-ignore", workflow.Flow(branches))
		pull.Set("branches-ignore", workflow.Flow(branches))
	}
	switch {
	case len(tags) > 0:
		push.Set("tags-ignore", workflow.Flow(tags))
	case len(branches) > 0:
		// With a filter for branches alone, no tag would start a run.
		push.Set("tags", workflow.Flow{"**"})
	}
	if len(tags) > 0 && len(branches) == 0 {
		push.Set("branches", workflow.Flow{"**"})
	}
}

// never stands for a condition that is not understood. What Travis may not have
// run must not run, least of all a deployment; actionlint takes no plain false.
const never = "github.event_name == 'never'"

// wholeCondition is the if: of the whole file.
func (c *converter) wholeCondition() []string {
	text := c.root.TakeText("if")
	if text.Value == "" {
		return nil
	}
	expr, err := travisCondition(text.Value, c.settingsOrGlobal)
	if err != nil {
		c.todo.hand(text.Place, "if: %s: %s; the jobs never run until you write it in the place of: %s", text.Value, err, never)
		c.comments = append(c.comments, "\nNot converted, "+text.Place.String()+":\n  if: "+text.Value)
		return []string{never}
	}
	return slices.DeleteFunc([]string{expr}, func(e string) bool { return e == "" })
}

// turns are the runs of a branch, and those of tags with those of the default
// branch: both may move latest.
const turns = "deploy-${{ github.ref_type == 'tag' && github.event.repository.default_branch || github.ref_name }}"

// takeTurns keeps runs that move the same tags of images apart.
func (c *converter) takeTurns(out, triggers *workflow.Map) {
	group := "deploy-${{ github.ref }}"
	out.Comment("Runs of a branch take turns, and none is cut off half-way.")
	if startsOnTags(triggers) && strings.Contains(c.jobs.String(), "/actions/build-push@") {
		group = turns
		out.Comment("Runs of tags take theirs with the default branch's, since both may move latest. Of the runs that wait\n" +
			"GitHub keeps the newest; with `queue: max` below group, which act does not take, it keeps all.")
	}
	out.Set("concurrency", new(workflow.Map).Set("group", group).Set("cancel-in-progress", workflow.Raw("false"))).Blank()
}

// startsOnTags tells whether a tag starts a run: it does unless on.push has
// patterns for branches alone.
func startsOnTags(triggers *workflow.Map) bool {
	push, filtered := triggers.Get("push").(*workflow.Map)
	return !filtered || push.Get("branches") == nil || push.Get("tags") != nil || push.Get("tags-ignore") != nil
}
