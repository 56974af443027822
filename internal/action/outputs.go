package action

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// MaxSummary is how many bytes of summary the runner takes from a step before
// it drops the whole (actions/runner, FileCommandManager.cs).
const MaxSummary = 1 << 20

// Outputs are a step's outputs by name. Every value is one line.
type Outputs map[string]string

// JSON sets an output to the JSON text of a value.
func (o Outputs) JSON(name string, value any) {
	text, err := json.Marshal(value)
	if err != nil {
		panic(fmt.Sprintf("output %s: %v", name, err)) // maps of strings always marshal
	}
	o[name] = string(text)
}

// SetOutputs hands the outputs to the steps that follow. Outside a runner
// there is nobody to hand them to. They are written as NAME=VALUE: such a line
// has no delimiter that a value could be taken for.
func (r *Runner) SetOutputs(outputs Outputs) error {
	if r.Getenv("GITHUB_OUTPUT") == "" {
		return nil
	}
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(outputs)) {
		if strings.ContainsAny(outputs[name], "\r\n") {
			return fmt.Errorf("output %s has more than one line", name)
		}
		lines.WriteString(name + "=" + outputs[name] + "\n")
	}
	return r.append("GITHUB_OUTPUT", lines.String())
}

// Finish hands a result on: its outputs, its summary with what went wrong, and
// the output result in the log. It gives the error back, also when there is
// nothing to hand on to.
func (r *Runner) Finish(outputs Outputs, summary string, err error) error {
	r.Log.Printf("result: %s", outputs["result"])
	if err != nil {
		summary += ProblemList(err)
	}
	return errors.Join(err, r.SetOutputs(outputs), r.AddSummary(summary))
}

// AddSummary appends Markdown to the job's summary, cut where it would pass
// the runner's limit, with a note that says so.
func (r *Runner) AddSummary(markdown string) error {
	if r.Getenv("GITHUB_STEP_SUMMARY") == "" {
		return nil
	}
	return r.append("GITHUB_STEP_SUMMARY", CutSummary(r.Log.Redact(markdown))+"\n")
}

// CutSummary keeps a summary below MaxSummary. It cuts between lines, and before
// a folded part that would not end.
func CutSummary(markdown string) string {
	const note = "\n\n_Cut: the summary is larger than GitHub shows. The whole is in the step's log._\n"
	limit := MaxSummary - 1 - len(note)
	if len(markdown) <= limit {
		return markdown
	}
	kept := markdown[:limit]
	kept = kept[:strings.LastIndexByte(kept, '\n')+1]
	if strings.Count(kept, "<details>") > strings.Count(kept, "</details>") {
		kept = kept[:strings.LastIndex(kept, "<details>")]
	}
	return kept + note
}

// append adds to a file of the runner's, which its variable names.
func (r *Runner) append(variable, text string) error {
	file, err := os.OpenFile(r.Getenv(variable), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	_, err = file.WriteString(text)
	if err = errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("%s: %w", variable, err)
	}
	return nil
}

// Seconds is a duration in a table, a dash for one that was not measured.
func Seconds(d time.Duration) string {
	if d == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}
