// Package wiretest answers for Elastic Beanstalk, S3 and STS over HTTP in
// memory, so that tests run the real SDK clients. It keeps state: what an
// update sets off is a script of steps in time, which passes with testing/synctest.
package wiretest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Secret is the secret key of the credentials that Config has. No output of a
// deployment may hold it.
const Secret = "wire-secret-word"

// AWS is one account in one region. Its fields are set before it is used.
type AWS struct {
	Region, Account string
	// Apps holds the environments by application.
	Apps map[string][]*Environment
	// Versions holds the labels by application.
	Versions map[string][]*Version
	// Buckets holds objects by bucket and key.
	Buckets map[string]map[string]*Object
	// BucketRegion is the region of a bucket, where it is another.
	BucketRegion map[string]string
	// Roles holds, by ARN, the ID token with which a role can be assumed; "" is
	// one that is assumed with credentials.
	Roles map[string]string
	// VersionQuota is how many versions the account may have; 0 is 1,000.
	VersionQuota int
	// AppQuota and EnvQuota are how many applications and environments it may
	// have; 0 are AWS's own.
	AppQuota, EnvQuota int
	// Stacks are the solution stacks, the newest first as AWS lists them.
	Stacks []string
	// Platforms holds the solution stack, or "", of a platform by its ARN.
	Platforms map[string]string
	// ListsLate is how long a new environment is not listed.
	ListsLate time.Duration
	// Skew is how far this server's clock is ahead.
	Skew time.Duration
	// PageSize is how many events a page has at most, 0 for the constant.
	PageSize int
	// Throttled tells whether to throttle an answer of Elastic Beanstalk.
	Throttled func() bool
	// Latency is how long an answer takes.
	Latency time.Duration
	// Lives is how many requests are answered before every connection breaks, as
	// for a process that is killed; 0 is all. LosesLast carries the last of them
	// out, but breaks its connection too. Died is called at that moment.
	Lives     int
	LosesLast bool
	Died      func()
	// Before is called with each operation before it is carried out.
	Before func(operation string)
	// BetweenPages is called after each page of events.
	BetweenPages func()

	mu       sync.Mutex
	calls    []string
	faults   []*Fault
	requests int
	uploads  map[string]*upload
}

// Version is an application version.
type Version struct {
	Label, Description, Bucket, Key, Status string
	// Made is when it was created.
	Made time.Time
}

// Object is an S3 object.
type Object struct {
	Body []byte
	Meta map[string]string
	// Encryption is what the writer asked for.
	Encryption string
}

// Fault answers an operation with an error, so many times.
type Fault struct {
	// Operation is as Calls has it, such as "UpdateEnvironment" or "HeadBucket".
	Operation string
	// Status 0 is a connection that breaks.
	Status        int
	Code, Message string
	Times         int
	// Late carries the operation out, and then breaks the connection.
	Late bool
}

// New is an account with one application and one environment of it that is
// Ready, Green and runs "old-1" on Docker.
func New() (*AWS, *Environment) {
	env := &Environment{
		ID: "e-abc", Name: "Dockerfullstack-env", Status: "Ready", Health: "Green", HealthStatus: "Ok", Label: "old-1",
		Stack: "64bit Amazon Linux 2023 v4.1.0 running Docker", Tier: "WebServer", CNAME: "fullstack.test",
		Options: [][3]string{
			{"aws:elasticbeanstalk:command", "DeploymentPolicy", "Immutable"},
			{"aws:elasticbeanstalk:command", "Timeout", "600"},
		},
	}
	return &AWS{
		Region: "ap-northeast-2", Account: "957930470982",
		Apps:     map[string][]*Environment{"docker-fullstack": {env}},
		Versions: map[string][]*Version{}, uploads: map[string]*upload{},
		Buckets: map[string]map[string]*Object{"elasticbeanstalk-ap-northeast-2-957930470982": {}},
	}, env
}

// Config points an SDK client here.
func (a *AWS) Config() aws.Config {
	return aws.Config{
		Region:       a.Region,
		Credentials:  credentials.NewStaticCredentialsProvider("wire", Secret, ""),
		BaseEndpoint: aws.String("http://aws.test"),
		HTTPClient:   &http.Client{Transport: a},
	}
}

// Fail makes an operation fail.
func (a *AWS) Fail(f Fault) { a.faults = append(a.faults, &f) }

// Calls are the operations asked for so far, "PutObject", "DescribeEvents", ….
func (a *AWS) Calls() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.calls)
}

// Wrote lists those calls that change something, in order.
func (a *AWS) Wrote() []string {
	return slices.DeleteFunc(a.Calls(), func(call string) bool {
		return strings.HasPrefix(call, "Describe") || strings.HasPrefix(call, "Validate") || strings.HasPrefix(call, "List") || strings.HasPrefix(call, "Head") || strings.HasPrefix(call, "Get") ||
			strings.HasPrefix(call, "Re") && strings.HasSuffix(call, "EnvironmentInfo")
	})
}

// RoundTrip answers a request without a network.
func (a *AWS) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	if a.Latency > 0 {
		time.Sleep(a.Latency)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w := httptest.NewRecorder()
	if a.Lives > 0 && a.requests >= a.Lives {
		return nil, errBroken
	}
	if err := a.serve(w, r); err != nil {
		return nil, err
	}
	if a.Lives > 0 && a.requests == a.Lives {
		if a.Died != nil {
			a.Died()
		}
		if a.LosesLast {
			return nil, errBroken
		}
	}
	return w.Result(), nil
}

// Requests counts those that were answered, attempts that failed included.
func (a *AWS) Requests() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.requests
}

func (a *AWS) now() time.Time { return time.Now().Add(a.Skew) }

func (a *AWS) serve(w http.ResponseWriter, r *http.Request) error {
	a.requests++
	for _, envs := range a.Apps {
		for _, e := range envs {
			e.advance(a.now())
		}
	}
	w.Header().Set("Date", a.now().UTC().Format(http.TimeFormat))
	w.Header().Set("X-Amzn-Requestid", a.requestID())
	scope := r.Header.Get("Authorization")
	switch {
	case strings.Contains(scope, "/s3/aws4_request"):
		return a.serveS3(w, r)
	case scope == "" && r.Method == http.MethodGet:
		return a.serveTail(w, r)
	}
	return a.serveQuery(w, r)
}

func (a *AWS) requestID() string { return fmt.Sprintf("request-%d", a.requests) }

var errBroken = errors.New("connection reset by peer")

// called notes an operation; it gives the fault that waits for it.
func (a *AWS) called(operation string) *Fault {
	a.calls = append(a.calls, operation)
	if a.Before != nil {
		a.Before(operation)
	}
	for _, f := range a.faults {
		if f.Operation == operation && f.Times > 0 {
			f.Times--
			return f
		}
	}
	return nil
}
