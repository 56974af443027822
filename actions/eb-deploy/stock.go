package ebdeploy

import (
	"context"
	"fmt"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
)

// stock makes sure of the version, once for all environments: only when the
// first of them needs it, and again for the next one where that failed.
type stock struct {
	log    *action.Log
	client *beanstalk.Client
	plan   plan
	// turn is held by whoever looks or uploads. It is no mutex, so that an
	// environment's deadline also ends the wait for it.
	turn   chan struct{}
	stored *beanstalk.Stored
	target beanstalk.Target
	// loggedIn tells that the registries' logins are stored.
	loggedIn bool
}

// newStock has the version already where an existing one is deployed.
func newStock(log *action.Log, client *beanstalk.Client, p plan, target beanstalk.Target) *stock {
	return &stock{log: log, client: client, plan: p, stored: target.Version, target: target, turn: make(chan struct{}, 1)}
}

func (s *stock) take(ctx context.Context) error {
	select {
	case s.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("wait for the upload of version %q: %w", s.plan.label, ctx.Err())
	}
}

// found is the version, zero where it is not known to be there.
func (s *stock) found() beanstalk.Stored {
	s.turn <- struct{}{}
	defer func() { <-s.turn }()
	if s.stored == nil {
		return beanstalk.Stored{}
	}
	return *s.stored
}

// holds looks whether the version is there with this content.
func (s *stock) holds(ctx context.Context) (bool, error) {
	if err := s.take(ctx); err != nil {
		return false, err
	}
	defer func() { <-s.turn }()
	if s.stored != nil {
		return true, nil
	}
	stored, err := s.client.Holds(ctx, s.plan.config.App, s.plan.label, s.plan.hash)
	if err == nil && stored != nil && stored.Gone {
		// Instances that start later need it.
		_, err = s.make(ctx)
		return err == nil, err
	}
	s.stored = stored
	return stored != nil, err
}

// ensure makes the version where it is not there.
func (s *stock) ensure(ctx context.Context) (beanstalk.Stored, error) {
	if err := s.take(ctx); err != nil {
		return beanstalk.Stored{}, err
	}
	defer func() { <-s.turn }()
	if s.stored != nil {
		return *s.stored, nil
	}
	return s.make(ctx)
}

// claim notes at a version that this run has not made that it brings it to the
// environment. It takes one at a time: they are noted at one place.
func (s *stock) claim(ctx context.Context, turn beanstalk.Turn) error {
	if err := s.take(ctx); err != nil {
		return err
	}
	defer func() { <-s.turn }()
	if s.stored != nil && s.stored.Created {
		return nil
	}
	err := s.client.Claim(ctx, s.plan.config.App, turn)
	if err != nil && beanstalk.Refused(err) {
		s.log.Warning(fmt.Errorf("%w; an older run that comes later may overwrite it: allow elasticbeanstalk:UpdateApplicationVersion", err))
		return nil
	}
	return err
}

func (s *stock) make(ctx context.Context) (beanstalk.Stored, error) {
	if err := s.makePlace(ctx); err != nil {
		return beanstalk.Stored{}, err
	}
	bucket := s.plan.config.BucketName
	if bucket == "" {
		var err error
		if bucket, err = s.client.StorageLocation(ctx); err != nil {
			return beanstalk.Stored{}, err
		}
	}
	if err := s.makeRoom(ctx); err != nil {
		return beanstalk.Stored{}, err
	}
	stored, err := s.client.EnsureVersion(ctx, s.plan.bundleIn(bucket))
	if err != nil {
		return beanstalk.Stored{}, err
	}
	s.stored = &stored
	s.log.Printf("%s", storedLine(s.plan.label, stored))
	return stored, nil
}

// makeRoom deletes old versions where the quota is used up. It fails where there
// is no room all the same, before a bundle is uploaded for nothing.
func (s *stock) makeRoom(ctx context.Context) error {
	if !s.target.Full {
		return nil
	}
	s.plan.prune(ctx, s.client, s.log, s.target.Running(), nil)
	quota, err := s.client.VersionQuota(ctx)
	if err != nil || !quota.Full() {
		return nil // making the version will tell
	}
	return fmt.Errorf("no version can be made: there are %s, and keep-versions: %d could delete none: versions in use and those that ran before stay; delete others by hand, or ask AWS for a higher quota",
		quota, s.plan.config.KeepVersions)
}

func storedLine(label string, s beanstalk.Stored) string {
	switch {
	case s.Uploaded && !s.Created:
		return fmt.Sprintf("version %s had lost its bundle; it is at %s again", label, s.URI())
	case s.Uploaded:
		return fmt.Sprintf("created version %s from %s", label, s.URI())
	case s.Created:
		return fmt.Sprintf("created version %s from %s, which was there", label, s.URI())
	}
	return fmt.Sprintf("version %s is there with the same content, %s", label, s.URI())
}
