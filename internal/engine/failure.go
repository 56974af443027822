package engine

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/moby/buildkit/client"
	solvererrors "github.com/moby/buildkit/solver/errdefs"

	"github.com/guk0/travois/internal/compose"
)

// Warning is a finding of BuildKit's build checks.
type Warning struct {
	// Text is one line, URL where the check is explained.
	Text, URL string
	// Line is the Dockerfile's, 0 if BuildKit does not tell.
	Line int
}

func warning(from *client.VertexWarning) Warning {
	one := Warning{Text: string(from.Short), URL: from.URL}
	if len(from.Range) > 0 && from.Range[0].Start != nil {
		one.Line = int(from.Range[0].Start.Line)
	}
	return one
}

// BuildError is a build that failed.
type BuildError struct {
	Build compose.Build
	// Line is the Dockerfile's, of the step that failed, 0 if no step did.
	Line int
	Err  error
}

func (e *BuildError) Error() string { return fmt.Sprintf("build %q: %v", e.Build.Service, e.Err) }
func (e *BuildError) Unwrap() error { return e.Err }

// failure is the error of a build. Step is the instruction that failed as the
// progress told it, "" if it did not.
func (b *Builder) failure(ctx context.Context, build compose.Build, step string, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("build %q: %w", build.Service, ctx.Err())
	}
	failed := &BuildError{Build: build, Err: b.lostOr(plain(err))}
	for _, source := range solvererrors.Sources(err) {
		if len(source.Ranges) > 0 && source.Ranges[0].Start != nil {
			failed.Line = int(source.Ranges[0].Start.Line)
		}
	}
	if found := inWords.FindStringSubmatch(err.Error()); failed.Line == 0 && found != nil {
		failed.Line, _ = strconv.Atoi(found[1]) // digits
	}
	if failed.Line == 0 && step != "" {
		failed.Line = lineOfStep(build, step)
	}
	return failed
}

// inWords is how engines before 23 tell the line of a Dockerfile that can't be
// read.
var inWords = regexp.MustCompile(`^(?:.*: )?[Dd]ockerfile parse error line (\d{1,9}): `)

// plain drops the words that say through how many layers a build's error came,
// and others.
func plain(err error, others ...string) error {
	text := err.Error()
	for _, prefix := range append(others, "failed to solve: ", "rpc error: code = Unknown desc = ", "failed to solve with frontend dockerfile.v0: ", "failed to build LLB: ", "failed to create LLB definition: ") {
		text = strings.ReplaceAll(text, prefix, "")
	}
	if text == err.Error() {
		return err
	}
	return &reworded{text, err}
}

// reworded is an error with other words.
type reworded struct {
	text string
	err  error
}

func (r *reworded) Error() string { return r.text }
func (r *reworded) Unwrap() error { return r.err }
