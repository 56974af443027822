package eblocal

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"
)

// Statuses of a version, as AWS's Standard tier writes them.
const (
	versionUnprocessed = "Unprocessed"
	versionProcessing  = "Processing"
	versionProcessed   = "Processed"
	versionFailed      = "Failed"
)

// version is an application version: a label on a bundle in S3.
type version struct {
	Sequence    int64             `json:"sequence"`
	App         string            `json:"application"`
	Label       string            `json:"label"`
	Description string            `json:"description"`
	Bucket      string            `json:"bucket"`
	Key         string            `json:"key"`
	Status      string            `json:"status"`
	Created     time.Time         `json:"created"`
	Tags        map[string]string `json:"tags,omitempty"`
}

type s3Location struct{ S3Bucket, S3Key string }

type versionDescription struct {
	ApplicationVersionArn string
	ApplicationName       string
	Description           string `xml:",omitempty"`
	VersionLabel          string
	SourceBundle          s3Location
	DateCreated           string
	DateUpdated           string
	Status                string
}

func (s *Server) describeVersion(v *version) versionDescription {
	return versionDescription{
		ApplicationVersionArn: s.arn("applicationversion/" + v.App + "/" + v.Label),
		ApplicationName:       v.App,
		Description:           v.Description,
		VersionLabel:          v.Label,
		SourceBundle:          s3Location{v.Bucket, v.Key},
		DateCreated:           stamp(v.Created),
		DateUpdated:           stamp(v.Created),
		Status:                s.versionStatus(v),
	}
}

var labelPattern = regexp.MustCompile(`^[^/]{1,100}$`)

func (s *Server) createApplicationVersion(c *call) (any, error) {
	v, process, err := s.newVersion(c)
	if err != nil {
		return nil, err
	}
	if s.state.app(v.App) == nil {
		if _, err := s.addApplication(v.App); err != nil {
			return nil, err
		}
	}
	s.state.Versions = append(s.state.Versions, v)
	s.event(event{App: v.App, Label: v.Label, Severity: "INFO", RequestID: c.id,
		Message: "Created new Application Version: " + v.Label})
	answer := s.describeVersion(v)
	if process {
		// The answer is given before processing, as on AWS.
		v.Status = versionProcessing
		answer.Status = s.versionStatus(v)
		s.process(c.id, v)
	}
	return struct {
		ApplicationVersion versionDescription
	}{answer}, nil
}

// newVersion checks what is asked for, in the order in which AWS does.
func (s *Server) newVersion(c *call) (*version, bool, error) {
	app, err := c.required("ApplicationName")
	if err != nil {
		return nil, false, err
	}
	label, err := s.newLabel(c, app)
	if err != nil {
		return nil, false, err
	}
	bundle, err := s.sourceBundle(c)
	if err != nil {
		return nil, false, err
	}
	process, err := c.boolean("Process")
	if err != nil {
		return nil, false, err
	}
	return &version{
		Sequence: s.state.next(), App: app, Label: label, Description: c.str("Description"),
		Bucket: bundle.S3Bucket, Key: bundle.S3Key, Status: versionUnprocessed,
		Created: s.clock.now(), Tags: c.tags(),
	}, process, nil
}

func (s *Server) newLabel(c *call, app string) (string, error) {
	label, err := c.required("VersionLabel")
	if err != nil {
		return "", err
	}
	if !labelPattern.MatchString(label) {
		return "", invalidInput("1 validation error detected: Value '%s' at 'versionLabel' failed to satisfy constraint: Member must have length less than or equal to 100, Member must have length greater than or equal to 1, Member must satisfy regular expression pattern: [^/]+", label)
	}
	create, err := c.boolean("AutoCreateApplication")
	if err != nil {
		return "", err
	}
	if s.state.app(app) == nil && !create {
		return "", invalidValue("No Application named '%s' found.", app)
	}
	if s.state.version(app, label) != nil {
		return "", invalidValue("Application Version %s already exists.", label)
	}
	if q := s.opts.Quotas.Versions; len(s.state.Versions) >= q {
		return "", &apiError{http.StatusBadRequest, "TooManyApplicationVersionsException",
			fmt.Sprintf("You cannot have more than %d Application Versions. Either remove some Application Versions or request a limit increase.", q)}
	}
	return label, nil
}

func (s *Server) sourceBundle(c *call) (s3Location, error) {
	b := s3Location{c.str("SourceBundle.S3Bucket"), c.str("SourceBundle.S3Key")}
	if b.S3Bucket == "" || b.S3Key == "" {
		return b, invalidCombination("Both S3 bucket and key must be specified: the sample application is not available here.")
	}
	if !s.store.exists(b.S3Bucket, b.S3Key) {
		return b, invalidCombination("Unable to download from S3 location (Bucket: %s  Key: %s). Reason: Not Found", b.S3Bucket, b.S3Key)
	}
	return b, nil
}

func (s *Server) describeApplicationVersions(c *call) (any, error) {
	labels := c.strings("VersionLabels")
	var found []*version
	for _, v := range slices.Backward(s.state.Versions) {
		if c.has("ApplicationName") && v.App != c.str("ApplicationName") {
			continue
		}
		if len(labels) > 0 && !slices.Contains(labels, v.Label) {
			continue
		}
		found = append(found, v)
	}
	found, token, err := page(c, 0, found, func(v *version) int64 { return v.Sequence })
	if err != nil {
		return nil, err
	}
	var described []versionDescription
	for _, v := range found {
		described = append(described, s.describeVersion(v))
	}
	return struct {
		ApplicationVersions list[versionDescription]
		NextToken           string `xml:",omitempty"`
	}{listOf(described), token}, nil
}

func (s *Server) namedVersion(c *call) (*version, error) {
	app, err := c.required("ApplicationName")
	if err != nil {
		return nil, err
	}
	label, err := c.required("VersionLabel")
	if err != nil {
		return nil, err
	}
	v := s.state.version(app, label)
	if v == nil {
		return nil, invalidValue("No Application Version named '%s' found.", label)
	}
	return v, nil
}

func (s *Server) updateApplicationVersion(c *call) (any, error) {
	v, err := s.namedVersion(c)
	if err != nil {
		return nil, err
	}
	if c.has("Description") {
		v.Description = c.str("Description")
	}
	s.keep()
	return struct {
		ApplicationVersion versionDescription
	}{s.describeVersion(v)}, nil
}
