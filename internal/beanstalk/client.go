// Package beanstalk owns the talk with AWS Elastic Beanstalk, and with S3 and
// STS as far as a deployment needs them: looking up what is there, uploading a
// bundle, making an application version, updating an environment, following
// its events, and the verdict on how it ended.
package beanstalk

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticbeanstalk"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	// partSize is the least that S3 takes for a part, uploadedAtOnce how many
	// parts are in memory. A bundle has 100 parts at most.
	partSize       = 5 << 20
	uploadedAtOnce = 3
	// abortTime is for taking back the parts of an upload that failed, also one
	// that failed because the run was cancelled.
	abortTime = 20 * time.Second
)

// inParts uploads with a SHA-256 for each part, which S3 checks and keeps.
func inParts(checksums aws.RequestChecksumCalculation) func(*transfermanager.Options) {
	return func(o *transfermanager.Options) {
		o.PartSizeBytes, o.MultipartUploadThreshold, o.Concurrency = partSize, partSize, uploadedAtOnce
		o.RequestChecksumCalculation, o.ChecksumAlgorithm = checksums, types.ChecksumAlgorithmSha256
		o.FailTimeout = abortTime
	}
}

// Client speaks to one region with one set of credentials.
type Client struct {
	eb          *elasticbeanstalk.Client
	pace        *pace
	s3          *s3.Client
	sts         *sts.Client
	uploads     *transfermanager.Client
	web         aws.HTTPClient
	credentials aws.CredentialsProvider
	region      string
	// elsewhere tells that the endpoint is not AWS.
	elsewhere bool
}

// New makes a client of the configuration. An endpoint set in it (such as by
// AWS_ENDPOINT_URL) holds for all three services, S3 then with the bucket in
// the path, because a local endpoint has no host name for each bucket.
func New(cfg aws.Config) *Client {
	cfg.Retryer = newRetryer
	pace := &pace{}
	checksums := aws.RequestChecksumCalculationWhenSupported
	store := s3.NewFromConfig(cfg, func(o *s3.Options) {
		if o.BaseEndpoint == nil {
			return
		}
		o.UsePathStyle = true
		checksums = aws.RequestChecksumCalculationWhenRequired
		o.RequestChecksumCalculation = checksums
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
	})
	return &Client{
		eb: elasticbeanstalk.NewFromConfig(cfg, func(o *elasticbeanstalk.Options) {
			pace.client, o.HTTPClient = o.HTTPClient, pace
		}),
		pace:        pace,
		s3:          store,
		sts:         sts.NewFromConfig(cfg),
		uploads:     transfermanager.New(store, inParts(checksums)),
		web:         webClient(cfg),
		credentials: cfg.Credentials,
		region:      cfg.Region,
		elsewhere:   cfg.BaseEndpoint != nil,
	}
}
