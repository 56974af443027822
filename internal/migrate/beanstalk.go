package migrate

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/bucketname"
	"github.com/guk0/travois/internal/travis"
	"github.com/guk0/travois/internal/workflow"
)

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
	if with.Get("version-label") != nil && with.Get("tags") == nil {
		with.Remove("version-label")
		p.c.todo.hand(d.section.Place, "label: left out: without images, eb-deploy takes version-label for the name of a version that is there already")
	}
	if p.c.options.Beside != nil && p.c.deployed.file == "" && !d.zipped && !p.c.exists("Dockerfile") {
		p.c.todo.hand(d.section.Place, "beside the file lies no docker-compose.yml, no Dockerrun.aws.json that can be read, and no Dockerfile: eb-deploy deploys one of them")
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
	if !strings.Contains(text.Value, "$") || strings.Contains(text.Value, "${{") {
		return inert(text.Value)
	}
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(`A="`+strings.ReplaceAll(text.Value, `"`, `\"`)+`"`), "")
	if err != nil {
		return inert(text.Value)
	}
	a, err := p.scope.word(file.Stmts[0].Cmd.(*syntax.CallExpr).Assigns[0].Value, text.Place)
	if err != nil {
		p.c.todo.hand(text.Place, "%s: %s; put the value into the input", text.Value, err)
		return inert(text.Value)
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
	d.keeps, d.zipped = true, true
	with.Set("bundle", zip)
	p.c.todo.tell(d.section.Place, "zip_file: eb-deploy ships %s with the images that were pushed in its docker-compose.yml or Dockerrun.aws.json, which must be in it", zip)
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
		p.withoutImages(d, with)
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

// withoutImages sends the sources, as dpl did, where the file pushes no image.
func (p *pipeline) withoutImages(d *deployment, with *workflow.Map) {
	if p.rawImages {
		return
	}
	sent := "as with dpl the sources are sent, and the instances build them"
	if d.zipped {
		sent = "the zip is sent as it is"
	} else {
		with.Set("bundle", "source")
	}
	if p.c.deployed.file == "" && p.c.exists("Dockerfile") {
		p.c.todo.tell(d.section.Place, "nothing pushes an image: eb-deploy sends the sources, as dpl did, and the instances build the Dockerfile")
		return
	}
	p.c.todo.hand(d.section.Place, "nothing pushes an image that is deployed: %s; to deploy what was tested, add a step of build-push, and give eb-deploy its tags and digests", sent)
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
