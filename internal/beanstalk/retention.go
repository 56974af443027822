package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk/types"
)

// Retention says which versions of an application stay.
type Retention struct {
	App string
	// Keep is how many stay, the newest; those in use stay beside.
	Keep int
	// Spare are labels that stay in any case, such as the way back.
	Spare []string
	// Unsure are environments of which the caller does not know what ran before:
	// where their events don't tell either, the newest version that is older than
	// the running one stays.
	Unsure []string
	// Bundles tells that the S3 objects go with their versions.
	Bundles bool

	// now is the server's time.
	now time.Time
}

// fresh is how old a version is at least that is deleted: a run that has just made
// one may be about to deploy it.
const fresh = 2 * time.Hour

// maxDeletions bounds a run: what is left goes with the next one. Elastic
// Beanstalk's own lifecycle deletes as many at a time.
const maxDeletions = 100

// Prune deletes versions beyond those that stay, the oldest first. Those that an
// environment of the application runs or is getting stay, the one that ran there
// before, as far as its events tell, and those of the last two hours. One that
// Elastic Beanstalk does not delete is part of the error and keeps none of the
// others. It gives the labels that are gone.
func (c *Client) Prune(ctx context.Context, r Retention, log io.Writer) ([]string, error) {
	all, old, err := c.old(ctx, r)
	if err != nil {
		return nil, err
	}
	var gone []string
	var problems []error
	for _, v := range old {
		bundle := r.Bundles && !shared(v, all)
		_, err := c.eb.DeleteApplicationVersion(ctx, &elasticbeanstalk.DeleteApplicationVersionInput{
			ApplicationName: v.ApplicationName, VersionLabel: v.VersionLabel, DeleteSourceBundle: &bundle,
		})
		if err != nil {
			problems = append(problems, failed(err, "delete application version %q", aws.ToString(v.VersionLabel)))
			if !Refused(err) || refusesPermission(err) {
				break
			}
			continue
		}
		say(log, "deleted version %s%s", aws.ToString(v.VersionLabel), map[bool]string{true: " and its bundle"}[bundle])
		gone = append(gone, aws.ToString(v.VersionLabel))
	}
	return gone, errors.Join(problems...)
}

// old are the versions to delete of all that there are, of every application.
func (c *Client) old(ctx context.Context, r Retention) (all, old []types.ApplicationVersionDescription, err error) {
	all, err = c.versions(ctx)
	if err != nil {
		return nil, nil, err
	}
	envs, now, err := c.environments(ctx, &elasticbeanstalk.DescribeEnvironmentsInput{ApplicationName: &r.App})
	if err != nil {
		return nil, nil, failed(err, "look up the environments of application %q", r.App)
	}
	r.now = now
	for _, env := range envs {
		way, err := c.wayBack(ctx, env)
		if err != nil {
			return nil, nil, fmt.Errorf("no version is deleted, since it is not known which ones are to stay: %w", err)
		}
		if len(way) == 0 && slices.Contains(r.Unsure, env.Name) {
			way = r.olderThan(env.VersionLabel, all)
		}
		r.Spare = append(append(r.Spare, env.VersionLabel), way...)
	}
	return all, r.prunable(all), nil
}

// mine are the application's versions, the oldest first.
func (r Retention) mine(all []types.ApplicationVersionDescription) []types.ApplicationVersionDescription {
	mine := slices.DeleteFunc(slices.Clone(all), func(v types.ApplicationVersionDescription) bool { return aws.ToString(v.ApplicationName) != r.App })
	slices.SortStableFunc(mine, func(a, b types.ApplicationVersionDescription) int {
		return aws.ToTime(a.DateCreated).Compare(aws.ToTime(b.DateCreated))
	})
	return mine
}

// olderThan is the label of the version made before one, if there is any.
func (r Retention) olderThan(label string, all []types.ApplicationVersionDescription) []string {
	before := ""
	for _, v := range r.mine(all) {
		if aws.ToString(v.VersionLabel) == label && before != "" {
			return []string{before}
		}
		before = aws.ToString(v.VersionLabel)
	}
	return nil
}

// prunable are the versions to delete, the oldest first.
func (r Retention) prunable(all []types.ApplicationVersionDescription) []types.ApplicationVersionDescription {
	mine := r.mine(all)
	old := mine[:max(0, len(mine)-max(r.Keep, 1))]
	old = slices.DeleteFunc(old, func(v types.ApplicationVersionDescription) bool {
		return slices.Contains(r.Spare, aws.ToString(v.VersionLabel)) || inProgress(v) || r.now.Sub(aws.ToTime(v.DateCreated)) < fresh
	})
	return old[:min(len(old), maxDeletions)]
}

func inProgress(v types.ApplicationVersionDescription) bool {
	status := string(v.Status)
	return strings.EqualFold(status, string(types.ApplicationVersionStatusProcessing)) || strings.EqualFold(status, string(types.ApplicationVersionStatusBuilding))
}

// shared tells that another version, perhaps of another application, has the
// same bundle.
func shared(v types.ApplicationVersionDescription, all []types.ApplicationVersionDescription) bool {
	return slices.ContainsFunc(all, func(other types.ApplicationVersionDescription) bool {
		same := aws.ToString(other.ApplicationName) == aws.ToString(v.ApplicationName) && aws.ToString(other.VersionLabel) == aws.ToString(v.VersionLabel)
		return !same && location(&other) == location(&v)
	})
}

// versions are those of all applications of the region, which share a quota.
func (c *Client) versions(ctx context.Context) ([]types.ApplicationVersionDescription, error) {
	in := &elasticbeanstalk.DescribeApplicationVersionsInput{MaxRecords: aws.Int32(1000)}
	var all []types.ApplicationVersionDescription
	for {
		out, err := c.eb.DescribeApplicationVersions(ctx, in)
		if err != nil {
			return nil, failed(err, "look up the application versions in %s", c.region)
		}
		all = append(all, out.ApplicationVersions...)
		if aws.ToString(out.NextToken) == "" {
			return all, nil
		}
		in.NextToken = out.NextToken
	}
}

// Quota is how many of something the account may have in the region, such as
// application versions, over all its applications. The zero value is one that is
// not known.
type Quota struct {
	Used, Most int
	// Of is what they are, such as "application versions".
	Of string
}

// Full tells that none can be made.
func (q Quota) Full() bool { return q.Most > 0 && q.Used >= q.Most }

// Scarce tells that few are left: less than a twentieth.
func (q Quota) Scarce() bool { return q.Most > 0 && (q.Most-q.Used)*20 < q.Most }

// String is the quota in messages.
func (q Quota) String() string {
	return fmt.Sprintf("%d of %d %s, which all applications of the account share in the region", q.Used, q.Most, q.Of)
}

// quotas looks the account's quotas up. Those that are not told are nil.
func (c *Client) quotas(ctx context.Context) (types.ResourceQuotas, error) {
	out, err := c.eb.DescribeAccountAttributes(ctx, &elasticbeanstalk.DescribeAccountAttributesInput{})
	if err != nil {
		return types.ResourceQuotas{}, failed(err, "look up the account's quotas in %s", c.region)
	}
	if out.ResourceQuotas == nil {
		return types.ResourceQuotas{}, nil
	}
	return *out.ResourceQuotas, nil
}

// VersionQuota looks up how many versions are left.
func (c *Client) VersionQuota(ctx context.Context) (Quota, error) {
	quotas, err := c.quotas(ctx)
	if err != nil || quotas.ApplicationVersionQuota == nil {
		return Quota{}, err
	}
	all, err := c.versions(ctx)
	if err != nil {
		return Quota{}, err
	}
	return Quota{len(all), most(quotas.ApplicationVersionQuota), "application versions"}, nil
}

// most is the quota's number, 0 where it is not told.
func most(quota *types.ResourceQuota) int {
	if quota == nil {
		return 0
	}
	return int(aws.ToInt32(quota.Maximum))
}
