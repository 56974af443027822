package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// profileOption is the instance profile, without which Elastic Beanstalk makes
// no environment any more.
var profileOption = Option{Namespace: "aws:autoscaling:launchconfiguration", Name: "IamInstanceProfile"}

// CreateApplication makes an application. One that is there already is left as
// it is.
func (c *Client) CreateApplication(ctx context.Context, name string) error {
	_, err := c.eb.CreateApplication(ctx, &elasticbeanstalk.CreateApplicationInput{ApplicationName: &name})
	if err != nil && !invalid(err, "already exists") {
		return failed(err, "create application %q", name)
	}
	return nil
}

// CreateBucket makes a private bucket in the client's region. One that is the
// account's already is left as it is.
func (c *Client) CreateBucket(ctx context.Context, name string) error {
	in := &s3.CreateBucketInput{Bucket: &name}
	if c.region != "us-east-1" { // which S3 takes for the absence of one
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(c.region)}
	}
	_, err := c.s3.CreateBucket(ctx, in)
	if err != nil && code(err) != "BucketAlreadyOwnedByYou" {
		return failed(err, "create bucket %q", name)
	}
	return nil
}

// stackName is a solution stack such as
// "64bit Amazon Linux 2023 v4.1.0 running Docker".
var stackName = regexp.MustCompile(`^64bit Amazon Linux (2|2023) v(\d+)\.(\d+)\.(\d+) running (Docker|ECS)$`)

// platform is the platform for a new environment: what is asked for by its full
// name or ARN, or else the newest of a kind. Wanted is "Docker", "ECS" or
// empty, which leaves it to the deploy file.
func (c *Client) platform(ctx context.Context, wanted string, kind Kind) (string, Kind, error) {
	if strings.HasPrefix(wanted, "arn:") {
		kind, err := c.platformVersion(ctx, wanted)
		return wanted, kind, err
	}
	stack, err := c.stack(ctx, wanted, kind)
	return stack, PlatformKind(stack, ""), err
}

// platformVersion looks a platform up by its ARN. One of another region or
// account is not there either.
func (c *Client) platformVersion(ctx context.Context, arn string) (Kind, error) {
	out, err := c.eb.DescribePlatformVersion(ctx, &elasticbeanstalk.DescribePlatformVersionInput{PlatformArn: &arn})
	switch {
	case refusesPermission(err):
		return Unknown, fmt.Errorf("%w: allow elasticbeanstalk:DescribePlatformVersion", failed(err, "look up platform %q", arn))
	case err != nil && !Refused(err):
		return Unknown, failed(err, "look up platform %q", arn)
	case err != nil:
		return Unknown, fmt.Errorf("platform: there is no %q in %s (%w); `aws elasticbeanstalk list-platform-versions` lists them", arn, c.region, brief(err))
	case out.PlatformDescription == nil:
		return Unknown, fmt.Errorf("platform: there is no %q in %s; `aws elasticbeanstalk list-platform-versions` lists them", arn, c.region)
	}
	if status := out.PlatformDescription.PlatformStatus; status != "" && status != types.PlatformStatusReady {
		return Unknown, fmt.Errorf("platform: %q is %s; give one that is Ready", arn, status)
	}
	return PlatformKind(aws.ToString(out.PlatformDescription.SolutionStackName), arn), nil
}

// stack is the solution stack by its full name, or the newest of a kind.
func (c *Client) stack(ctx context.Context, wanted string, kind Kind) (string, error) {
	out, err := c.eb.ListAvailableSolutionStacks(ctx, &elasticbeanstalk.ListAvailableSolutionStacksInput{})
	if err != nil {
		return "", failed(err, "look up the platforms in %s", c.region)
	}
	branch := map[string]string{"": map[Kind]string{ECS: "ECS"}[kind], "docker": "Docker", "ecs": "ECS"}
	name, short := branch[strings.ToLower(wanted)]
	if !short {
		if slices.Contains(out.SolutionStacks, wanted) {
			return wanted, nil
		}
		return "", fmt.Errorf("platform: there is no %q in %s; give Docker or ECS for the newest, or the full name of a solution stack or an ARN", wanted, c.region)
	}
	if name == "" {
		name = "Docker"
	}
	newest := newestStack(out.SolutionStacks, name)
	if newest == "" {
		return "", fmt.Errorf("platform: %s has none that runs %s; give the full name of a solution stack", c.region, name)
	}
	return newest, nil
}

func newestStack(stacks []string, name string) string {
	best, bestVersion := "", []int(nil)
	for _, stack := range stacks {
		m := stackName.FindStringSubmatch(stack)
		if m == nil || m[5] != name {
			continue
		}
		var version []int
		for _, part := range m[1:5] {
			n, _ := strconv.Atoi(part)
			version = append(version, n)
		}
		if best == "" || slices.Compare(version, bestVersion) > 0 {
			best, bestVersion = stack, version
		}
	}
	return best
}

// newEnvironment plans an environment that is not there.
func (c *Client) newEnvironment(ctx context.Context, want Request, name string) (Destination, error) {
	d := Destination{New: true, Environment: Environment{Name: name, Application: want.App, Tier: "WebServer"}}
	d.Secrets = c.secrets(ctx, Settings{}, nil).And(want.Options.Secrets())
	d.Settings = newSettings(Options{}.Merge(want.Options))
	d.Settings.replaces = true // instances and a load balancer are started
	d.Changes = Settings{}.Changes(want.Options)
	if want.Options[profileOption] == "" {
		return d, fmt.Errorf(`create: a new environment needs an instance profile; give option-settings {"%s":{"%s":"aws-elasticbeanstalk-ec2-role"}}`, profileOption.Namespace, profileOption.Name)
	}
	if err := d.Settings.CheckProperties(nil); err != nil {
		return d, err
	}
	if want.Existing != "" && want.Platform == "" {
		return d, fmt.Errorf("platform: is empty, and version %q is deployed as it is, so nothing says what environment %q is to run; give Docker, or ECS for a Dockerrun.aws.json of version 2", want.Existing, name)
	}
	var err error
	d.Environment.Platform, d.Environment.Kind, err = c.platform(ctx, want.Platform, want.Kind)
	return d, err
}

// checkPlaces looks whether there is room for the application and the
// environments that are to be made. Making them tells where it can't be looked up.
func (c *Client) checkPlaces(ctx context.Context, apps int, t *Target) error {
	made := 0
	for _, d := range t.Destinations {
		if d.New {
			made++
		}
	}
	if made == 0 && !t.NewApp {
		return nil
	}
	quotas, err := c.quotas(ctx)
	if err != nil {
		return nil //nolint:nilerr // As said.
	}
	var problems []error
	const fix = "delete one that is not needed, or ask AWS for a higher quota"
	if places := (Quota{apps, most(quotas.ApplicationQuota), "applications"}); t.NewApp && places.Full() {
		problems = append(problems, fmt.Errorf("create: the application can't be made: there are %d of %d applications in the region; %s", places.Used, places.Most, fix))
	}
	if made == 0 {
		return errors.Join(problems...)
	}
	all, _, err := c.environments(ctx, &elasticbeanstalk.DescribeEnvironmentsInput{})
	if places := (Quota{len(all) + made - 1, most(quotas.EnvironmentQuota), "environments"}); err == nil && places.Full() {
		problems = append(problems, fmt.Errorf("create: %d to be made, and there are %d of %d environments, which all applications of the account share in the region; %s", made, len(all), places.Most, fix))
	}
	return errors.Join(problems...)
}

// checkName refuses the name of an environment of another application: all of a
// region share them. Making it tells where they can't be listed.
func (c *Client) checkName(ctx context.Context, app, name string) error {
	all, _, err := c.environments(ctx, &elasticbeanstalk.DescribeEnvironmentsInput{EnvironmentNames: []string{name}})
	if err != nil && !refusesPermission(err) {
		return failed(err, "look up environment %q", name)
	}
	for _, e := range all {
		if e.Name == name && e.Application != app {
			return fmt.Errorf("env: environment %q is there already, in application %q; its name is unique in %s: give another one, or that application in app", name, e.Application, c.region)
		}
	}
	return nil
}

// create begins an environment with the version; it counts as an update. The
// follower gets all its events.
func (m *Monitor) create(ctx context.Context, r Rollout, f *follower) (accepted, error) {
	in := &elasticbeanstalk.CreateEnvironmentInput{
		ApplicationName: &m.app, EnvironmentName: &r.Env, VersionLabel: &r.Label,
		Tier: &types.EnvironmentTier{Name: aws.String("WebServer"), Type: aws.String("Standard")},
	}
	if strings.HasPrefix(r.Platform, "arn:") {
		in.PlatformArn = &r.Platform
	} else {
		in.SolutionStackName = &r.Platform
	}
	in.OptionSettings, _ = r.Changes.sent()
	sending, cancel := outliving(ctx, inFlight)
	defer cancel()
	out, err := m.client.eb.CreateEnvironment(sending, in)
	if invalid(err, "already exists") && m.holds(sending, r) {
		say(r.Log, "environment %q is being created with version %s by now; following that", r.Env, r.Label)
		if err := m.followNew(ctx, f); err != nil {
			return accepted{sent: true}, err
		}
		return m.begun(ctx, f, former{})
	}
	if err != nil {
		return accepted{sent: !Refused(err)}, r.hide(failed(err, "create environment %q", r.Env))
	}
	id, _ := awsmiddleware.GetRequestIDMetadata(out.ResultMetadata)
	return accepted{requestID: id, at: time.Now(), sent: true}, m.followNew(ctx, f)
}

// holds tells that an environment which was not there is getting our version by
// now: it is ours, and the answer was lost, or that of a run which does the same.
// Both the environment and its version may show late.
func (m *Monitor) holds(ctx context.Context, r Rollout) bool {
	env, err := m.client.Environment(ctx, m.app, r.Env)
	for end := time.Now().Add(startGrace); errors.Is(err, errGone) && time.Now().Before(end); {
		if m.client.pace.wait(ctx, lookInterval) != nil {
			return false
		}
		env, err = m.client.Environment(ctx, m.app, r.Env)
	}
	return err == nil && (env.VersionLabel == r.Label || env.VersionLabel == "" && env.Status == string(types.EnvironmentStatusLaunching))
}

// followNew is for an environment that has just been begun, and may not be listed
// yet. Nothing of it has been before, so that none of its events counts as seen.
func (m *Monitor) followNew(ctx context.Context, f *follower) error {
	if err := m.take(ctx); err != nil {
		return err
	}
	defer m.release()
	if m.events == nil {
		_, now, err := m.client.environment(ctx, m.app, f.env)
		if err != nil && !errors.Is(err, errGone) {
			return err
		}
		m.events = m.client.newEventLog(m.app, m.names, now)
	}
	f.since, f.fresh, f.round = m.events.now.Add(-overlap), nil, m.round
	m.interval, m.next = 0, time.Now().Add(jittered(shortestInterval))
	m.followers[f] = true
	return nil
}
