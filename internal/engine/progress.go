package engine

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"

	"github.com/guk0/travois/internal/compose"
)

// progress prints a build's progress as text and counts its steps.
type progress struct {
	output io.Writer
	// updates is closed by the build when it ends.
	updates chan *client.SolveStatus
	// steps are by name, whether one was run here: a step that two builds have in
	// common has two digests, and is only told to begin to one of them.
	steps map[string]bool
	// several tells a build for several platforms, whose names hold theirs.
	several bool
	// failed is the instruction that ended the build. It and warnings may be read
	// when the build has ended.
	failed   string
	warnings []Warning
	// foreign tells that a step found a program which this machine can't run.
	foreign bool
}

func newProgress(output io.Writer, build compose.Build) *progress {
	return &progress{output: output, updates: make(chan *client.SolveStatus), steps: map[string]bool{}, several: len(build.Platforms) > 1}
}

// show prints until the build closes the updates. It reads them to the end
// whatever happens, since a build blocks on updates that nobody takes.
func (p *progress) show(ctx context.Context) error {
	shown := make(chan *client.SolveStatus)
	display, err := progressui.NewDisplay(p.output, progressui.PlainMode)
	if err != nil {
		close(shown)
		for range p.updates {
			continue
		}
		return fmt.Errorf("show the progress: %w", err)
	}
	go func() {
		defer close(shown)
		for update := range p.updates {
			p.watch(update)
			shown <- update
		}
	}()
	_, err = display.UpdateFrom(context.WithoutCancel(ctx), shown)
	return err
}

// step matches the name of a vertex that is a Dockerfile's step, as
// "[build 2/6] RUN npm ci". FROM is not counted: nothing runs for it.
var step = regexp.MustCompile(`^\[[^\]]*\d+/\d+\] `)

// notForHere is what every runtime and shell hands on of Linux's ENOEXEC.
var notForHere = []byte("exec format error")

func (p *progress) watch(update *client.SolveStatus) {
	for _, one := range update.Logs {
		p.foreign = p.foreign || bytes.Contains(bytes.ToLower(one.Data), notForHere)
	}
	for _, one := range update.Warnings {
		p.warnings = append(p.warnings, warning(one))
	}
	for _, vertex := range update.Vertexes {
		_, instruction, _ := strings.Cut(vertex.Name, "] ")
		if step.MatchString(vertex.Name) && !strings.HasPrefix(instruction, "FROM ") {
			if vertex.Error != "" && p.failed == "" {
				p.failed = instruction
			}
			ran := vertex.Started != nil && !vertex.Cached
			name := p.stepName(vertex)
			p.steps[name] = p.steps[name] && !vertex.Cached || ran
		}
	}
}

// ofPlatform begins the name of a step in a build for several platforms.
var ofPlatform = regexp.MustCompile(`^\[[a-z0-9]+/[a-z0-9/]+ `)

// stepName is one for a step that is in common with a build for several
// platforms, and is then told by its name there too.
func (p *progress) stepName(vertex *client.Vertex) string {
	if p.several {
		return vertex.Name
	}
	return ofPlatform.ReplaceAllString(vertex.Name, "[")
}

func (p *progress) count() (steps, cached int) {
	for _, ran := range p.steps {
		if !ran {
			cached++
		}
	}
	return len(p.steps), cached
}
