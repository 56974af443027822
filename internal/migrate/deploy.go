package migrate

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/bucketname"
	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

// deployment is one entry of deploy.
type deployment struct {
	section   *travis.Section
	provider  string
	beanstalk bool
	// script are the lines of the provider script.
	script   []*line
	readings []*reading
	// conds are what on: says, unread the conditions that only a shell can
	// check.
	conds  []string
	unread []travis.Text
	// keeps tells that the deployment needs files that the job made.
	keeps  bool
	maybe  bool
	tagged bool
	// environment is known when the step is made, unzip the file to unpack
	// before.
	environment, unzip string
	versionOnly        bool
	// pushers are the jobs of earlier stages whose images are deployed.
	pushers []string
}

// readDeploys reads deploy: one deployment or a list.
func (u *unit) readDeploys() []*deployment {
	node, ok := u.section.Take("deploy")
	if !ok {
		return nil
	}
	var out []*deployment
	for _, item := range node.Items() {
		if !item.IsMap() {
			u.c.leave(&travis.Key{Name: "deploy", Place: item.Place(), Node: item}, "", "a deployment has a provider")
			continue
		}
		if d := u.readDeploy(item); d != nil {
			out = append(out, d)
		}
	}
	return out
}

// readDeploy reads one; nil when its provider has no counterpart here.
func (u *unit) readDeploy(node travis.Node) *deployment {
	d := &deployment{section: node.Section()}
	d.provider = slug(strings.ReplaceAll(d.section.TakeText("provider", "strategy").Value, "_", ""))
	switch d.provider {
	case "elasticbeanstalk":
		d.beanstalk = true
	case "script":
		node, _ := d.section.Take("script")
		for _, text := range node.Texts() {
			d.script = append(d.script, parseLine("deploy", text))
		}
	default:
		u.c.leave(&travis.Key{Name: "deploy", Place: node.Place(), Node: node}, "", "provider "+d.provider+" is not of travois; use the action that the service has, in a job that needs the last one")
		return nil
	}
	u.readOn(d)
	u.keeps(d)
	for _, key := range []string{"edge", "strategy", "run", "debug"} {
		d.section.Take(key)
	}
	if n, ok := d.section.Take("allow_failure"); ok {
		d.maybe = n.True()
	}
	return d
}

// keeps reads skip_cleanup, which is cleanup in dpl's second version, where it
// is off by default: only the word says that files of the job are needed.
func (u *unit) keeps(d *deployment) {
	if n, ok := d.section.Take("skip_cleanup"); ok {
		d.keeps = n.True()
	}
	if n, ok := d.section.Take("cleanup"); ok {
		d.keeps = d.keeps || n.False()
	}
}

// readOn reads the conditions of a deployment. Travis deployed from master
// only, unless on: said otherwise, and never on pull requests.
func (u *unit) readOn(d *deployment) {
	node, _ := d.section.Take("on", "true")
	on := node.Section()
	if !node.IsMap() && !node.IsNull() {
		on = &travis.Section{}
		d.conds = append(d.conds, branchCondition(node.Texts()))
	}
	all, _ := on.Take("all_branches")
	tags, hasTags := on.Take("tags")
	if repo := on.TakeText("repo"); repo.Value != "" {
		d.conds = append(d.conds, equals("github.repository", repo.Value))
	}
	branches, hasBranches := on.Take("branch", "branches")
	switch {
	case hasTags && tags.True():
		d.conds, d.tagged = append(d.conds, isTag), true
	case all.True():
		d.conds = append(d.conds, noPullRequest)
	case hasBranches:
		texts := branches.Texts()
		for _, key := range branches.Keys() {
			texts = append(texts, travis.Text{Value: key.Name, Place: key.Place})
		}
		d.conds = append(d.conds, u.branchesCondition(texts))
	case node.IsMap() || node.IsNull():
		d.conds = append(d.conds, "github.ref == 'refs/heads/master'")
		u.c.todo.tell(d.section.Place, "deploy has no on: branch, and Travis took master: change the deployment's if: when your branch has another name")
	}
	if hasTags && tags.False() {
		d.conds = append(d.conds, isNoTag)
	}
	u.readCustom(d, on)
	for _, key := range on.Rest() {
		u.readRuntime(key)
	}
}

// readRuntime reads on: {node: 8}, a version of the matrix.
func (u *unit) readRuntime(key *travis.Key) {
	value := key.Node.Text().Value
	ours := key.Name == u.lang.key || u.lang.key == "rvm" && key.Name == "ruby" || u.lang.key == "node_js" && key.Name == "node"
	if ours {
		u.c.todo.tell(key.Place, "on: %s: %s: the deployment is one job of its own, so it needs no version to run only once", key.Name, value)
		return
	}
	u.c.leave(key, "deploy, on, ", "it is no condition that is known")
}

func (u *unit) branchesCondition(texts []travis.Text) string {
	for _, text := range texts {
		if strings.Contains(text.Value, "*") || strings.HasPrefix(text.Value, "/") {
			u.c.todo.hand(text.Place, "on: branch %s: Travis took it word by word, so it never matched; the condition does the same", text.Value)
		}
	}
	return branchCondition(texts)
}

func branchCondition(texts []travis.Text) string {
	var terms []string
	for _, text := range texts {
		terms = append(terms, equals("github.ref", "refs/heads/"+text.Value))
	}
	return disjunction(terms)
}

// readCustom reads condition: bash's tests. What GitHub has no word for is
// checked by a shell in the job.
func (u *unit) readCustom(d *deployment, on *travis.Section) {
	node, ok := on.Take("condition")
	if !ok {
		return
	}
	for _, text := range node.Texts() {
		file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader("[[ "+text.Value+" ]]"), "")
		if err != nil || len(file.Stmts) != 1 {
			u.c.todo.hand(text.Place, "condition: %s is no test that bash takes; the deployment never runs until you write it", text.Value)
			d.unread = append(d.unread, travis.Text{Value: "false", Place: text.Place})
			continue
		}
		terms, ok := u.scope.test(file.Stmts[0], text.Place)
		if !ok {
			d.unread = append(d.unread, text)
			continue
		}
		d.conds = append(d.conds, terms...)
	}
}

// deployJobs writes a job for each deployment, or steps where the deployment
// needs what the job made.
func (p *pipeline) deployJobs() {
	before := p.ofPhases("before_deploy")
	after := p.ofPhases("after_deploy")
	if len(p.deploys) == 0 {
		for _, r := range slices.Concat(before, after) {
			if r.kind != dockerLine {
				p.c.todo.hand(r.text.Place, "%s: %s: nothing is deployed here, so it is left out", r.phase, firstLine(r.text.Value))
				p.c.comments = append(p.c.comments, "\nNot converted, "+r.phase+", "+r.text.Place.String()+":\n"+indent(strings.TrimSpace(r.text.Value)))
			}
		}
		return
	}
	base := p.last
	var ids []string
	for _, d := range p.deploys {
		d.keeps = d.keeps || p.rawImages && slices.ContainsFunc(d.readings, func(r *reading) bool { return mentionsDocker(r.line) })
		steps := p.deploySteps(d, before, after)
		if len(steps) == 0 {
			continue
		}
		if d.keeps && p.sameJob && p.test != nil && (p.imageID == "" || p.imageID == p.testID) {
			p.deployInJob(d, steps)
			continue
		}
		if !d.beanstalk {
			p.c.todo.tell(d.section.Place, "deploy by script runs in a job of its own, from a fresh checkout; if it builds or pushes images, let build-push do that")
		}
		if d.keeps && p.runsHost() {
			p.c.todo.hand(d.section.Place, "deploy kept the files of the job (skip_cleanup), and here it is a job of its own: hand them over with actions/upload-artifact and actions/download-artifact, if it needs them")
		}
		ids = append(ids, p.deployJob(d, base, steps))
	}
	if len(ids) > 0 {
		p.last = ids
	}
}

func (p *pipeline) deployJob(d *deployment, needs []string, steps []*workflow.Map) string {
	id := p.c.ids.unique(p.deployWishes(d)...)
	if p.testID != "" && p.imageID != "" && p.imageID != p.testID {
		needs = []string{p.imageID}
	}
	needs = unique(slices.Concat(needs, d.pushers))
	runsOn := p.matrix.runsOn
	p.matrix.runsOn = "ubuntu-latest"
	name := p.name
	if len(p.last) > 0 && p.testID != "" {
		p.name = ""
	}
	job := p.newJob(id, slices.Concat(p.cond, d.conds), needs)
	p.name, p.matrix.runsOn = name, runsOn
	if d.maybe {
		job.Set("continue-on-error", workflow.Raw("true"))
	}
	if group := d.group(); group != "" && (d.tagged || !onlyOneRef(d.conds)) {
		job.Comment("Deployments of all branches and tags to one environment take turns.")
		job.Set("concurrency", new(workflow.Map).Set("group", group).Set("cancel-in-progress", workflow.Raw("false")))
	}
	job.Set("steps", appendSteps(workflow.Seq{p.checkout()}, steps))
	p.c.addJob(id, job)
	return id
}

// onlyOneRef tells whether a condition names one branch: then the workflow's
// own concurrency is enough.
func onlyOneRef(conds []string) bool {
	all := conjunction(conds)
	return strings.Count(all, "refs/heads/") == 1 && !strings.Contains(all, "||")
}

// group is the name under which deployments to an environment take turns.
func (d *deployment) group() string {
	if !d.beanstalk || d.environment == "" || d.versionOnly {
		return ""
	}
	return "eb-deploy-" + d.environment
}

func (p *pipeline) deployWishes(d *deployment) []string {
	name := "deploy"
	if d.beanstalk {
		name = "eb-deploy"
	}
	if p.name != "" && p.testID == "" {
		return []string{p.name, name}
	}
	if d.versionOnly {
		return []string{"eb-version", name + "-" + d.environment}
	}
	return []string{name, name + "-" + d.environment}
}

// deployInJob puts a deployment's steps behind the tests.
func (p *pipeline) deployInJob(d *deployment, steps []*workflow.Map) {
	all := p.test.Get("steps").(workflow.Seq)
	condition := conjunction(d.conds)
	for _, step := range steps {
		merged := new(workflow.Map)
		if existing, ok := step.Get("if").(string); ok {
			step.Set("if", expression(conjunction([]string{condition, existing})))
			merged.Join(step)
		} else {
			merged.Set("if", expression(condition)).Join(step)
		}
		all = append(all, merged)
	}
	p.test.Set("steps", all)
}

// deploySteps are the steps of one deployment, without the checkout.
func (p *pipeline) deploySteps(d *deployment, before, after []*reading) []*workflow.Map {
	var steps []*workflow.Map
	steps = append(steps, p.hostSteps(before, p.rawImages)...)
	switch {
	case d.beanstalk:
		step := p.beanstalk(d)
		if d.unzip != "" {
			steps = append(steps, new(workflow.Map).Set("run", "unzip -q "+d.unzip+" -d "+strings.TrimSuffix(d.unzip, ".zip")))
		}
		if len(d.pushers) > 1 {
			steps = append(steps, mergeStep(d.pushers, func(id string) string { return "needs." + id }))
		}
		steps = append(steps, step)
	default:
		own := p.hostSteps(d.readings, p.rawImages)
		if len(own) == 0 {
			return nil
		}
		steps = append(steps, own...)
	}
	steps = append(steps, p.hostSteps(after, p.rawImages)...)
	p.c.leaveRest(d.section, "deploy, ")
	if len(d.unread) == 0 {
		return steps
	}
	gated := []*workflow.Map{p.gate(d)}
	for _, step := range steps {
		gated = append(gated, new(workflow.Map).Set("if", "steps.condition.outputs.met == 'true'").Join(step))
	}
	return gated
}

// gate is a step that checks what only a shell can.
func (p *pipeline) gate(d *deployment) *workflow.Map {
	var tests []string
	for _, text := range d.unread {
		tests = append(tests, "[[ "+text.Value+" ]]")
	}
	l := parseLine("deploy", travis.Text{Value: "if " + strings.Join(tests, " && ") + "; then\n  echo met=true >> \"$GITHUB_OUTPUT\"\nfi", Place: d.unread[0].Place})
	step := p.runStep([]*line{l})
	return new(workflow.Map).Set("id", "condition").Join(step)
}

// beanstalk is the step of eb-deploy. Source of the options: dpl's provider
// elasticbeanstalk, versions 1 and 2.
func (p *pipeline) beanstalk(d *deployment) *workflow.Map {
	with := new(workflow.Map)
	region := p.option(d, "region")
	if region == "" {
		region = "us-east-1"
	}
	with.Set("region", region)
	app := p.option(d, "app")
	if app == "" {
		app = "${{ github.event.repository.name }}"
	}
	with.Set("app", app)
	p.environment(d, with)
	p.bucket(d, with, region)
	with.SetText("bucket-path", strings.TrimRight(p.option(d, "bucket_path"), "/"))
	p.bundle(d, with)
	with.SetText("version-label", p.option(d, "label"))
	with.SetText("description", p.option(d, "description"))
	p.waiting(d, with)
	p.given(d, with)
	if p.c.options.Beside != nil && p.c.deployed.file == "" {
		p.c.todo.hand(d.section.Place, "beside the file lies no docker-compose.yml and no Dockerrun.aws.json that can be read: eb-deploy deploys one of them")
	}
	step := new(workflow.Map).Set("uses", "guk0/travois/actions/eb-deploy@v1").Set("with", with)
	return step.SetMap("env", p.keys(d))
}

// option is an option's text, its variables looked up; a mapping is by branch.
func (p *pipeline) option(d *deployment, names ...string) string {
	node, ok := d.section.Take(names...)
	if !ok {
		return p.fromEnvironment(names[0])
	}
	if node.IsMap() && !node.Secure() {
		return p.byBranch(node)
	}
	if node.Secure() {
		name := "ELASTIC_BEANSTALK_" + strings.ToUpper(names[0])
		return "${{ " + p.c.todo.secret(name, "was encrypted in the file", node.Place()) + " }}"
	}
	return p.text(node.Text())
}

// fromEnvironment is an option that dpl took from a variable.
func (p *pipeline) fromEnvironment(name string) string {
	value, ok := p.scope.values["ELASTIC_BEANSTALK_"+strings.ToUpper(name)]
	if !ok {
		return ""
	}
	return value.String()
}

// text is a text of the file with its variables looked up, as a shell would.
func (p *pipeline) text(text travis.Text) string {
	if !strings.Contains(text.Value, "$") {
		return text.Value
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(`A="`+strings.ReplaceAll(text.Value, `"`, `\"`)+`"`), "")
	if err != nil {
		return text.Value
	}
	a, err := p.scope.word(file.Stmts[0].Cmd.(*syntax.CallExpr).Assigns[0].Value, text.Place)
	if err != nil {
		p.c.todo.hand(text.Place, "%s: %s; put the value into the input", text.Value, err)
		return text.Value
	}
	return a.String()
}

// byBranch is an option that the file gives by branch, which dpl's first
// version knew.
func (p *pipeline) byBranch(node travis.Node) string {
	values := map[string]string{}
	for _, key := range node.Keys() {
		values[key.Name] = key.Node.Text().Value
	}
	out, err := json.Marshal(values)
	if err != nil {
		return ""
	}
	return "${{ fromJSON(" + quote(string(out)) + ")[github.ref_name] }}"
}

func (p *pipeline) environment(d *deployment, with *workflow.Map) {
	node, _ := d.section.Take("only_create_app_version")
	env := p.option(d, "env", "environment_name")
	if node.True() {
		p.c.todo.tell(d.section.Place, "only_create_app_version: eb-deploy gets no env: the version is created, and no environment is changed")
		d.versionOnly, d.environment = true, env
		return
	}
	d.environment = env
	with.SetText("env", env)
}

// bucket sets the bucket, except where its name is none that S3 can have: the
// account's own is the default.
func (p *pipeline) bucket(d *deployment, with *workflow.Map, region string) {
	place := d.section.Place
	if key, ok := d.section.Take("bucket_name", "bucket"); ok {
		place = key.Place()
	}
	name := p.option(d, "bucket_name", "bucket")
	if name == "" || strings.Contains(name, "${{") {
		with.SetText("bucket-name", name)
		return
	}
	err := bucketname.Check(name)
	if err == nil {
		with.Set("bucket-name", name)
		return
	}
	if meant := bucketname.Meant(name); meant != "" && p.c.options.Repair {
		p.c.todo.tell(place, "bucket_name: %s; repaired", err)
		with.Set("bucket-name", meant)
		return
	}
	p.c.todo.hand(place, "bucket_name: %s: left out, so that eb-deploy takes the account's own bucket in %s; set bucket-name if you want another one", err, region)
	with.Comment("bucket-name: " + name + " (no name that S3 takes; the account's own bucket is used)")
}

// bundle is a zip that the job makes.
func (p *pipeline) bundle(d *deployment, with *workflow.Map) {
	zip := p.option(d, "zip_file")
	if zip == "" {
		return
	}
	d.keeps = true
	with.Set("source", strings.TrimSuffix(zip, ".zip"))
	d.unzip = zip
	p.c.todo.hand(d.section.Place, "zip_file: eb-deploy makes the zip itself, from the folder in source, which must hold docker-compose.yml or Dockerrun.aws.json: the step before unpacks %s there", zip)
}

func (p *pipeline) waiting(d *deployment, with *workflow.Map) {
	node, ok := d.section.Take("wait_until_deployed")
	if ok && node.False() {
		with.Set("wait", "false")
	}
	if !ok {
		p.c.todo.tell(travis.Place{}, "eb-deploy waits for the end of the update, which dpl did only with wait_until_deployed; wait: false ends when the update has begun")
	}
	seconds, ok := d.section.Take("wait_until_deployed_timeout")
	if !ok {
		return
	}
	n, err := strconv.Atoi(seconds.Text().Value)
	if err != nil || n <= 0 {
		p.c.todo.hand(seconds.Place(), "wait_until_deployed_timeout: %s is no number of seconds", seconds.Text().Value)
		return
	}
	if n%60 == 0 {
		with.Set("timeout", fmt.Sprintf("%dm", n/60))
		return
	}
	with.Set("timeout", fmt.Sprintf("%ds", n))
}

// given hands over what build-push pushed.
func (p *pipeline) given(d *deployment, with *workflow.Map) {
	if p.images.outputs() == nil && len(p.c.pushers) > 0 {
		p.fromEarlier(d, with)
		return
	}
	if p.images.outputs() == nil {
		if !p.rawImages {
			p.c.todo.hand(d.section.Place, "nothing pushes an image that is deployed: dpl sent the sources and Elastic Beanstalk built them; eb-deploy sends docker-compose.yml or Dockerrun.aws.json with images, so add a step of build-push, and give eb-deploy its tags and digests")
		}
		return
	}
	source := "needs." + p.imageID + ".outputs"
	if d.keeps && p.sameJob && p.imageID == p.testID {
		source = "steps.images.outputs"
		if len(p.images.groups) > 1 {
			source = "steps.all.outputs"
		}
	}
	switch registry := p.images.registry(); {
	case registry != "":
		with.Set("registry", registry)
	case p.images.movable(p.c):
		with.Set("registry", otherRegistry)
	}
	with.Set("tags", "${{ "+source+".tags }}")
	with.Set("digests", "${{ "+source+".digests }}")
}

// fromEarlier takes the images of earlier stages' jobs.
func (p *pipeline) fromEarlier(d *deployment, with *workflow.Map) {
	d.pushers = p.c.pushers
	if len(d.pushers) == 1 {
		with.Set("tags", "${{ needs."+d.pushers[0]+".outputs.tags }}")
		with.Set("digests", "${{ needs."+d.pushers[0]+".outputs.digests }}")
		return
	}
	with.Set("tags", "${{ steps.all.outputs.tags }}")
	with.Set("digests", "${{ steps.all.outputs.digests }}")
}

// registry is the one login's, when images without a host mean it.
func (m *images) registry() string {
	if len(m.login.list) != 1 || hub(m.login.list[0].registry.String()) {
		return ""
	}
	return m.login.list[0].registry.String()
}

// keys are the credentials, as secrets whatever the file says.
func (p *pipeline) keys(d *deployment) *workflow.Map {
	return p.awsKeys(p.key(d, "access_key_id"), p.key(d, "secret_access_key"))
}

// key is the secret that an option of the file is a variable of; any other
// value is not copied.
func (p *pipeline) key(d *deployment, name string) string {
	node, ok := d.section.Take(name)
	if !ok {
		return ""
	}
	text := node.Text()
	if strings.HasPrefix(text.Value, "$") {
		return strings.ToUpper(strings.Trim(text.Value, "${}"))
	}
	if text.Value != "" {
		p.c.todo.hand(text.Place, "%s stands in plain text in the file and in its history: make a new key, and delete this one", name)
	}
	return ""
}

func (u *unit) awsKeys(id, secret string) *workflow.Map {
	if id == "" {
		id = "AWS_ACCESS_KEY_ID"
	}
	if secret == "" {
		secret = "AWS_SECRET_ACCESS_KEY"
	}
	u.c.todo.secret(id, "the key id of an IAM user that may deploy", travis.Place{})
	u.c.todo.secret(secret, "its secret key", travis.Place{})
	env := new(workflow.Map).Comment("Stored keys, as on Travis. A role needs none: see eb-deploy's README.")
	return env.Set("AWS_ACCESS_KEY_ID", "${{ secrets."+id+" }}").Set("AWS_SECRET_ACCESS_KEY", "${{ secrets."+secret+" }}")
}
