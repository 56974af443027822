package test

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/artifact"
)

// takeReports gives every suite the patterns of its reports. A line without a
// service is for all suites.
func (p *plan) takeReports(lines action.Lines) error {
	var problems []error
	for _, line := range lines {
		service, pattern, err := p.container(line)
		if err == nil {
			err = artifact.CheckPattern(pattern)
		}
		if err == nil && service != "" && p.suite(service) < 0 {
			err = fmt.Errorf("%q is no suite; suites are: %s", service, strings.Join(p.suiteNames(), ", "))
		}
		if err != nil {
			problems = append(problems, action.BadInput("reports", "line %q: %w", line, err))
			continue
		}
		for i, one := range p.suites {
			if service == "" || service == one.name {
				p.suites[i].reports = append(p.suites[i].reports, pattern)
			}
		}
	}
	return errors.Join(problems...)
}

// takeArtifacts gives every suite what is copied out of its containers.
func (p *plan) takeArtifacts(lines action.Lines) error {
	var problems []error
	taken := map[string]string{}
	for _, line := range lines {
		if err := p.takeArtifact(line, taken); err != nil {
			problems = append(problems, action.BadInput("artifacts", "line %q: %w", line, err))
		}
	}
	return errors.Join(problems...)
}

func (p *plan) takeArtifact(line string, taken map[string]string) error {
	from, to, found := strings.Cut(line, "=")
	if !found || strings.TrimSpace(to) == "" {
		return errors.New("has no destination; write service:/path=path/in/the/workspace")
	}
	from, to = strings.TrimSpace(from), strings.TrimSpace(to)
	service, inside, err := p.container(from)
	if err != nil {
		return err
	}
	if slices.Contains(strings.Split(inside, "/"), "..") || path.Clean(inside) == "/" {
		return errors.New("give the path of a file or folder in the container, without any part that climbs")
	}
	if err := artifact.Check(p.workspace, to); err != nil {
		return err
	}
	at, err := p.owner(service)
	if err != nil {
		return err
	}
	place := path.Join(to, "")
	if strings.HasSuffix(to, "/") {
		place = path.Join(to, path.Base(inside))
	}
	if other, is := taken[place]; is {
		return fmt.Errorf("goes where line %q goes; give each its own path", other)
	}
	taken[place] = line
	if service == "" {
		service = p.suites[at].name
	}
	p.suites[at].artifacts = append(p.suites[at].artifacts, copiedOut{service: service, from: path.Clean(inside), to: to})
	return nil
}

// container takes "service:/path" apart; "/path" has no service.
func (p plan) container(text string) (service, inside string, err error) {
	inside = text
	if !strings.HasPrefix(text, "/") {
		var found bool
		service, inside, found = strings.Cut(text, ":")
		if !found || !strings.HasPrefix(inside, "/") {
			return "", "", errors.New("is not service:/path; the path is absolute, in the container")
		}
	}
	if members := p.members(); service != "" && !slices.Contains(members, service) {
		return "", "", fmt.Errorf("%q takes no part in the test; there are: %s", service, strings.Join(members, ", "))
	}
	return service, inside, nil
}

// owner is the suite that a service's container belongs to.
func (p plan) owner(service string) (int, error) {
	var owners []int
	for i, one := range p.suites {
		if service == "" || one.name == service || slices.Contains(one.needs, service) {
			owners = append(owners, i)
		}
	}
	if at := p.suite(service); at >= 0 {
		return at, nil
	}
	if len(owners) != 1 {
		return 0, fmt.Errorf("which suite's? there are: %s; write suite:/path=…, since each suite has its own containers", strings.Join(p.suiteNames(), ", "))
	}
	return owners[0], nil
}

func (p plan) suiteNames() []string {
	var names []string
	for _, one := range p.suites {
		names = append(names, one.name)
	}
	return names
}
