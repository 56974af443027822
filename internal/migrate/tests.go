package migrate

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/workflow"
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
	return t, t.connect()
}

func (t *tests) take(d *docker) error {
	if len(d.conds) > 0 && d.verb != "login" && d.verb != "push" {
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

// steps are the steps that run the suites.
func (t *tests) steps(u *unit) []*workflow.Map {
	var steps []*workflow.Map
	if len(t.suites) > 0 {
		f := &fields{lookup: u.passed}
		with := new(workflow.Map)
		services := new(workflow.Map)
		for _, c := range slices.Concat(t.suites, t.backing) {
			services.Set(c.name, c.service(t, f))
		}
		with.Set("services", workflow.Block(services.String()))
		if slices.ContainsFunc(t.suites, func(c *container) bool { return c.build == nil }) {
			with.Set("suites", t.names())
		}
		with.SetText("vars", f.lines())
		with.SetText("artifacts", strings.Join(t.artifacts(u), "\n"))
		if slices.ContainsFunc(t.suites, (*container).retried) {
			with.Set("retries", "2")
		}
		t.login.inputs(with)
		steps = append(steps, new(workflow.Map).Set("uses", "guk0/travois/actions/test@v1").Set("with", with))
	}
	if t.composeUp {
		with := new(workflow.Map).SetText("compose-file", strings.Join(t.composeFiles, "\n"))
		with.SetText("suites", strings.Join(t.composeSuites, "\n"))
		t.login.inputs(with)
		steps = append(steps, new(workflow.Map).Set("uses", "guk0/travois/actions/test@v1").Set("with", with))
	}
	return steps
}

func (t *tests) names() string {
	var names []string
	for _, c := range t.suites {
		names = append(names, c.name)
	}
	return strings.Join(names, "\n")
}

// retried tells whether the line says travis_retry.
func (c *container) retried() bool { return c.retry }

func (c *container) service(t *tests, f *fields) *workflow.Map {
	m := new(workflow.Map)
	if c.build != nil {
		m.Set("build", c.build.compose(f))
	} else {
		m.Set("image", f.compose(c.image))
	}
	one(m, "entrypoint", c.last("entrypoint"), f)
	if len(c.words) > 0 {
		m.Set("command", commandLine(c.words, f))
	}
	c.environment(m, f)
	c.files(m)
	one(m, "working_dir", c.last("workdir"), f)
	one(m, "user", c.last("user"), f)
	one(m, "hostname", c.last("hostname"), f)
	one(m, "mem_limit", c.last("memory"), f)
	one(m, "shm_size", c.last("shm-size"), f)
	list(m, "extra_hosts", c.all("add-host"), f)
	list(m, "tmpfs", c.all("tmpfs"), f)
	c.dependencies(m, t)
	if b, ok := ofImage(c.image.String()); ok && c.has("detach") && b.health != "" {
		m.Set("healthcheck", new(workflow.Map).Set("test", b.health).Set("interval", "2s").Set("retries", workflow.Raw("30")))
	}
	return m
}

func (c *container) environment(m *workflow.Map, f *fields) {
	var wanted []arg
	for _, e := range c.all("env") {
		name, value, found := e.cut("=")
		if text, _ := name.lit(); text == "CI" && (!found || value.String() == "true") {
			continue
		}
		wanted = append(wanted, e)
	}
	pairs(m, "environment", wanted, f)
}

func (c *container) files(m *workflow.Map) {
	var files, volumes workflow.Seq
	for _, a := range c.all("env-file") {
		path, _ := c.contextPath(a)
		files = append(files, path)
	}
	for _, v := range c.all("volume") {
		host, target, mode, _ := c.volume(v)
		if results(host) {
			continue
		}
		text := host + ":" + target
		if mode == "ro" {
			text += ":ro"
		}
		volumes = append(volumes, text)
	}
	if len(files) > 0 {
		m.Set("env_file", files)
	}
	if len(volumes) > 0 {
		m.Set("volumes", volumes)
	}
}

// results tells whether a mounted folder is there to take results out of the
// container: nothing is mounted now, they are copied out.
func results(host string) bool {
	for _, word := range []string{"coverage", "report", "result", "junit", "artifact", "output", "logs", "screenshots"} {
		if strings.Contains(strings.ToLower(folder(host)), word) {
			return true
		}
	}
	return false
}

func (t *tests) artifacts(u *unit) []string {
	var lines []string
	for _, c := range t.suites {
		for _, v := range c.all("volume") {
			host, target, _, _ := c.volume(v)
			if results(host) {
				lines = append(lines, c.name+":"+target+"="+strings.TrimPrefix(host, "./"))
				continue
			}
			u.c.todo.tell(c.place, "%s is copied into the container of %s: what the suite writes there stays there; name it in artifacts if you need it", host, c.name)
		}
	}
	return lines
}

func (c *container) dependencies(m *workflow.Map, t *tests) {
	needs := new(workflow.Map)
	var links workflow.Seq
	for _, other := range t.backing {
		if other == c || !c.reaches(other) {
			continue
		}
		if c.has("detach") && !c.has("link") {
			continue
		}
		condition := "service_started"
		if b, ok := ofImage(other.image.String()); ok && b.health != "" {
			condition = "service_healthy"
		}
		needs.Set(other.name, new(workflow.Map).Set("condition", condition))
		for _, link := range c.all("link") {
			target, alias, found := link.cut(":")
			if text, _ := alias.lit(); found && target.String() == other.last("name").String() && text != other.name {
				links = append(links, other.name+":"+text)
			}
		}
	}
	if len(links) > 0 {
		m.Set("links", links)
	}
	m.SetMap("depends_on", needs)
}

// commandLine is one text where no word needs quotes, else a list.
func commandLine(words []arg, f *fields) any {
	var texts []string
	for _, w := range words {
		texts = append(texts, f.compose(w))
	}
	for _, text := range texts {
		if quotedForm, err := syntax.Quote(strings.ReplaceAll(text, "$", "_"), syntax.LangPOSIX); err != nil || strings.ContainsAny(quotedForm, "'\"\\ ") {
			return workflow.Flow(texts)
		}
	}
	return strings.Join(texts, " ")
}

// compose reads docker-compose commands: up that ends with a container is a
// test of the Compose files.
func (t *tests) compose(d *docker) error {
	verb, rest := composeVerb(d)
	switch verb {
	case "build", "pull", "down", "stop", "rm", "version", "config", "ps", "push", "":
		return nil
	case "up":
	default:
		return fmt.Errorf("docker-compose %s: the command is not in the Compose files, so it stays as it is", verb)
	}
	suite := ""
	ends := false
	for i, a := range rest {
		text, _ := a.lit()
		switch {
		case text == "--exit-code-from" && i+1 < len(rest):
			suite = rest[i+1].String()
		case strings.HasPrefix(text, "--exit-code-from="):
			suite = strings.TrimPrefix(text, "--exit-code-from=")
		case text == "--abort-on-container-exit":
			ends = true
		case text == "-d" || text == "--detach":
			return fmt.Errorf("docker-compose up -d: something outside uses the containers")
		}
	}
	if suite == "" {
		if ends {
			return fmt.Errorf("docker-compose up --abort-on-container-exit does not say which service is the test: add --exit-code-from")
		}
		return fmt.Errorf("docker-compose up does not end by itself")
	}
	t.composeUp = true
	t.composeSuites = append(t.composeSuites, suite)
	files := d.composeFiles()
	if len(files) == 0 {
		files = []string{strings.TrimPrefix(d.inWorkspace("docker-compose.yml"), "./")}
	}
	t.composeFiles = files
	return nil
}

// composeVerb is the verb of a docker-compose command and what follows it.
func composeVerb(d *docker) (string, []arg) {
	if len(d.args) == 0 {
		return "", nil
	}
	verb, _ := d.args[0].lit()
	return verb, d.args[1:]
}

func (d *docker) composeFiles() []string {
	var files []string
	for _, a := range d.all("file") {
		files = append(files, strings.TrimPrefix(d.inWorkspace(a.String()), "./"))
	}
	return files
}
