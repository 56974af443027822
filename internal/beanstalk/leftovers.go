package beanstalk

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// dropLeftovers ends the uploads in parts to a place that has its object by now.
// A process that was killed leaves one, whose parts S3 keeps and charges for, but
// does not show. Where that is not allowed, or fails, nothing but storage is lost:
// a lifecycle rule of the bucket does the same.
func (c *Client) dropLeftovers(ctx context.Context, at Stored) {
	out, err := c.s3.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: &at.Bucket, Prefix: &at.Key})
	if err != nil {
		return
	}
	for _, one := range out.Uploads {
		if aws.ToString(one.Key) != at.Key {
			continue
		}
		_, err := c.s3.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &at.Bucket, Key: one.Key, UploadId: one.UploadId})
		if err != nil {
			return
		}
	}
}
