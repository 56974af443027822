package beanstalk

import (
	"bytes"
	"context"
	"io"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// StoreLogin puts a file with logins of registries where instances read it. It
// is encrypted with S3's own key, which needs no permission beside s3:GetObject.
// The same content is not written again. It tells whether it was.
func (c *Client) StoreLogin(ctx context.Context, at Stored, content []byte) (bool, error) {
	same, err := c.holdsLogin(ctx, at, content)
	if err != nil || same {
		return false, err
	}
	_, err = c.s3.PutObject(ctx, &s3.PutObjectInput{
		Bucket: &at.Bucket, Key: &at.Key, Body: bytes.NewReader(content),
		ContentType: aws.String("application/json"), ServerSideEncryption: types.ServerSideEncryptionAes256,
		ChecksumAlgorithm: types.ChecksumAlgorithmSha256,
	})
	if err != nil {
		return false, failed(err, "store the registries' logins in %s", at.URI())
	}
	return true, nil
}

// holdsLogin compares. An object that can't be read is written anew.
func (c *Client) holdsLogin(ctx context.Context, at Stored, content []byte) (bool, error) {
	out, err := c.s3.GetObject(ctx, &s3.GetObjectInput{Bucket: &at.Bucket, Key: &at.Key})
	switch {
	case status(err) == http.StatusNotFound || status(err) == http.StatusForbidden:
		return false, nil
	case err != nil:
		return false, failed(err, "look up the registries' logins in %s", at.URI())
	}
	defer func() { _ = out.Body.Close() }()
	have, err := io.ReadAll(io.LimitReader(out.Body, int64(len(content))+1))
	if err != nil {
		return false, failed(err, "read the registries' logins in %s", at.URI())
	}
	return bytes.Equal(have, content), nil
}
