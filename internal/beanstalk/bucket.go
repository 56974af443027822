package beanstalk

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// StorageLocation is the account's own bucket of Elastic Beanstalk in this
// region. Beanstalk makes it if it is not there yet.
func (c *Client) StorageLocation(ctx context.Context) (string, error) {
	out, err := c.eb.CreateStorageLocation(ctx, &elasticbeanstalk.CreateStorageLocationInput{})
	if err != nil {
		return "", failed(err, "look up the account's Elastic Beanstalk bucket")
	}
	return aws.ToString(out.S3Bucket), nil
}

// AccountBucket is the name of that bucket, without asking.
func AccountBucket(region, account string) string {
	return "elasticbeanstalk-" + region + "-" + account
}

// checkBucket refuses a bucket that is not there, not the account's, or in
// another region than the environment. An account that is not known is not
// compared.
func (c *Client) checkBucket(ctx context.Context, name, account string) error {
	if err := CheckBucket(name); err != nil {
		return fmt.Errorf("bucket-name: %w", err)
	}
	out, err := c.s3.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &name, ExpectedBucketOwner: orNil(account)})
	if err != nil {
		return c.bucketError(name, account, err)
	}
	if region := aws.ToString(out.BucketRegion); region != "" && region != c.region {
		return fmt.Errorf("bucket-name: %q is in %s, but Elastic Beanstalk takes a bundle only from a bucket in %s", name, region, c.region)
	}
	return nil
}

// checkBucketOf lets a bucket be missing that is to be made.
func (c *Client) checkBucketOf(ctx context.Context, want Request, t *Target) error {
	err := c.checkBucket(ctx, want.Bucket, t.Identity.Account)
	var missing missingBucketError
	if want.Create && errors.As(err, &missing) {
		t.NewBucket = true
		return nil
	}
	return err
}

// missingBucketError is a bucket that is not there.
type missingBucketError struct{ error }

// bucketError explains the bare status codes that a HEAD request has instead
// of an error text.
func (c *Client) bucketError(name, account string, err error) error {
	switch status(err) {
	case http.StatusNotFound:
		return missingBucketError{fmt.Errorf("bucket-name: there is no bucket %q; create it in %s, or leave bucket-name empty to use the account's Elastic Beanstalk bucket", name, c.region)}
	case http.StatusForbidden:
		return fmt.Errorf("bucket-name: access to bucket %q is denied: it does not belong to the account%s, or the role lacks s3:ListBucket on it", name, strings.TrimRight(" "+account, " "))
	case http.StatusMovedPermanently, http.StatusBadRequest:
		return fmt.Errorf("bucket-name: %q is in another region, but Elastic Beanstalk takes a bundle only from a bucket in %s", name, c.region)
	}
	return failed(err, "bucket-name: look up bucket %q", name)
}
