package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
)

// planned is the result of a dry run.
const planned beanstalk.Result = "planned"

// result is how the action ended.
type result struct {
	beanstalk.Verdict
	plan     plan
	previous string
	stored   beanstalk.Stored
	outcome  beanstalk.Outcome
	reasons  beanstalk.Diagnosis
}

// finish hands a result on, also when there is an error to return, and turns a
// bad verdict into a failed step.
func finish(r *action.Runner, done result, err error) error {
	if err == nil && !done.Result.Good() && done.Result != planned {
		r.Log.Error(fmt.Errorf("%s: %s", done.Result, done.Reason))
		return errors.Join(action.ErrVerdict, r.Finish(done.outputs(), done.summary(), nil))
	}
	return r.Finish(done.outputs(), done.summary(), err)
}

// outputs are always all set; what is not known is empty.
func (d result) outputs() action.Outputs {
	env := d.outcome.Environment
	return action.Outputs{
		"result":                 string(d.Result),
		"version-label":          oneLine(d.plan.label),
		"previous-version-label": oneLine(d.previous),
		"environment-url":        env.URL(),
		"environment-id":         env.ID,
		"health":                 env.Health,
		"s3-uri":                 oneLine(d.stored.URI()),
		"bundle-sha256":          d.plan.hash,
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// summary is the job's summary in Markdown.
func (d result) summary() string {
	var text strings.Builder
	fmt.Fprintf(&text, "## Deployment: %s\n\n", d.Result)
	if d.Reason != "" {
		fmt.Fprintf(&text, "%s\n\n", escape(d.Reason))
	}
	if d.plan.label == "" {
		return text.String()
	}
	d.writeFacts(&text)
	d.writeImages(&text)
	if !d.Result.Good() {
		d.writeEvents(&text)
		d.writeReasons(&text)
	}
	return text.String()
}

func (d result) writeFacts(text *strings.Builder) {
	env := d.outcome.Environment
	row := func(name, value string) {
		if value != "" {
			fmt.Fprintf(text, "| %s | %s |\n", name, value)
		}
	}
	text.WriteString("| | |\n|---|---|\n")
	row("version", d.versions())
	row("application", code(d.plan.config.App))
	row("environment", code(d.plan.config.Env))
	row("address", env.URL())
	row("health", strings.TrimSpace(env.Health+" "+env.HealthStatus))
	row("bundle", code(d.stored.URI()))
	row("content sha256", code(d.plan.hash))
	if d.outcome.Took > 0 {
		row("took", action.Seconds(d.outcome.Took))
	}
	text.WriteString("\n")
}

func (d result) versions() string {
	if d.previous == "" || d.previous == d.plan.label {
		return code(d.plan.label)
	}
	return code(d.previous) + " → " + code(d.plan.label)
}

func (d result) writeImages(text *strings.Builder) {
	if len(d.plan.images) == 0 {
		return
	}
	text.WriteString("| service | image |\n|---|---|\n")
	for _, service := range slices.Sorted(maps.Keys(d.plan.images)) {
		fmt.Fprintf(text, "| %s | %s |\n", escape(service), code(written(d.plan.file.kind, d.plan.images[service])))
	}
	text.WriteString("\n")
}

func (d result) writeEvents(text *strings.Builder) {
	if len(d.outcome.Events) == 0 {
		return
	}
	text.WriteString("### Events\n\n")
	var lines strings.Builder
	for _, event := range d.outcome.Events {
		fmt.Fprintf(&lines, "%s\n", event)
	}
	fence(text, lines.String())
}

func (d result) writeReasons(text *strings.Builder) {
	if len(d.reasons.Causes) > 0 {
		text.WriteString("### Causes\n\n")
		for _, cause := range d.reasons.Causes {
			fmt.Fprintf(text, "- %s\n", escape(oneLine(cause)))
		}
		text.WriteString("\n")
	}
	for _, tail := range d.reasons.Tails {
		fmt.Fprintf(text, "<details><summary>End of the logs of %s</summary>\n\n", escape(cmp.Or(tail.Instance, "the instance")))
		fence(text, tail.Text)
		text.WriteString("</details>\n\n")
	}
	for _, missing := range d.reasons.Missing {
		fmt.Fprintf(text, "_%s_\n\n", escape(oneLine(missing)))
	}
}

// fence puts foreign text into a code block that it can't end.
func fence(text *strings.Builder, body string) {
	marks := "```"
	for strings.Contains(body, marks) {
		marks += "`"
	}
	fmt.Fprintf(text, "%s\n%s\n%s\n\n", marks, strings.TrimRight(body, "\n"), marks)
}

func code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + strings.NewReplacer("`", "'", "|", "\\|", "\n", " ").Replace(text) + "`"
}

// escape keeps foreign text from being read as Markdown or HTML.
func escape(text string) string {
	return strings.NewReplacer("<", "&lt;", "|", "\\|", "\n", " ", "`", "\\`", "[", "\\[", "*", "\\*").Replace(text)
}
