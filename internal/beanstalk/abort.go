package beanstalk

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
)

// Abort asks Elastic Beanstalk to take an update back that is under way. It
// tells whether there was one that can be aborted.
func (m *Monitor) Abort(ctx context.Context, env string) (bool, error) {
	now, err := m.client.Environment(ctx, m.app, env)
	if err != nil || !now.Abortable {
		return false, err
	}
	_, err = m.client.eb.AbortEnvironmentUpdate(ctx, &elasticbeanstalk.AbortEnvironmentUpdateInput{EnvironmentName: &env})
	if err != nil {
		return false, failed(err, "abort the update of environment %q", env)
	}
	return true, nil
}

// inFlight is how long a request for an update may go on after the run was
// cancelled, so that it is known whether it was accepted.
const inFlight = 3 * time.Second

// outliving is a context that ends a while after its parent.
func outliving(parent context.Context, while time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(parent))
	stop := context.AfterFunc(parent, func() {
		timer := time.AfterFunc(while, cancel)
		context.AfterFunc(ctx, func() { timer.Stop() })
	})
	return ctx, func() {
		stop()
		cancel()
	}
}
