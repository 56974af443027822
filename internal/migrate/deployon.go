package migrate

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

// readOn reads the conditions of a deployment. Travis deployed from master
// only, unless on: said otherwise, and never on pull requests.
func (u *unit) readOn(d *deployment) {
	node, _ := d.section.Take("on", "true")
	on := node.Section()
	if !node.IsMap() && !node.IsNull() {
		on = &travis.Section{}
		d.conds = append(d.conds, branchCondition(node.Texts()))
	}
	all, _ := on.Take("all_branches")
	tags, hasTags := on.Take("tags")
	if repo := on.TakeText("repo"); repo.Value != "" {
		d.conds = append(d.conds, equals("github.repository", repo.Value))
	}
	branches, hasBranches := on.Take("branch", "branches")
	switch {
	case hasTags && tags.True():
		d.conds, d.tagged = append(d.conds, isTag), true
	case all.True():
		d.conds = append(d.conds, noPullRequest)
	case hasBranches:
		texts := branches.Texts()
		for _, key := range branches.Keys() {
			texts = append(texts, travis.Text{Value: key.Name, Place: key.Place})
			if key.Node.IsMap() {
				u.c.leave(key, "deploy, on, branch, ", "options of one branch are not converted: make it a deployment of its own")
			}
		}
		d.conds = append(d.conds, u.branchesCondition(texts))
	case node.IsMap() || node.IsNull():
		d.conds = append(d.conds, "github.ref == 'refs/heads/master'")
		u.c.todo.tell(d.section.Place, "deploy has no on: branch, and Travis took master: change the deployment's if: when your branch has another name")
	}
	if hasTags && tags.False() {
		d.conds = append(d.conds, isNoTag)
	}
	u.readCustom(d, on)
	for _, key := range on.Rest() {
		u.readRuntime(key)
	}
}

// readRuntime reads on: {node: 8}, a version of the matrix.
func (u *unit) readRuntime(key *travis.Key) {
	value := key.Node.Text().Value
	ours := key.Name == u.lang.key || u.lang.key == "rvm" && key.Name == "ruby" || u.lang.key == "node_js" && key.Name == "node"
	if ours {
		u.c.todo.tell(key.Place, "on: %s: %s: the deployment is one job of its own, so it needs no version to run only once", key.Name, value)
		return
	}
	u.c.leave(key, "deploy, on, ", "it is no condition that is known")
}

func (u *unit) branchesCondition(texts []travis.Text) string {
	for _, text := range texts {
		if strings.Contains(text.Value, "*") || strings.HasPrefix(text.Value, "/") {
			u.c.todo.hand(text.Place, "on: branch %s: Travis took it word by word, so it never matched; the condition does the same", text.Value)
		}
	}
	return branchCondition(texts)
}

func branchCondition(texts []travis.Text) string {
	var terms []string
	for _, text := range texts {
		terms = append(terms, equals("github.ref", "refs/heads/"+text.Value))
	}
	return disjunction(terms)
}

// readCustom reads condition: bash's tests. What GitHub has no word for is
// checked by a shell in the job.
func (u *unit) readCustom(d *deployment, on *travis.Section) {
	node, ok := on.Take("condition")
	if !ok {
		return
	}
	for _, text := range node.Texts() {
		file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader("[[ "+text.Value+" ]]"), "")
		if err != nil || len(file.Stmts) != 1 {
			u.c.todo.hand(text.Place, "condition: %s is no test that bash takes; the deployment never runs until you write it", text.Value)
			d.unread = append(d.unread, travis.Text{Value: "false", Place: text.Place})
			continue
		}
		terms, ok := u.scope.test(file.Stmts[0], text.Place)
		if !ok {
			d.unread = append(d.unread, text)
			continue
		}
		d.conds = append(d.conds, terms...)
	}
}

// gateLine is the line that checks what only a shell can.
func (d *deployment) gateLine() *line {
	var tests []string
	for _, text := range d.unread {
		tests = append(tests, "[[ "+text.Value+" ]]")
	}
	return parseLine("deploy", travis.Text{Value: "if " + strings.Join(tests, " && ") + "; then\n  echo met=true >> \"$GITHUB_OUTPUT\"\nfi", Place: d.unread[0].Place})
}

// gate is the step of that line, with its id.
func (p *pipeline) gate(d *deployment) (id string, step *workflow.Map) {
	id = p.gates.unique("condition")
	return id, new(workflow.Map).Set("id", id).Join(p.runStep([]*line{d.gateLine()}))
}
