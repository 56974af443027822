package engine

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/moby/buildkit/client"
	"github.com/moby/buildkit/util/progress/progressui"
)

// progress prints a build's progress as text and counts its steps.
type progress struct {
	output io.Writer
	// updates is closed by the build when it ends.
	updates chan *client.SolveStatus
	// steps are by name, whether one was run here: a step that two builds have in
	// common has two digests, and is only told to begin to one of them.
	steps map[string]bool
	// failed is the instruction that ended the build. It and warnings may be read
	// when the build has ended.
	failed   string
	warnings []Warning
}

func newProgress(output io.Writer) *progress {
	return &progress{output: output, updates: make(chan *client.SolveStatus), steps: map[string]bool{}}
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

func (p *progress) watch(update *client.SolveStatus) {
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
			p.steps[vertex.Name] = p.steps[vertex.Name] && !vertex.Cached || ran
		}
	}
}

func (p *progress) count() (steps, cached int) {
	for _, ran := range p.steps {
		if !ran {
			cached++
		}
	}
	return len(p.steps), cached
}
