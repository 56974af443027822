package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/middleware"
)

// Identity is who the credentials belong to.
type Identity struct {
	// Account is the twelve digits of the AWS account.
	Account string
	// ARN names the user or the assumed role.
	ARN string
}

// Environment is an environment as Elastic Beanstalk describes it.
type Environment struct {
	ID, Name, Application string
	// Status is Launching, Updating, Ready, Terminating, Terminated, …
	Status string
	// Abortable tells that an update is under way that can be aborted.
	Abortable bool
	// Health is Green, Yellow, Red or Grey.
	Health string
	// HealthStatus is the finer health (Ok, Warning, Severe, …), empty with
	// basic health reporting.
	HealthStatus string
	// VersionLabel is the version that Beanstalk holds for the running one.
	VersionLabel string
	// Tier is WebServer, Worker or Cluster.
	Tier string
	// Platform is the solution stack's name, or the platform's ARN.
	Platform string
	Kind     Kind
	// CNAME is the host name of the environment, EndpointURL the address of its
	// load balancer or instance.
	CNAME, EndpointURL string
}

// Terminated tells that the environment is going away, or gone.
func (e Environment) Terminated() bool {
	return e.Status == string(types.EnvironmentStatusTerminating) || e.Status == string(types.EnvironmentStatusTerminated)
}

// URL is the address at which the environment answers, empty when it has none.
func (e Environment) URL() string {
	for _, host := range []string{e.CNAME, e.EndpointURL} {
		if host != "" {
			return "http://" + host + "/"
		}
	}
	return ""
}

// Identity asks STS whose the credentials are.
func (c *Client) Identity(ctx context.Context) (Identity, error) {
	out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, failed(err, "look up whose the AWS credentials are")
	}
	return Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}, nil
}

// Account is the number of the account that the credentials belong to.
func (c *Client) Account(ctx context.Context) (string, error) {
	var t Target
	if err := c.authenticate(ctx, &t); err != nil {
		return "", err
	}
	if t.Identity.Account == "" {
		return "", fmt.Errorf("the account's bucket is not known, since the role may not ask whose it is: %v; give bucket-name", t.Warnings)
	}
	return t.Identity.Account, nil
}

// Applications lists the names of all applications of the region.
func (c *Client) Applications(ctx context.Context) ([]string, error) {
	out, err := c.eb.DescribeApplications(ctx, &elasticbeanstalk.DescribeApplicationsInput{})
	if err != nil {
		return nil, failed(err, "look up the applications in %s", c.region)
	}
	names := make([]string, 0, len(out.Applications))
	for _, app := range out.Applications {
		names = append(names, aws.ToString(app.ApplicationName))
	}
	return names, nil
}

// Environments lists the environments of an application, without those that
// are terminated.
func (c *Client) Environments(ctx context.Context, app string) ([]Environment, error) {
	envs, _, err := c.environments(ctx, &elasticbeanstalk.DescribeEnvironmentsInput{ApplicationName: &app})
	if err != nil {
		return nil, failed(err, "look up the environments of application %q", app)
	}
	return envs, nil
}

// Environment describes one environment.
func (c *Client) Environment(ctx context.Context, app, name string) (Environment, error) {
	env, _, err := c.environment(ctx, app, name)
	return env, err
}

// environment also gives the server's time, which is what events are dated by.
func (c *Client) environment(ctx context.Context, app, name string) (Environment, time.Time, error) {
	envs, at, err := c.environments(ctx, &elasticbeanstalk.DescribeEnvironmentsInput{
		ApplicationName: &app, EnvironmentNames: []string{name},
	})
	if err != nil {
		return Environment{}, at, failed(err, "look up environment %q", name)
	}
	if len(envs) == 0 {
		return Environment{}, at, gone(app, name)
	}
	return envs[0], at, nil
}

var errGone = errors.New("is gone")

func gone(app, env string) error {
	return fmt.Errorf("environment %q of application %q %w", env, app, errGone)
}

func (c *Client) environments(ctx context.Context, in *elasticbeanstalk.DescribeEnvironmentsInput) ([]Environment, time.Time, error) {
	in.IncludeDeleted = aws.Bool(false)
	var found []Environment
	for {
		out, err := c.eb.DescribeEnvironments(ctx, in)
		if err != nil {
			return nil, time.Time{}, err
		}
		for _, e := range out.Environments {
			if e.Status != types.EnvironmentStatusTerminated {
				found = append(found, describe(e))
			}
		}
		if aws.ToString(out.NextToken) == "" {
			return found, serverTime(out.ResultMetadata), nil
		}
		in.NextToken = out.NextToken
	}
}

func describe(e types.EnvironmentDescription) Environment {
	env := Environment{
		ID: aws.ToString(e.EnvironmentId), Name: aws.ToString(e.EnvironmentName), Application: aws.ToString(e.ApplicationName),
		Status: string(e.Status), Abortable: aws.ToBool(e.AbortableOperationInProgress), Health: string(e.Health), HealthStatus: string(e.HealthStatus),
		VersionLabel: aws.ToString(e.VersionLabel),
		Platform:     aws.ToString(e.SolutionStackName),
		Kind:         PlatformKind(aws.ToString(e.SolutionStackName), aws.ToString(e.PlatformArn)),
		CNAME:        aws.ToString(e.CNAME), EndpointURL: aws.ToString(e.EndpointURL),
	}
	if env.Platform == "" {
		env.Platform = aws.ToString(e.PlatformArn)
	}
	if e.Tier != nil {
		env.Tier = aws.ToString(e.Tier.Name)
	}
	return env
}

// serverTime is the Date of the answer. The runner's own clock may be off, and
// events are dated by the server's.
func serverTime(meta middleware.Metadata) time.Time {
	if at, ok := awsmiddleware.GetServerTime(meta); ok {
		return at
	}
	return time.Now()
}
