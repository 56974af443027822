package ebdeploy

import (
	"context"

	"github.com/guk0/travois/internal/action"
)

// CreateInputs say whether what is missing is made.
type CreateInputs struct {
	Create   bool   `env:"CREATE" envDefault:"false"`
	Platform string `env:"PLATFORM"`
}

func (i CreateInputs) checkCreate() error {
	if i.Platform != "" && !i.Create {
		return action.BadInput("platform", "is that of a new environment, and create is not true; an environment that is there keeps its platform")
	}
	return nil
}

// makeNew makes what the new environment needs before it.
func (r *rollout) makeNew(ctx context.Context) error {
	err := r.stock.storeLogin(ctx)
	if err == nil {
		_, err = r.stock.ensure(ctx)
	}
	if err == nil {
		err = r.stock.claim(ctx, r.turn(r.plan.label))
	}
	if err == nil {
		say(r.log, "creating environment %s on %s", r.done.name, r.target.Environment.Platform)
	}
	return err
}

// platform is that of an environment which is to be made.
func (r *rollout) platform() string {
	if !r.target.New {
		return ""
	}
	return r.target.Environment.Platform
}

// makePlace makes the application and the bucket that a version needs.
func (s *stock) makePlace(ctx context.Context) error {
	if s.target.NewApp {
		if err := s.client.CreateApplication(ctx, s.plan.config.App); err != nil {
			return err
		}
		s.log.Printf("created application %s", s.plan.config.App)
	}
	return s.makeBucket(ctx)
}

// makeBucket makes the bucket that was missing, once: the registries' logins
// need it before the bundle does.
func (s *stock) makeBucket(ctx context.Context) error {
	if !s.target.NewBucket {
		return nil
	}
	if err := s.client.CreateBucket(ctx, s.plan.config.BucketName); err != nil {
		return err
	}
	s.target.NewBucket = false
	s.log.Printf("created bucket %s", s.plan.config.BucketName)
	return nil
}
