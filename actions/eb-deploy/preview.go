package ebdeploy

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/registry"
)

// section is a part of what a dry run shows, in the log and in the summary.
type section struct {
	title string
	// body is shown as it is, of the language for a code block.
	body, language string
	// folded tells that the summary shows it only on demand.
	folded bool
}

// preview holds the plan against what runs now, and changes nothing. Without
// credentials, as in a pull request from a fork, there is only the plan.
func (d deployment) preview(ctx context.Context, client *beanstalk.Client, p plan) error {
	target, err := d.check(ctx, client, p)
	err = d.withoutCredentials(err)
	done := newResult(p, planned)
	if err != nil {
		done = newResult(p, beanstalk.Rejected)
	}
	done.preview = slices.Concat([]section{{title: "Plan", body: p.String()}}, p.mergedText(target), p.compare(ctx, client, target), []section{p.policy(target)})
	for i, s := range done.preview {
		s.print(d.runner.Log, i == 0)
	}
	for i, destination := range target.Destinations {
		if len(target.Destinations) == len(done.envs) {
			done.envs[i].outcome.Environment, done.envs[i].previous = destination.Environment, destination.Environment.VersionLabel
		}
	}
	return finish(d.runner, done, err)
}

// withoutCredentials has the lack of them told, which stops no dry run.
func (d deployment) withoutCredentials(err error) error {
	var none beanstalk.NoCredentialsError
	if !errors.As(err, &none) {
		return err
	}
	d.runner.Log.Notice("the plan is not compared with what runs: %v", none)
	return without(err, none)
}

// without drops one of several problems.
func without(err error, dropped beanstalk.NoCredentialsError) error {
	var kept []error
	for _, problem := range action.Problems(err) {
		if problem.Error() != dropped.Error() {
			kept = append(kept, problem)
		}
	}
	return errors.Join(kept...)
}

// mergedText is the whole deploy file where nobody has written it as one.
func (p plan) mergedText(target beanstalk.Target) []section {
	if p.file.merged == nil {
		return nil
	}
	var secrets beanstalk.Secrets
	for _, d := range target.Destinations {
		secrets = secrets.And(d.Secrets)
	}
	return []section{{
		title: fmt.Sprintf("%s, merged of %s", p.file.name(), strings.Join(p.file.merged.Read, ", ")),
		body:  string(conceal(string(p.rendered), secrets)), language: "yaml", folded: true,
	}}
}

// compare tells what would change in each environment.
func (p plan) compare(ctx context.Context, client *beanstalk.Client, target beanstalk.Target) []section {
	var all []section
	next, err := p.deployText(ctx, client, target)
	for _, d := range target.Destinations {
		env := d.Environment
		settings := d.Settings.With(p.config.options())
		if d.New {
			all = append(all, section{title: "Environment " + env.Name, body: newText(d)})
			continue
		}
		text := fmt.Sprintf("runs %s, health %s, on %s\ndeployment policy %s; it may take up to %s\n",
			cmp.Or(env.VersionLabel, "no version"), env.Health, env.Platform, cmp.Or(settings.Policy, "not known"), cmp.Or(p.config.Timeout, settings.Deadline()))
		for _, change := range d.Changes {
			text += change.String() + "\n"
		}
		if len(d.Changes) == 0 {
			text += "settings: no change\n"
		}
		all = append(all, section{title: "Environment " + env.Name, body: text})
		if err != nil {
			all = append(all, section{title: "The deploy file of version " + p.label, body: err.Error() + "\n"})
			continue
		}
		all = append(all, p.compareFile(ctx, client, d, next))
	}
	return all
}

// newText tells of an environment that is to be made.
func newText(d beanstalk.Destination) string {
	text := "is not there; it is made on " + cmp.Or(d.Environment.Platform, "a platform that is not known") + "\n"
	for _, change := range d.Changes {
		text += change.String() + "\n"
	}
	return text
}

// deployText is the deploy file of the version that is to be deployed.
func (p plan) deployText(ctx context.Context, client *beanstalk.Client, target beanstalk.Target) (deployText, error) {
	if !p.existing {
		return deployText{p.file.name(), string(p.rendered)}, nil
	}
	if target.Version == nil {
		return deployText{}, errors.New("it is not known")
	}
	return readDeployText(ctx, client, *target.Version)
}

// deployText is a deploy file by its name in a bundle.
type deployText struct{ name, text string }

func readDeployText(ctx context.Context, client *beanstalk.Client, at beanstalk.Stored) (deployText, error) {
	name, text, err := client.ReadFile(ctx, at, composeName, dockerrunName)
	return deployText{name, string(text)}, err
}

// compareFile is the difference between the deploy file that runs and the next.
func (p plan) compareFile(ctx context.Context, client *beanstalk.Client, d beanstalk.Destination, next deployText) section {
	running := d.Environment.VersionLabel
	s := section{title: fmt.Sprintf("%s in %s", next.name, d.Environment.Name)}
	switch running {
	case "":
		s.body = "all of it is new: no version runs\n"
		return s
	case p.label:
		s.body = fmt.Sprintf("no change: version %s runs\n", running)
		return s
	}
	now, err := runningText(ctx, client, p.config.App, running)
	if err != nil {
		s.body = fmt.Sprintf("can't be compared with version %s: %v\n", running, err)
		return s
	}
	changes := diff.Diff(running+"/"+now.name, conceal(now.text, d.Secrets), p.label+"/"+next.name, conceal(next.text, d.Secrets))
	if changes == nil {
		s.body = fmt.Sprintf("no change against version %s\n", running)
		return s
	}
	_, text, _ := strings.Cut(string(changes), "\n") // the first line repeats the names
	s.body, s.language = text, "diff"
	return s
}

func runningText(ctx context.Context, client *beanstalk.Client, app, label string) (deployText, error) {
	stored, err := client.Version(ctx, app, label)
	switch {
	case err != nil:
		return deployText{}, err
	case stored == nil:
		return deployText{}, fmt.Errorf("application %q has no such version any more", app)
	}
	text, err := readDeployText(ctx, client, *stored)
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("its bundle has neither %s nor %s", composeName, dockerrunName)
	}
	return text, err
}

// policy is the least IAM policy for the inputs.
func (p plan) policy(target beanstalk.Target) section {
	return section{
		title: "The least IAM policy for this deployment (what Elastic Beanstalk needs beside it: docs/aws-setup.md)",
		body:  p.use(target).Policy() + "\n", language: "json", folded: true,
	}
}

func (p plan) use(target beanstalk.Target) beanstalk.Use {
	options := p.config.options()
	use := beanstalk.Use{
		Region: p.config.Region, Account: target.Identity.Account, App: p.config.App, Envs: p.config.Envs,
		Bucket: p.config.BucketName, Folder: p.config.folder(), Makes: !p.existing, Settings: len(options) > 0,
		Prunes: p.config.prunes(), PrunesBundles: p.config.DeleteBundles,
		Creates: p.config.Create, Aborts: p.config.OnFailure == abort || p.config.OnFailure == rollback,
		ServiceRole: options.Get("aws:elasticbeanstalk:environment", "ServiceRole"),
		Profile:     options.Get("aws:autoscaling:launchconfiguration", "IamInstanceProfile"),
	}
	if p.config.CheckImages {
		use.Repositories = p.repositories()
	}
	if strings.HasPrefix(p.config.Platform, "arn:") {
		use.Platform = p.config.Platform
	}
	if p.existing && target.Version != nil {
		use.Bucket, use.Folder = target.Version.Bucket, path.Dir(target.Version.Key)
	}
	return use
}

// repositories are those in ECR that have the images, as ARNs.
func (p plan) repositories() []string {
	var all []string
	for _, one := range p.lookups() {
		if arn, ok := registry.ECRRepository(one.ref); ok {
			all = append(all, arn)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// print is the section in the log.
func (s section) print(log *action.Log, first bool) {
	switch {
	case s.folded:
		log.Group(s.title)
		defer log.EndGroup()
	case !first:
		log.Printf("\n%s:", s.title)
	}
	log.Printf("%s", s.body)
}

// write is the section in the summary.
func (s section) write(text *strings.Builder) {
	if !s.folded {
		fmt.Fprintf(text, "### %s\n\n", action.Escape(s.title))
		fenceAs(text, s.language, s.body)
		return
	}
	fmt.Fprintf(text, "<details><summary>%s</summary>\n\n", action.Escape(s.title))
	fenceAs(text, s.language, s.body)
	text.WriteString("</details>\n\n")
}
