package ebdeploy

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
)

// run is the action: inputs, plan, preflight, deployment, outputs and summary.
func run(ctx context.Context, r *action.Runner) error {
	return deployment{runner: r, loadAWS: loadAWS}.run(ctx)
}

// loadAWS reads the environment (AWS_*) and the files that every AWS tool
// reads. What the SDK would log goes past the guard of the step's log, so it
// logs nothing; its errors are reported.
func loadAWS(ctx context.Context, region string) (aws.Config, error) {
	return awsconfig.LoadDefaultConfig(ctx, awsconfig.WithRegion(region), awsconfig.WithLogger(logging.Nop{}))
}

// deployment is one run of the action.
type deployment struct {
	runner  *action.Runner
	loadAWS func(ctx context.Context, region string) (aws.Config, error)
}

func (d deployment) run(ctx context.Context) error {
	p, client, err := d.prepare(ctx)
	if err != nil {
		return finish(d.runner, newResult(p, beanstalk.Rejected), err)
	}
	for _, warning := range p.warnings {
		d.runner.Log.Warning(warning)
	}
	if p.config.DryRun {
		return d.preview(ctx, client, p)
	}
	target, err := d.check(ctx, client, p)
	if err != nil {
		return finish(d.runner, newResult(p, beanstalk.Rejected), err)
	}
	p.mask(d.runner.Log, target)
	done, err := newExecution(d.runner.Log, client, p, target).execute(ctx)
	return finish(d.runner, done, err)
}
