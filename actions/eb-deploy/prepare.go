package ebdeploy

import (
	"context"
	"errors"
	"fmt"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/bundle"
	"github.com/guk0/travois/internal/registry"
)

// materials are what a plan is made from.
type materials struct {
	config  config
	given   given
	trigger action.Trigger
	// tree is what is deployed from and files what it has to deploy; both are
	// empty for a version that exists.
	tree  tree
	files []deployFile
	// login is where in S3 the instances find the registries' logins, if they
	// are to.
	login *bundle.Login
	// credentials are the logins of registries.
	credentials registry.Credentials
}

// prepare reads the inputs and plans. Whatever is wrong with the inputs, the
// files and the account is reported at once. AWS is asked only where something
// is wrong, or where the environment's platform must decide between two files.
func (d deployment) prepare(ctx context.Context) (plan, *beanstalk.Client, error) {
	m, problems := d.materials(ctx)
	client, err := d.client(ctx, &m)
	problems = errors.Join(problems, err)
	if problems != nil || m.spoilt() {
		p, err := m.check(ctx)
		p.config.CheckImages = false // what they are may be among the problems
		return plan{config: m.config}, nil, errors.Join(problems, err, d.checkAccount(ctx, client, m, p))
	}
	if m.config.deploysExisting() {
		return existingPlan(m.config, m.trigger), client, nil
	}
	file, err := m.decide(ctx, client)
	err = errors.Join(err, m.place(ctx, client))
	if err != nil {
		_, broken := m.check(ctx)
		return plan{config: m.config}, nil, errors.Join(broken, err)
	}
	p, err := m.plan(ctx, file)
	if err != nil {
		m.files = []deployFile{file}
		return plan{config: m.config}, nil, errors.Join(err, d.checkAccount(ctx, client, m, p))
	}
	return p, client, nil
}

// materials reads the inputs and finds the deploy files. What could be read is
// returned beside an error.
func (d deployment) materials(ctx context.Context) (materials, error) {
	c, inputsErr := read(d.runner)
	g, imagesErr := c.images()
	credentials, loginErr := c.Credentials(d.runner)
	trigger, triggerErr := d.runner.Trigger(c.CommitInputs)
	m := materials{config: c, given: g, trigger: trigger, credentials: credentials}
	problems := errors.Join(inputsErr, loginErr, imagesErr, triggerErr)
	if c.deploysExisting() {
		return m, problems
	}
	workspace, err := d.runner.Workspace()
	if err == nil {
		m.tree, err = c.tree(workspace)
	}
	if err == nil {
		m.files, err = c.deployFiles(ctx, m.tree)
	}
	return m, errors.Join(problems, err)
}

// client speaks to AWS as the role, or with the credentials that the
// environment has. As the role, ECR is spoken to as well.
func (d deployment) client(ctx context.Context, m *materials) (*beanstalk.Client, error) {
	cfg, err := d.loadAWS(ctx, m.config.Region)
	if err != nil {
		return nil, fmt.Errorf("read the AWS configuration: %w", err)
	}
	if m.config.RoleToAssume != "" {
		cfg = beanstalk.Assume(cfg, d.role(*m))
		m.credentials = m.credentials.WithAWS(cfg.Credentials)
	}
	return beanstalk.New(cfg), nil
}

// role is assumed by the job's ID token. Where GitHub gives none, as under act,
// credentials of the environment may do.
func (d deployment) role(m materials) beanstalk.Role {
	role := beanstalk.Role{ARN: m.config.RoleToAssume, Session: m.trigger.Repository}
	if d.runner.HasIDToken() || d.runner.Getenv("AWS_ACCESS_KEY_ID") == "" {
		role.Token = d.runner.IDToken
	}
	return role
}

func (m materials) plan(ctx context.Context, file deployFile) (plan, error) {
	p, err := makePlan(ctx, m.config, m.given, file, m.tree, m.trigger, m.login)
	p.credentials = m.credentials
	return p, err
}

// spoilt tells that a file is not of its kind.
func (m materials) spoilt() bool {
	for _, file := range m.files {
		if file.problem != nil {
			return true
		}
	}
	return false
}

// check plans with every file, only for what is wrong with them. What the plans
// have in common is reported once. The plan is that of the only file.
func (m materials) check(ctx context.Context) (plan, error) {
	only := plan{config: m.config}
	var problems []error
	reported := map[string]bool{}
	for _, file := range m.files {
		p, err := m.plan(ctx, file)
		if len(m.files) == 1 {
			only = p
		}
		for _, problem := range action.Problems(err) {
			if !reported[problem.Error()] {
				problems = append(problems, problem)
			}
			reported[problem.Error()] = true
		}
	}
	return only, errors.Join(problems...)
}

// decide asks for the first environment's platform where there are two files.
func (m materials) decide(ctx context.Context, client *beanstalk.Client) (deployFile, error) {
	if len(m.files) == 1 || len(m.config.Envs) == 0 {
		return m.files[0], nil
	}
	target, err := client.Preflight(ctx, m.request())
	if err != nil {
		return deployFile{}, err
	}
	// The preflight of the plan refuses the environments that run another kind.
	return choose(m.files, target.Destinations[0].Environment.Kind), nil
}

// request is what must be found in AWS, as far as the inputs can be used.
func (m materials) request() beanstalk.Request {
	r := beanstalk.Request{App: m.config.App, Envs: m.config.Envs, Options: m.config.options(), Create: m.config.Create, Platform: m.config.Platform}
	switch {
	case m.config.deploysExisting():
		if beanstalk.CheckLabel(m.config.VersionLabel) == nil {
			r.Existing = m.config.VersionLabel
		}
		return r
	case len(m.files) == 1:
		r.File, r.Kind = string(m.files[0].kind), m.files[0].platform()
	}
	if beanstalk.CheckBucket(m.config.BucketName) == nil {
		r.Bucket = m.config.BucketName
	}
	return r
}

// checkAccount looks up, beside other problems, whether AWS has what the inputs
// name and the file asks for. Where they can't be names of anything, it asks for
// nothing.
func (d deployment) checkAccount(ctx context.Context, client *beanstalk.Client, m materials, p plan) error {
	if client == nil || !m.config.locates() {
		return nil
	}
	_, err := d.checkAgainst(ctx, client, p, m.request())
	if m.config.DryRun {
		return d.withoutCredentials(err)
	}
	return err
}

func (d deployment) preflight(ctx context.Context, client *beanstalk.Client, want beanstalk.Request) (beanstalk.Target, error) {
	target, err := client.Preflight(ctx, want)
	for _, warning := range target.Warnings {
		d.runner.Log.Warning(errors.New(warning))
	}
	return target, err
}

// locates tells that the inputs which say where in AWS, and as whom, are such
// as can be.
func (c config) locates() bool {
	return (c.RoleToAssume == "" || beanstalk.CheckRole(c.RoleToAssume) == nil) &&
		c.Region != "" && beanstalk.CheckRegion(c.Region) == nil &&
		c.App != "" && beanstalk.CheckApplication(c.App) == nil &&
		len(c.checkEnvs()) == 0
}
