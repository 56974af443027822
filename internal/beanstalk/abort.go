package beanstalk

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
)

// Abort asks Elastic Beanstalk to take an update back that is under way. It
// tells whether there was one that can be aborted, and the environment's status
// before.
func (m *Monitor) Abort(ctx context.Context, env string) (aborted bool, status string, err error) {
	now, err := m.client.Environment(ctx, m.app, env)
	if err != nil || !now.Abortable {
		return false, now.Status, err
	}
	_, err = m.client.eb.AbortEnvironmentUpdate(ctx, &elasticbeanstalk.AbortEnvironmentUpdateInput{EnvironmentName: &env})
	if err != nil {
		return false, now.Status, failed(err, "abort the update of environment %q", env)
	}
	return true, now.Status, nil
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
