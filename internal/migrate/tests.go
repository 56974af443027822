package migrate

import (
	"fmt"
	"slices"
	"strings"
)

// tests are the docker commands of a job's test phases as test's services.
type tests struct {
	suites, backing []*container
	builds          []*build
	// composeFiles and composeSuites are of docker-compose up.
	composeFiles, composeSuites []string
	composeUp                   bool
	login                       *logins
}

// container is a docker run.
type container struct {
	*docker
	name  string
	image arg
	build *build
	words []arg
}

func (t *tests) empty() bool { return len(t.suites) == 0 && !t.composeUp }

const runFlags = "env env-file volume publish publish-all detach interactive tty rm name network link workdir user entrypoint memory hostname init add-host tmpfs shm-size label read-only pull platform"

// readTests reads the docker commands of the test phases. The error says why
// they stay as they are.
func readTests(readings []*reading, s *scope) (*tests, error) {
	t := &tests{login: &logins{scope: s}}
	for _, r := range readings {
		if imagePhases[r.phase] {
			continue
		}
		if r.kind == opaqueLine {
			return nil, fmt.Errorf("%s: %s", r.text.Place, r.reason)
		}
		for _, d := range r.dockers {
			if err := t.take(d); err != nil {
				return nil, fmt.Errorf("%s: %w", d.place, err)
			}
		}
	}
	if err := t.connect(); err != nil {
		return nil, err
	}
	return t, t.published(readings)
}

// published finds a container in the background whose port a line on the runner
// may ask: actions/test has no ports there.
func (t *tests) published(readings []*reading) error {
	for _, c := range t.backing {
		started := false
		for _, r := range readings {
			started = started || slices.Contains(r.dockers, c.docker)
			if started && c.has("publish") && r.kind == hostLine && !imagePhases[r.phase] {
				return fmt.Errorf("%s: the container %s publishes a port, which %s may use", c.place, c.name, r.text.Place)
			}
		}
	}
	return nil
}

func (t *tests) take(d *docker) error {
	if len(d.conds) > 0 && !slices.Contains([]string{"login", "push", "tag"}, d.verb) {
		return fmt.Errorf("docker %s depends on a condition", d.verb)
	}
	switch d.verb {
	case "build":
		b, err := readBuild(d)
		if err != nil {
			return err
		}
		t.builds = append(t.builds, b)
	case "run":
		return t.run(d)
	case "compose":
		return t.compose(d)
	case "login":
		return t.login.add(d)
	case "other":
		return t.other(d)
	}
	return nil
}

// other lets pass what a test step does by itself.
func (t *tests) other(d *docker) error {
	verb := d.call.Args[1].Lit()
	if verb == "network" && len(d.call.Args) > 2 && d.call.Args[2].Lit() == "create" {
		return nil
	}
	if slices.Contains([]string{"version", "info", "ps", "images", "stop", "rm", "rmi", "kill", "system", "-v", "--version"}, verb) {
		return nil
	}
	return fmt.Errorf("docker %s has no counterpart in a test's services", verb)
}

func (t *tests) run(d *docker) error {
	if flag := d.unknown(runFlags); flag != "" {
		return fmt.Errorf("docker run --%s has no counterpart in a test's services", flag)
	}
	if d.tolerated {
		return fmt.Errorf("docker run may fail without effect")
	}
	if d.input != nil {
		return fmt.Errorf("docker run reads what is piped into it")
	}
	if len(d.args) == 0 {
		return fmt.Errorf("docker run names no image")
	}
	c := &container{docker: d, image: d.args[0], words: d.args[1:]}
	for _, b := range t.builds {
		for _, ref := range b.refs {
			if sameImage(ref, c.image) {
				c.build = b
			}
		}
	}
	if err := c.checkVolumes(); err != nil {
		return err
	}
	if d.has("detach") {
		t.backing = append(t.backing, c)
		return nil
	}
	t.suites = append(t.suites, c)
	return nil
}

func (c *container) checkVolumes() error {
	for _, v := range c.all("volume") {
		if host, _, _, err := c.volume(v); err != nil || host == "" {
			return fmt.Errorf("docker run --volume %s is no folder of the workspace", v)
		}
	}
	for _, f := range c.all("env-file") {
		if _, ok := c.contextPath(f); !ok {
			return fmt.Errorf("docker run --env-file %s is a variable", f)
		}
	}
	return nil
}

// volume splits HOST:CONTAINER[:MODE].
func (c *container) volume(v arg) (host, target, mode string, err error) {
	before, after, found := v.cut(":")
	target, ok := after.lit()
	host, inside := c.contextPath(before)
	if !found || !ok || !inside || strings.HasPrefix(host, "/") {
		return "", "", "", fmt.Errorf("no folder of the workspace")
	}
	if text, _ := before.lit(); text != "" && !strings.ContainsAny(text[:1], "./") {
		return "", "", "", fmt.Errorf("a named volume")
	}
	target, mode, _ = strings.Cut(target, ":")
	return host, target, mode, nil
}

func sameImage(a, b arg) bool {
	ra, ta := splitTag(a)
	rb, tb := splitTag(b)
	return ra.String() == rb.String() && tagText(ta) == tagText(tb)
}

func tagText(tag arg) string {
	if text := tag.String(); text != "" {
		return text
	}
	return "latest"
}

// connect names the containers and checks that those in the background can be
// reached by the suites.
func (t *tests) connect() error {
	names := &namer{}
	for _, c := range t.backing {
		given, _ := c.last("name").lit()
		repository, _ := splitTag(c.image)
		if given == "" && !c.has("network") {
			return fmt.Errorf("%s: a container in the background has neither name nor network, so something outside uses it", c.place)
		}
		c.name = names.unique(given, imageBase(repository))
	}
	for _, c := range t.suites {
		c.name = names.unique(c.wishes()...)
	}
	for _, c := range t.backing {
		if !slices.ContainsFunc(t.suites, func(s *container) bool { return s.reaches(c) }) {
			return fmt.Errorf("%s: nothing that is read uses the container %s, so something outside does", c.place, c.name)
		}
	}
	for _, c := range slices.Concat(t.suites, t.backing) {
		if network, ok := c.last("network").lit(); !ok || network == "host" || network == "none" || strings.HasPrefix(network, "container:") {
			return fmt.Errorf("%s: docker run --network %s joins something outside", c.place, c.last("network"))
		}
	}
	return nil
}

func (c *container) wishes() []string {
	var wishes []string
	if name, ok := c.last("name").lit(); ok {
		wishes = append(wishes, name)
	}
	repository, _ := splitTag(c.image)
	if c.build != nil {
		wishes = append(wishes, folder(c.build.context))
	}
	wishes = append(wishes, imageBase(repository))
	if n := len(c.words); n > 0 {
		if word, ok := c.words[n-1].lit(); ok {
			for _, wish := range slices.Clone(wishes) {
				if wish != "" {
					wishes = append(wishes, wish+"-"+word)
					break
				}
			}
		}
	}
	return wishes
}

// reaches tells whether a suite knows a container by name.
func (c *container) reaches(other *container) bool {
	for _, link := range c.all("link") {
		if target, _, _ := link.cut(":"); target.String() == other.last("name").String() {
			return true
		}
	}
	return c.has("network") && c.last("network").String() == other.last("network").String()
}
