package migrate

import (
	"fmt"
)

// images are what a job builds and pushes.
type images struct {
	groups []*group
	login  *logins
	// compose is set when docker-compose builds and pushes.
	compose      bool
	composeFiles []string
	conds        []string
}

// picture is one image to push.
type picture struct {
	repository arg
	build      *build
	tags       []arg
	conds      []string
	pushed     bool
}

func (m *images) empty() bool { return len(m.groups) == 0 && !m.compose }

// readImages reads the docker commands of all phases. The error says why those
// that push stay as they are.
func readImages(readings []*reading, s *scope, ran func(*build) bool) (*images, error) {
	r := &imageReader{scope: s, images: &images{login: &logins{scope: s}}, aliases: map[string][]arg{}, given: map[*command][]arg{}}
	for _, reading := range readings {
		if reading.kind == opaqueLine && imagePhases[reading.phase] {
			return nil, fmt.Errorf("%s: %s", reading.text.Place, reading.reason)
		}
		for _, d := range reading.dockers {
			if err := r.take(d); err != nil {
				return nil, fmt.Errorf("%s: %w", d.place, err)
			}
		}
	}
	r.leftover(ran)
	r.group()
	return r.images, nil
}
