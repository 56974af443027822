package ebdeploy

import (
	"context"

	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/bundle"
)

// checkExisting holds the deploy file of a version that is there already
// against the platforms of the environments. A bundle that can't be read is not
// judged: another tool may have made it.
func (p plan) checkExisting(ctx context.Context, client *beanstalk.Client, target beanstalk.Target, found *findings) {
	if !p.existing || target.Version == nil {
		return
	}
	for _, d := range target.Destinations {
		names := []string{composeName, dockerrunName}
		if d.Environment.Kind == beanstalk.ECS {
			names = []string{dockerrunName, composeName} // which reads only the first
		}
		name, text, err := client.ReadFile(ctx, *target.Version, names...)
		if err != nil {
			continue
		}
		kind, err := bundle.DeployFileKind(name, text)
		if err != nil {
			continue
		}
		if err := beanstalk.CheckKind(d.Environment, string(kind), deployFile{kind: kind}.platform()); err != nil {
			found.refuse(err)
		}
	}
}
