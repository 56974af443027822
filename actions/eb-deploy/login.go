package ebdeploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/bundle"
)

// loginName is the object that holds the logins. One for all versions: an
// instance that starts later logs in with what holds then.
const loginName = ".dockercfg"

// checkLogin refuses registry-auth without a login.
func (c config) checkLogin() error {
	if !c.RegistryAuth {
		return nil
	}
	if c.ConnectionID != "" {
		return action.BadInput("registry-auth", "is true beside oidc-connection-id, whose login is good for an hour or so; instances that start later need one that stays: give username and password, or auths")
	}
	if c.lacksLogin() && !c.DryRun {
		return action.BadInput("registry-auth", "is true, but there is no login that the instances could have: give username and password, or auths (a secret that is not set is empty). ECR needs none")
	}
	if c.deploysExisting() {
		return action.BadInput("registry-auth", "is true, but version %q is deployed as it is; its bundle says by itself where the logins are", c.VersionLabel)
	}
	return nil
}

func (c config) lacksLogin() bool { return c.Username == "" && c.Auths == "" }

// noticeNoLogin is for a dry run, which plans without secrets too, as in a pull
// request from a fork.
func (c config) noticeNoLogin(r *action.Runner) {
	if c.RegistryAuth && c.lacksLogin() {
		r.Log.Notice("registry-auth: there is no login that the instances could have; a deployment needs one")
	}
}

// place decides where the logins go, which the bundle must know. The account's
// bucket is named after the account.
func (m *materials) place(ctx context.Context, client *beanstalk.Client) error {
	if !m.config.RegistryAuth {
		return nil
	}
	bucket := m.config.BucketName
	if bucket == "" {
		account, err := client.Account(ctx)
		var none beanstalk.NoCredentialsError
		if m.config.DryRun && errors.As(err, &none) {
			account, err = "ACCOUNT", nil
		}
		if err != nil {
			return err
		}
		bucket = beanstalk.AccountBucket(m.config.Region, account)
	}
	m.login = &bundle.Login{Bucket: bucket, Key: path.Join(m.config.folder(), loginName)}
	return nil
}

// refer writes into the bundle where the logins are: into a Dockerrun.aws.json
// itself, and beside a Compose file into the one of version 3.
func refer(login *bundle.Login, file deployFile, from tree, rendered *bundle.Rendered) (companion []byte, err error) {
	if login == nil || rendered.Content == nil {
		return nil, nil
	}
	if file.kind == bundle.Dockerfile {
		return nil, fmt.Errorf("registry-auth: %s: a Dockerfile names no logins: write a %s that builds or names the image", file.path, composeName)
	}
	if file.kind != bundle.Compose {
		rendered.Content, err = login.Write(file.path, rendered.Content)
	} else {
		var own []byte
		own, err = fs.ReadFile(from, dockerrunName)
		if errors.Is(err, fs.ErrNotExist) {
			own, err = nil, nil
		}
		if err == nil {
			companion, err = login.Companion(path.Join(from.name, dockerrunName), own)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("registry-auth: %w", err)
	}
	rendered.Changes = append(rendered.Changes, bundle.Change{What: fmt.Sprintf("logins of the registries are read from s3://%s/%s", login.Bucket, login.Key)})
	return companion, nil
}

// storeLogin puts the logins where the bundle says, once: it is for whoever has
// the turn at an environment, so that an older run writes none over a newer
// one's.
func (s *stock) storeLogin(ctx context.Context) error {
	login := s.plan.login
	if login == nil {
		return nil
	}
	if err := s.take(ctx); err != nil {
		return err
	}
	defer func() { <-s.turn }()
	if s.loggedIn {
		return nil
	}
	content, err := s.plan.credentials.DockerConfig()
	if err != nil {
		return err
	}
	if err := s.makeLoginBucket(ctx); err != nil {
		return err
	}
	at := beanstalk.Stored{Bucket: login.Bucket, Key: login.Key}
	written, err := s.client.StoreLogin(ctx, at, content)
	if err == nil && written {
		s.log.Printf("stored the registries' logins in %s", at.URI())
	}
	s.loggedIn = err == nil
	return err
}

func (s *stock) makeLoginBucket(ctx context.Context) error {
	if s.plan.config.BucketName != "" {
		return s.makeBucket(ctx)
	}
	_, err := s.client.StorageLocation(ctx)
	return err
}

// checkReadable warns where the instances may not be let to the logins: AWS's
// policy for them covers the buckets of Elastic Beanstalk alone.
func (p plan) checkReadable(options beanstalk.Options, found *findings) {
	if p.login == nil || strings.HasPrefix(p.login.Bucket, "elasticbeanstalk-") {
		return
	}
	profile := options.Get("aws:autoscaling:launchconfiguration", "IamInstanceProfile")
	found.warn(fmt.Errorf("registry-auth: the instance profile %s must be allowed s3:GetObject on arn:aws:s3:::%s/%s, to read the logins there", profile, p.login.Bucket, p.login.Key))
}
