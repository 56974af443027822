package migrate

import (
	"fmt"
	"slices"
)

// sorted are a unit's lines by what becomes of them.
type sorted struct {
	readings []*reading
	tests    *tests
	images   *images
	// rawTests and rawImages tell that docker lines stay as they are.
	rawTests, rawImages bool
}

func (u *unit) sort() *sorted {
	r := &reader{scope: u.scope}
	s := &sorted{}
	for _, l := range u.allLines() {
		reading := r.read(l)
		if l.phase == "before_deploy" || l.phase == "after_deploy" {
			u.aroundDeploy(reading)
		}
		s.readings = append(s.readings, reading)
	}
	for _, d := range u.deploys {
		for _, l := range d.script {
			reading := r.read(l)
			for _, docker := range reading.dockers {
				docker.terms = d.conds
			}
			if len(d.unread) > 0 && reading.kind == dockerLine {
				reading.kind, reading.reason = opaqueLine, onlyShell
			}
			d.readings = append(d.readings, reading)
			if reading.kind == dockerLine || reading.kind == opaqueLine {
				s.readings = append(s.readings, reading)
			}
		}
	}
	var err error
	if s.tests, err = readTests(s.readings, u.scope); err != nil {
		s.rawTests, s.tests = true, &tests{login: &logins{}}
		u.c.todo.tell(u.section.Place, "the tests' docker lines stay as run: steps, since they can't be services of actions/test: %s", err)
	}
	ran := func(b *build) bool {
		if s.rawTests {
			return !imagePhases[b.phase]
		}
		return slices.ContainsFunc(s.tests.suites, func(c *container) bool { return c.build != nil && c.build.command == b.command }) ||
			slices.ContainsFunc(s.tests.backing, func(c *container) bool { return c.build != nil && c.build.command == b.command })
	}
	if s.images, err = readImages(s.readings, u.scope, ran); err == nil && s.rawTests {
		err = s.leavePushes()
	}
	if err != nil {
		s.rawImages, s.images = true, &images{login: &logins{}}
		// They may need images that the tests leave in the engine.
		s.rawTests, s.tests = true, &tests{login: &logins{}}
		tags := ""
		if slices.ContainsFunc(u.deploys, func(d *deployment) bool { return d.beanstalk }) {
			tags = ", and eb-deploy gets no tags from them"
		}
		u.c.todo.hand(u.section.Place, "the lines that build and push images stay as run: steps%s: %s", tags, err)
	}
	u.follows = s.hostLines()
	return s
}

// leavePushes takes the lines that only push out of the tests that stay as they
// are, since build-push pushes. The error names a line that does more.
func (s *sorted) leavePushes() error {
	var pushes []*reading
	for _, r := range s.ofPhases(testPhases...) {
		verbs := map[string]bool{}
		for _, d := range r.dockers {
			verbs[d.verb] = true
			verbs["push"] = verbs["push"] || d.has("push")
		}
		switch {
		case r.kind != dockerLine || !verbs["push"]:
		case verbs["build"] || verbs["run"] || verbs["compose"]:
			return fmt.Errorf("%s: it pushes between tests that stay as they are", r.text.Place)
		default:
			pushes = append(pushes, r)
		}
	}
	for _, r := range pushes {
		r.moved = true
	}
	return nil
}

// hostLines are the lines that become steps on the runner, in order.
func (s *sorted) hostLines() []*line {
	var lines []*line
	for _, r := range s.readings {
		raw := s.rawImages || !imagePhases[r.phase] && s.rawTests
		if !r.moved && (raw || r.kind != dockerLine) {
			lines = append(lines, r.line)
		}
	}
	return lines
}

const onlyShell = "it depends on a condition that only a shell can check"

// aroundDeploy makes docker lines before and after deployments depend on what
// these depend on, since Travis ran them with a deployment only.
func (u *unit) aroundDeploy(r *reading) {
	all := slices.Concat(u.deploys, u.foreign)
	switch {
	case len(r.dockers) == 0:
	case len(all) == 0:
		r.kind, r.dockers = hostLine, nil
	case slices.ContainsFunc(all, func(d *deployment) bool { return len(d.unread) > 0 }):
		r.kind, r.reason = opaqueLine, onlyShell
	}
	for _, d := range r.dockers {
		d.terms = eitherOf(all)
		if d.verb == "push" && d.phase == "after_deploy" {
			u.c.todo.hand(d.place, "docker push after the deployment: build-push pushes before it; make it a step after eb-deploy if the tag says that it is deployed")
		}
	}
}

// eitherOf are the conditions under which at least one deployment runs.
func eitherOf(deploys []*deployment) []string {
	if len(deploys) == 1 {
		return deploys[0].conds
	}
	var terms []string
	for _, d := range deploys {
		terms = append(terms, conjunction(d.conds))
	}
	return []string{disjunction(unique(terms))}
}

// allLines are the lines with Travis's defaults where the file has none. The
// default install is for a script that runs on the runner.
func (u *unit) allLines() []*line {
	byPhase := map[string][]*line{}
	for _, l := range u.lines {
		byPhase[l.phase] = append(byPhase[l.phase], l)
	}
	if !u.given["script"] && !u.onlyDeploys() {
		byPhase["script"] = u.defaults("script")
	}
	host := slices.ContainsFunc(slices.Concat(byPhase["before_script"], byPhase["script"]), func(l *line) bool { return !mentionsDocker(l) })
	if host {
		byPhase["install"] = append(byPhase["install"], u.defaults("install")...)
	}
	var lines []*line
	for _, phase := range phases {
		lines = append(lines, byPhase[phase]...)
	}
	return lines
}

// onlyDeploys tells whether a unit is there for a deployment alone.
func (u *unit) onlyDeploys() bool {
	return len(u.deploys) > 0 && !u.given["script"] && !u.given["install"] && u.section != u.c.root
}

// ofPhases are the readings of some phases.
func (s *sorted) ofPhases(names ...string) []*reading {
	var out []*reading
	for _, r := range s.readings {
		if slices.Contains(names, r.phase) {
			out = append(out, r)
		}
	}
	return out
}

// runsHost tells whether test lines run on the runner, so that images may hold
// what they made.
func (s *sorted) runsHost() bool {
	return slices.ContainsFunc(s.ofPhases(testPhases...), func(r *reading) bool { return r.kind == hostLine || s.rawTests && r.kind != stateLine })
}

// afterSuccess parts what follows the tests from what follows the push.
func (s *sorted) afterSuccess() (before, after []*reading) {
	lines := s.ofPhases("after_success")
	if s.images.empty() {
		return lines, nil
	}
	first := slices.IndexFunc(lines, func(r *reading) bool { return r.kind == dockerLine })
	if first < 0 {
		return lines, nil
	}
	return lines[:first], lines[first:]
}
