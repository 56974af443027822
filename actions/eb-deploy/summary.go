package ebdeploy

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
)

// summary is the job's summary in Markdown.
func (d result) summary() string {
	var text strings.Builder
	fmt.Fprintf(&text, "## Deployment: %s\n\n", d.worst())
	for _, bad := range d.reasons() {
		fmt.Fprintf(&text, "%s\n\n", action.Escape(bad))
	}
	for _, next := range d.advice() {
		fmt.Fprintf(&text, "**Next:** %s.\n\n", action.Escape(next))
	}
	if d.plan.label == "" {
		return text.String()
	}
	d.writeFacts(&text)
	d.writeEnvs(&text)
	d.writeImages(&text)
	text.WriteString(d.timeline())
	for _, env := range d.envs {
		if !good(env.Result) {
			env.write(&text, len(d.envs) > 1)
		}
	}
	for _, s := range d.preview {
		s.write(&text)
	}
	return text.String()
}

// reasons tell why the run ended as it did.
func (d result) reasons() []string {
	switch len(d.envs) {
	case 0:
		return slices.DeleteFunc([]string{d.Reason}, empty)
	case 1:
		return slices.DeleteFunc([]string{d.envs[0].Reason}, empty)
	}
	return nil
}

func empty(text string) bool { return text == "" }

func (d result) writeFacts(text *strings.Builder) {
	row := rows(text)
	text.WriteString("| | |\n|---|---|\n")
	one := envResult{}
	if len(d.envs) == 1 {
		one = d.envs[0]
	}
	row("version", one.versions(d.plan.label))
	row("application", code(d.plan.config.App))
	row("environment", link(code(one.name), d.console.Environment(one.outcome.Environment.ID)))
	row("address", one.outcome.Environment.URL())
	row("health", one.health())
	row("bundle", link(code(d.stored.URI()), d.console.Object(d.stored.Bucket, d.stored.Key)))
	row("content sha256", code(d.plan.hash))
	row("took", one.took())
	text.WriteString("\n")
}

func rows(text *strings.Builder) func(name, value string) {
	return func(name, value string) {
		if value != "" {
			fmt.Fprintf(text, "| %s | %s |\n", name, value)
		}
	}
}

// writeEnvs is the table of several environments.
func (d result) writeEnvs(text *strings.Builder) {
	if len(d.envs) < 2 {
		return
	}
	text.WriteString("| environment | result | version | health | address | took |\n|---|---|---|---|---|---|\n")
	for _, env := range d.envs {
		fmt.Fprintf(text, "| %s | %s | %s | %s | %s | %s |\n", link(code(env.name), d.console.Environment(env.outcome.Environment.ID)), env.Result, env.versions(d.plan.label),
			env.health(), env.outcome.Environment.URL(), env.took())
	}
	text.WriteString("\n")
}

func (e envResult) versions(label string) string {
	switch {
	case e.Result == beanstalk.Superseded && e.outcome.Sent:
		return strings.Join([]string{code(cmp.Or(e.previous, "none")), code(label), code(cmp.Or(e.outcome.Environment.VersionLabel, "none"))}, " → ")
	case e.previous == "" || e.previous == label:
		return code(label)
	case e.Result == beanstalk.RolledBack:
		return strings.Join([]string{code(e.previous), code(label), code(cmp.Or(e.outcome.Environment.VersionLabel, "none"))}, " → ")
	case e.Result == beanstalk.Rejected || e.Result == beanstalk.Superseded || e.Result == beanstalk.TimedOut && !e.outcome.Sent:
		return code(e.previous) + " stays, not " + code(label)
	}
	return code(e.previous) + " → " + code(label)
}

func (e envResult) health() string {
	env := e.outcome.Environment
	return strings.TrimSpace(env.Health + " " + env.HealthStatus)
}

func (e envResult) took() string {
	if e.outcome.Took == 0 {
		return ""
	}
	return action.Seconds(e.outcome.Took)
}

func (d result) writeImages(text *strings.Builder) {
	if len(d.plan.images) == 0 {
		return
	}
	text.WriteString("| service | image |\n|---|---|\n")
	for _, service := range slices.Sorted(maps.Keys(d.plan.images)) {
		fmt.Fprintf(text, "| %s | %s |\n", action.Escape(service), code(written(d.plan.file.kind, d.plan.images[service])))
	}
	text.WriteString("\n")
}

// write tells why an environment's deployment went wrong.
func (e envResult) write(text *strings.Builder, named bool) {
	if named {
		fmt.Fprintf(text, "### %s: %s\n\n", action.Escape(e.name), e.Result)
		if e.Reason != "" {
			fmt.Fprintf(text, "%s\n\n", action.Escape(e.Reason))
		}
	}
	heading := "###"
	if named {
		heading = "####"
	}
	e.writeEvents(text, heading)
	e.writeReasons(text, heading)
}

func (e envResult) writeEvents(text *strings.Builder, heading string) {
	if len(e.outcome.Events) == 0 {
		return
	}
	fmt.Fprintf(text, "%s Events\n\n", heading)
	var lines strings.Builder
	for _, event := range e.outcome.Events {
		fmt.Fprintf(&lines, "%s\n", event)
	}
	fence(text, lines.String())
}

func (e envResult) writeReasons(text *strings.Builder, heading string) {
	if len(e.reasons.Causes) > 0 {
		fmt.Fprintf(text, "%s Causes\n\n", heading)
		for _, cause := range e.reasons.Causes {
			fmt.Fprintf(text, "- %s\n", action.Escape(oneLine(cause)))
		}
		text.WriteString("\n")
	}
	for _, tail := range e.reasons.Tails {
		fmt.Fprintf(text, "<details><summary>End of the logs of %s</summary>\n\n", action.Escape(cmp.Or(tail.Instance, "the instance")))
		fence(text, tail.Text)
		text.WriteString("</details>\n\n")
	}
	for _, missing := range e.reasons.Missing {
		fmt.Fprintf(text, "_%s_\n\n", action.Escape(oneLine(missing)))
	}
}
