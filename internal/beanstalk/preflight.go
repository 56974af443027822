package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Request is what a deployment needs to find in AWS.
type Request struct {
	App string
	// Envs are empty when only a version is to be made.
	Envs []string
	// Bucket is empty for the account's own bucket of Elastic Beanstalk.
	Bucket string
	// File is the name of the deploy file and Kind the platform it is for,
	// Unknown when a version is deployed that is there already.
	File string
	Kind Kind
	// Existing is the label of a version that must be there, or empty.
	Existing string
	// Label and Hash are of the version that is to be made, or empty.
	Label, Hash string
	// Keep is how many versions stay of those there are, where old ones are deleted;
	// a full quota stops nothing then. 0 keeps all.
	Keep int
	// Create tells that what is missing is to be made, an environment with the
	// Platform: its full name or ARN, "Docker" or "ECS" for the newest, or empty
	// for the newest that takes the deploy file.
	Create   bool
	Platform string
	// Options are the settings that the environments are to have.
	Options Options
}

// Target is what was found.
type Target struct {
	Identity Identity
	// Destinations are the environments in the order that they were asked for,
	// without those that are not there.
	Destinations []Destination
	// Version is the existing version that was asked for.
	Version *Stored
	// NewApp and NewBucket tell that they are to be made.
	NewApp, NewBucket bool
	// Full tells that no version can be made before one is deleted.
	Full bool
	// Warnings are findings that do not stop a deployment.
	Warnings []string
}

// Running are the versions of the environments.
func (t Target) Running() []string {
	var all []string
	for _, d := range t.Destinations {
		all = append(all, d.Environment.VersionLabel)
	}
	return all
}

// Destination is an environment that a version goes to.
type Destination struct {
	Environment Environment
	// New tells that it is to be made; of the environment only the name and the
	// platform are known.
	New bool
	// Settings are zero when they could not be read.
	Settings Settings
	// Changes are what it lacks of the wanted settings.
	Changes Changes
	Secrets Secrets
}

// credentialTime bounds the search for credentials: outside AWS the default
// chain ends at the address of an instance's metadata, which nobody answers.
const credentialTime = 15 * time.Second

// Preflight looks up everything that the deployment needs and reports all that
// is wrong at once. It writes nothing.
func (c *Client) Preflight(ctx context.Context, want Request) (Target, error) {
	var t Target
	if err := c.authenticate(ctx, &t); err != nil {
		var bucket error
		if want.Bucket != "" {
			if e := CheckBucket(want.Bucket); e != nil {
				bucket = fmt.Errorf("bucket-name: %w", e)
			}
		}
		return t, errors.Join(err, bucket)
	}
	problems := c.checkApplication(ctx, want, &t)
	if want.Bucket != "" {
		problems = errors.Join(problems, c.checkBucketOf(ctx, want, &t))
	}
	return t, problems
}

// authenticate tells whose the credentials are; without any, and with such as
// AWS does not take, no other look-up can succeed.
func (c *Client) authenticate(ctx context.Context, t *Target) error {
	if c.credentials == nil {
		return noCredentials(errors.New("none are configured"))
	}
	short, cancel := context.WithTimeout(ctx, credentialTime)
	defer cancel()
	if _, err := c.credentials.Retrieve(short); err != nil {
		return noCredentials(err)
	}
	who, err := c.Identity(ctx)
	switch {
	case err == nil:
		t.Identity = who
		return nil
	case refusesCredentials(err):
		return fmt.Errorf("AWS refuses the credentials (%w); they are wrong, expired or of another partition than region %s", brief(err), c.region)
	case refusesPermission(err):
		// Whose they are is good to know, but not needed.
		t.Warnings = append(t.Warnings, err.Error())
		return nil
	}
	return err
}

// NoCredentialsError tells that there is nobody to ask AWS as.
type NoCredentialsError struct{ error }

// Unwrap is the cause.
func (e NoCredentialsError) Unwrap() error { return e.error }

func noCredentials(err error) error {
	var role roleError
	if errors.As(err, &role) {
		if role.answered() {
			return role
		}
		return NoCredentialsError{role}
	}
	return NoCredentialsError{fmt.Errorf("no AWS credentials: %w; give an IAM role in role-to-assume and the job `permissions: id-token: write`, "+
		"or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the step's env", brief(err))}
}

func (c *Client) checkApplication(ctx context.Context, want Request, t *Target) error {
	apps, err := c.Applications(ctx)
	if err != nil {
		return err
	}
	t.NewApp = want.Create && !slices.Contains(apps, want.App)
	if !t.NewApp && !slices.Contains(apps, want.App) {
		return fmt.Errorf("app: no application %q in %s; %s", want.App, c.region, choices("application", want.App, apps))
	}
	return errors.Join(c.checkEnvironments(ctx, want, t), c.checkPlaces(ctx, len(apps), t), c.checkExisting(ctx, want, t), c.checkNew(ctx, want, t))
}

func (c *Client) checkEnvironments(ctx context.Context, want Request, t *Target) error {
	if len(want.Envs) == 0 {
		return nil
	}
	var envs []Environment
	if !t.NewApp {
		var err error
		if envs, err = c.Environments(ctx, want.App); err != nil {
			return err
		}
	}
	names := make([]string, 0, len(envs))
	for _, e := range envs {
		names = append(names, e.Name)
	}
	var problems []error
	for _, name := range want.Envs {
		i := slices.Index(names, name)
		if i < 0 && want.Create {
			d, err := c.newEnvironment(ctx, want, name)
			t.Destinations = append(t.Destinations, d)
			problems = append(problems, err, CheckKind(d.Environment, want.File, want.Kind), c.checkName(ctx, want.App, name))
			continue
		}
		if i < 0 {
			problems = append(problems, fmt.Errorf("env: no environment %q in application %q; %s", name, want.App, choices("environment", name, names)))
			continue
		}
		d := Destination{Environment: envs[i]}
		settings := c.checkSettings(ctx, want, &d, t)
		t.Destinations = append(t.Destinations, d)
		problems = append(problems, checkState(envs[i]), CheckKind(envs[i], want.File, want.Kind), settings)
	}
	return errors.Join(problems...)
}

// checkSettings reads the environment's settings and holds the wanted ones
// against them. Where none are wanted, it goes without.
func (c *Client) checkSettings(ctx context.Context, want Request, d *Destination, t *Target) error {
	d.Secrets = want.Options.Secrets()
	err := c.Reload(ctx, want.App, d)
	switch {
	case err != nil && len(want.Options) > 0:
		return fmt.Errorf("%w; env-vars and option-settings are compared with them, so that only what differs is sent: allow elasticbeanstalk:DescribeConfigurationSettings", err)
	case err != nil:
		t.Warnings = append(t.Warnings, err.Error())
		return nil
	}
	d.Changes = d.Settings.Changes(want.Options)
	warnings, err := c.validate(ctx, want.App, d.Environment.Name, d.Changes, d.Secrets)
	t.Warnings = append(t.Warnings, warnings...)
	return errors.Join(d.Settings.CheckProperties(want.Options), err)
}

func checkState(e Environment) error {
	switch {
	case e.Status == "Terminating":
		return fmt.Errorf("env: environment %q is being terminated", e.Name)
	case e.Tier == "Cluster":
		return fmt.Errorf("env: environment %q is of the tier Cluster, which runs no Docker platform; give one of the tier WebServer or Worker", e.Name)
	}
	return nil
}

// composeFile is a Compose file as a Request names it.
const composeFile = "Compose file"

// retired is a platform of the first Amazon Linux, which has a month in its
// name, as in "64bit Amazon Linux 2018.03 v2.17.0 running Docker 20.10".
var retired = regexp.MustCompile(`Amazon Linux \d{4}\.\d{2} `)

// CheckKind refuses a deploy file that the environment's platform can't run,
// before a version label is used up for it.
func CheckKind(e Environment, file string, kind Kind) error {
	if kind == Docker && e.Kind == Docker && file == composeFile && retired.MatchString(e.Platform) {
		return fmt.Errorf("env: environment %q runs %q, which is retired and does not read %s; move it to \"Docker running on 64bit Amazon Linux 2023\"", e.Name, e.Platform, article(file))
	}
	if kind == Unknown || e.Kind == Unknown || kind == e.Kind {
		return nil
	}
	fix := "an environment of the platform \"Docker\""
	if kind == ECS {
		fix = "an environment of the platform \"ECS\""
	}
	switch e.Kind {
	case Docker:
		fix += ", or deploy a docker-compose.yml"
	case ECS:
		fix += ", or deploy a Dockerrun.aws.json with \"AWSEBDockerrunVersion\": 2"
	}
	return fmt.Errorf("env: environment %q runs %q, which does not take %s; use %s", e.Name, e.Platform, article(file), fix)
}

// article goes before the kind of file that is not a file's name.
func article(file string) string {
	if file == composeFile {
		return "a " + file
	}
	return file
}

func (c *Client) checkExisting(ctx context.Context, want Request, t *Target) error {
	if want.Existing == "" {
		return nil
	}
	if t.NewApp {
		return fmt.Errorf("version-label: application %q is to be created, so it has no version %q", want.App, want.Existing)
	}
	v, err := c.Version(ctx, want.App, want.Existing)
	if err != nil {
		return err
	}
	if v == nil {
		return fmt.Errorf("version-label: application %q has no version %q; to deploy what is in the checkout, give images, or tags and digests", want.App, want.Existing)
	}
	t.Version = v
	_, unknown, err := c.objectHash(ctx, *v)
	switch {
	case err != nil:
		return err
	case unknown == goneBundle(*v):
		return fmt.Errorf("version-label: version %q can't be deployed: %s; to make it anew from the checkout, give images, or tags and digests", want.Existing, unknown)
	}
	return nil
}

// checkNew looks whether the version's label is free, or stands for the same
// content, and whether there is room for one more.
func (c *Client) checkNew(ctx context.Context, want Request, t *Target) error {
	if want.Label == "" {
		return nil
	}
	if !t.NewApp {
		stored, err := c.Holds(ctx, want.App, want.Label, want.Hash)
		if err != nil || stored != nil {
			return err
		}
	}
	quota, err := c.VersionQuota(ctx)
	if err != nil {
		return nil // making the version will tell
	}
	if quota.Full() {
		t.Full = true
		return c.checkRoom(ctx, want, quota)
	}
	if quota.Scarce() && want.Keep == 0 {
		t.Warnings = append(t.Warnings, fmt.Sprintf("there are %s; when none is left, nothing can be deployed: give keep-versions", quota))
	}
	return nil
}

// checkRoom looks whether a version can be deleted for the new one.
func (c *Client) checkRoom(ctx context.Context, want Request, quota Quota) error {
	if want.Keep == 0 {
		return fmt.Errorf("no version can be made: there are %s; give keep-versions to delete old ones, or ask AWS for a higher quota", quota)
	}
	_, old, err := c.old(ctx, Retention{App: want.App, Keep: want.Keep})
	switch {
	case err != nil:
		return fmt.Errorf("no version can be made: there are %s; %w", quota, err)
	case len(old) == 0:
		return fmt.Errorf("no version can be made: there are %s, and keep-versions: %d could delete none of %s: those in use, those that ran before and those of the last two hours stay; "+
			"delete others by hand, or ask AWS for a higher quota", quota, want.Keep, want.App)
	}
	return nil
}
