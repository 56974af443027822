package ebdeploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/bundle"
	"github.com/guk0/travois/internal/image"
	"github.com/guk0/travois/internal/registry"
)

// plan is all that is to be done, known before AWS is asked for a change.
type plan struct {
	config config
	label  string
	// run is the workflow run's id, 0 where it is not known.
	run uint64
	// existing tells that the version is there already; then the rest is empty.
	existing bool

	file        deployFile
	images      map[string]image.Reference
	changes     []bundle.Change
	rendered    []byte
	login       *bundle.Login
	credentials registry.Credentials
	asks        bundle.Asks
	extensions  extensions
	// dotenv are the names that the bundle's .env sets; nil where it has none.
	dotenv      map[string]bool
	warnings    []error
	bundle      *bundle.Bundle
	hash        string
	key         string
	description string
}

// makePlan renders the file and gathers the bundle. It reads the tree and
// writes nothing. What is wrong with the file, with the images for it and with
// what it names is reported together; beside an error the plan has what the file
// asks for, to be checked further.
func makePlan(ctx context.Context, c config, g given, file deployFile, from tree, trigger action.Trigger, login *bundle.Login) (plan, error) {
	refs, refsErr := g.references(file, c.Registry)
	rendered, renderErr := c.render(ctx, file, from, refs)
	companion, loginErr := refer(login, file, from, &rendered)
	gathered, err := from.bundle(ctx, c.Bundle, file, rendered, companion)
	if err := errors.Join(renderErr, refsErr, loginErr, err, checkEnvFiles(from, rendered)); err != nil {
		return brokenPlan(c, file, from, refs, refsErr == nil), file.placed(err)
	}
	hash, err := gathered.Hash(ctx)
	if err == nil {
		err = gathered.CheckSize(ctx, beanstalk.MaxBundle)
	}
	env, envErr := readDotenv(file, from, gathered)
	if err := errors.Join(err, envErr); err != nil {
		return brokenPlan(c, file, from, refs, true), err
	}
	p := plan{
		config: c, dotenv: env, run: runID(trigger), file: file, images: refs, extensions: readExtensions(from), rendered: rendered.Content, login: login, bundle: gathered, hash: hash,
		changes:     slices.Concat(file.changes(), rendered.Changes, gathered.Changes()),
		warnings:    append(mutable(file, refs), gathered.Warnings()...),
		label:       cmp.Or(c.VersionLabel, defaultLabel(trigger.SHA, hash)),
		description: cmp.Or(c.Description, trigger.Subject),
	}
	p.key = c.key(p.label, hash)
	p.asks = file.asks(refs)
	return p, nil
}

// asks are what the file asks of its environment.
func (f deployFile) asks(refs map[string]image.Reference) bundle.Asks {
	switch f.kind {
	case bundle.Compose:
		return bundle.AsksOf(f.source, replaced(refs))
	case bundle.DockerrunV2:
		return bundle.AsksOfDockerrun(f.source)
	}
	return bundle.Asks{}
}

// brokenPlan is what can be checked of a file that is not deployed. Without a
// bundle it is not known what an .env in it sets.
func brokenPlan(c config, file deployFile, from tree, refs map[string]image.Reference, refsKnown bool) plan {
	p := plan{config: c, file: file, images: refs, extensions: readExtensions(from), asks: file.asks(refs)}
	p.config.CheckImages = c.CheckImages && refsKnown
	if _, err := fs.Stat(from, ".env"); err == nil && c.Bundle != minimalBundle {
		p.asks.Variables = nil
	}
	return p
}

func existingPlan(c config, trigger action.Trigger) plan {
	p := plan{config: c, label: c.VersionLabel, run: runID(trigger), existing: true}
	if c.BucketName != "" {
		p.warnings = []error{fmt.Errorf("bucket-name: has no effect: version %q is there, with its bundle where it was stored; to make a version in %s, give images, or tags and digests", p.label, c.BucketName)}
	}
	return p
}

func runID(trigger action.Trigger) uint64 {
	run, err := strconv.ParseUint(trigger.RunID, 10, 64)
	if err != nil {
		return 0
	}
	return run
}

func (f deployFile) texts(refs map[string]image.Reference) map[string]string {
	texts := make(map[string]string, len(refs))
	for service, ref := range refs {
		texts[service] = written(f.kind, ref)
	}
	return texts
}

// mutable warns of images that may be others by the time they are pulled.
func mutable(file deployFile, refs map[string]image.Reference) []error {
	warnings := bundle.Mutable(file.path, file.kind, file.source, file.texts(refs))
	for i := range warnings {
		warnings[i] = file.placed(warnings[i])
	}
	return warnings
}

func (c config) render(ctx context.Context, file deployFile, from tree, refs map[string]image.Reference) (bundle.Rendered, error) {
	texts := file.texts(refs)
	if file.kind == bundle.Dockerfile {
		return bundle.AsItIs(file.path, file.source), nil
	}
	if file.kind == bundle.Compose {
		rendered, err := bundle.RenderCompose(file.path, file.source, texts, bundle.KeepMounts(c.KeepMounts))
		return rendered, errors.Join(err, bundle.Invalid(ctx, file.path, file.source, err))
	}
	return bundle.RenderDockerrun(file.path, file.source, texts, bundle.Built(c.builds(from)))
}

// builds tells that the instances may build a Dockerfile, with the files around it.
func (c config) builds(in tree) bool {
	_, err := fs.Stat(in, dockerfileName)
	return err == nil && c.Bundle != minimalBundle
}

func replaced(refs map[string]image.Reference) map[string]bool {
	all := make(map[string]bool, len(refs))
	for service := range refs {
		all[service] = true
	}
	return all
}

// defaultLabel tells the commit and the content apart: the same commit may be
// deployed with other images.
func defaultLabel(sha, hash string) string {
	content := hash[:beanstalk.LabelDigits]
	if sha == "" {
		return content
	}
	return sha[:min(len(sha), 12)] + "-" + content
}

// request is what must be found in AWS for the plan.
func (p plan) request() beanstalk.Request {
	r := beanstalk.Request{App: p.config.App, Envs: p.config.Envs, Bucket: p.config.BucketName, Options: p.config.options(), Create: p.config.Create, Platform: p.config.Platform}
	if p.existing {
		r.Existing = p.label
		r.Bucket = ""
		return r
	}
	r.File, r.Kind = string(p.file.kind), p.file.platform()
	r.Label, r.Hash, r.Keep = p.label, p.hash, p.config.KeepVersions
	return r
}

// bundleIn is the bundle to be stored in a bucket.
func (p plan) bundleIn(bucket string) beanstalk.Bundle {
	return beanstalk.Bundle{
		App: p.config.App, Label: p.label, Description: beanstalk.ByRun(p.description, p.run),
		Bucket: bucket, Folder: p.config.folder(), Hash: p.hash, Write: p.bundle.WriteZip,
	}
}

// String is what a dry run prints.
func (p plan) String() string {
	var text strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	line("region       %s", p.config.Region)
	line("application  %s", p.config.App)
	line("environment  %s", cmp.Or(strings.Join(p.config.Envs, ", "), "none: the version is only created"))
	line("version      %s", p.label)
	if p.existing {
		line("             exists already; nothing is uploaded")
		return text.String()
	}
	line("description  %s", beanstalk.ByRun(p.description, p.run))
	line("bundle       s3://%s/%s", cmp.Or(p.config.BucketName, "<the account's Elastic Beanstalk bucket>"), p.key)
	line("sha256       %s", p.hash)
	for _, one := range listed(p.bundle.Files()) {
		line("  %s", one)
	}
	line("%s, from %s", p.file.name(), p.file.path)
	for _, service := range slices.Sorted(maps.Keys(p.images)) {
		line("  %s: image %s", service, written(p.file.kind, p.images[service]))
	}
	for _, change := range p.changes {
		line("  %s", change)
	}
	return text.String()
}
