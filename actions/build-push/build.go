package buildpush

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/engine"
	"github.com/guk0/travois/internal/registry"
)

// build builds all images side by side.
func (s *session) build(ctx context.Context) ([]engine.Built, error) {
	board := &board{log: s.log}
	var images []engine.Image
	for i, one := range s.plan.images {
		var names []string
		for _, reference := range s.plan.references(one) {
			names = append(names, reference.String())
		}
		for _, more := range one.more {
			names = append(names, more.String())
		}
		panel := board.panel(one.build.Service)
		images = append(images, engine.Image{Build: s.builds[i], Repository: s.plan.repository, Names: names, Secrets: one.secrets, Output: panel, Ended: panel.end})
	}
	built, err := s.builder.Build(ctx, images, s.logins.Lookup)
	s.warn(built)
	return built, s.plan.located(registry.ExplainEngine(err))
}

// warn annotates what BuildKit's checks have found, once of a file that several
// images are built from.
func (s *session) warn(built []engine.Built) {
	told := map[string]bool{}
	for i, one := range built {
		for _, found := range one.Warnings {
			warning := s.plan.images[i].build.AtLine(s.plan.workspace, found.Line, fmt.Errorf("%s %s", found.Text, found.URL))
			if !told[warning.Error()] {
				told[warning.Error()] = true
				s.log.Warning(warning)
			}
		}
	}
}

// mask hides the secrets that the source gives a build.
func (p planned) mask(log *action.Log) {
	for _, secret := range p.build.Secrets {
		log.Mask(string(secret))
	}
}

// located gives builds that failed at a step the step's place.
func (p plan) located(err error) error {
	var all []error
	for _, one := range action.Problems(err) {
		var failed *engine.BuildError
		if errors.As(one, &failed) && failed.Line > 0 {
			one = failed.Build.AtLine(p.workspace, failed.Line, one)
		}
		all = append(all, one)
	}
	return errors.Join(all...)
}

// board prints what builds that run side by side say: while they run the steps
// that they begin, and when one has ended all of it in a group of its own.
type board struct {
	mu  sync.Mutex
	log *action.Log
}

// panelSize is how much of a build's output is kept for its group, in bytes.
const panelSize = 1 << 20

// longestLine is how much of a line is looked at, longestStep how much of one is
// shown, in bytes.
const (
	longestLine = 16 << 10
	longestStep = 500
)

// panel is a build's part of the board.
type panel struct {
	board   *board
	service string
	whole   action.Tail
	line    []byte
}

func (b *board) panel(service string) *panel {
	return &panel{board: b, service: service, whole: action.Tail{Size: panelSize}}
}

// begun is how BuildKit's text tells that a step of the Dockerfile begins.
var begun = regexp.MustCompile(`^#\d+ (\[[^\]]*\d+/\d+\] .*)`)

// Write is called by one goroutine.
func (p *panel) Write(text []byte) (int, error) {
	for _, one := range text {
		if one != '\n' {
			if len(p.line) < longestLine {
				p.line = append(p.line, one)
			}
			continue
		}
		if found := begun.FindSubmatch(p.line); found != nil {
			p.board.say(p.service, found[1])
		}
		p.line = p.line[:0]
	}
	return p.whole.Write(text)
}

// say hides what is masked before it cuts, since half a secret is not found.
func (b *board) say(service string, step []byte) {
	shown := b.log.Redact(string(step))
	if len(shown) > longestStep {
		shown = strings.ToValidUTF8(shown[:longestStep], "") + " …"
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.log.Printf("%s: %s", service, shown)
}

// end prints the group of a build that has ended.
func (p *panel) end(built engine.Built, err error) {
	p.board.mu.Lock()
	defer p.board.mu.Unlock()
	title := fmt.Sprintf("%s: built in %s, %s from cache", p.service, action.Seconds(built.Duration), cached(built))
	if err != nil {
		title = p.service + ": failed"
	}
	p.board.log.Group(title)
	writer := p.board.log.Writer("")
	_, _ = writer.Write(p.whole.Lines())
	_ = writer.Close()
	p.board.log.EndGroup()
}
