package eblocal

import (
	"net/http"
	"slices"
	"time"
)

// platformVersion is the AWS platform that an environment here says it is.
type platformVersion struct{ name, version string }

var platforms = map[Platform]platformVersion{
	Docker: {"Docker", "4.0.1"},
	ECS:    {"ECS", "4.0.8"},
}

const operatingSystem = "64bit Amazon Linux 2023"

func (s *Server) solutionStack() string {
	p := platforms[s.opts.Platform]
	return operatingSystem + " v" + p.version + " running " + p.name
}

func (s *Server) platformArn() string {
	p := platforms[s.opts.Platform]
	return "arn:aws:elasticbeanstalk:" + s.opts.Region + "::platform/" + s.platformBranch() + "/" + p.version
}

func (s *Server) platformBranch() string {
	return platforms[s.opts.Platform].name + " running on " + operatingSystem
}

type platformSummary struct {
	PlatformArn                  string
	PlatformOwner                string
	PlatformStatus               string
	PlatformCategory             string
	OperatingSystemName          string
	OperatingSystemVersion       string
	SupportedTierList            list[string]
	SupportedAddonList           list[string]
	PlatformLifecycleState       string
	PlatformVersion              string
	PlatformBranchName           string
	PlatformBranchLifecycleState string
}

type platformFilter struct {
	field    func(platformSummary) string
	operator string
	values   []string
}

var platformFields = map[string]func(platformSummary) string{
	"PlatformName":                 func(p platformSummary) string { return p.PlatformBranchName },
	"PlatformVersion":              func(p platformSummary) string { return p.PlatformVersion },
	"PlatformStatus":               func(p platformSummary) string { return p.PlatformStatus },
	"PlatformBranchName":           func(p platformSummary) string { return p.PlatformBranchName },
	"PlatformLifecycleState":       func(p platformSummary) string { return p.PlatformLifecycleState },
	"PlatformOwner":                func(p platformSummary) string { return p.PlatformOwner },
	"PlatformBranchLifecycleState": func(p platformSummary) string { return p.PlatformBranchLifecycleState },
	"OperatingSystemName":          func(p platformSummary) string { return p.OperatingSystemName },
	"SupportedTier":                func(p platformSummary) string { return p.SupportedTierList.Members[0] },
}

func (s *Server) platform() platformSummary {
	return platformSummary{
		PlatformArn: s.platformArn(), PlatformOwner: "AWSElasticBeanstalk", PlatformStatus: "Ready",
		PlatformCategory:    platforms[s.opts.Platform].name,
		OperatingSystemName: "Amazon Linux", OperatingSystemVersion: "2023",
		SupportedTierList: listOf([]string{"WebServer/Standard"}), PlatformLifecycleState: "Recommended",
		PlatformVersion: platforms[s.opts.Platform].version, PlatformBranchName: s.platformBranch(),
		PlatformBranchLifecycleState: "Supported",
	}
}

func (s *Server) listPlatformVersions(c *call) (any, error) {
	filters, err := c.platformFilters()
	if err != nil {
		return nil, err
	}
	found := []platformSummary{s.platform()}
	for _, f := range filters {
		found = slices.DeleteFunc(found, func(p platformSummary) bool { return !f.matches(p) })
	}
	return struct {
		PlatformSummaryList list[platformSummary]
	}{listOf(found)}, nil
}

func (c *call) platformFilters() ([]platformFilter, error) {
	var filters []platformFilter
	for i, fields := range c.structs("Filters") {
		field, ok := platformFields[fields["Type"]]
		if !ok {
			return nil, invalidValue("Filter type %q: expected one of %v", fields["Type"], sortedKeys(platformFields))
		}
		if op := fields["Operator"]; op != "=" && op != "!=" {
			return nil, invalidValue("Filter operator %q: expected = or !=", op)
		}
		values := c.strings(member("Filters", i+1) + ".Values")
		filters = append(filters, platformFilter{field, fields["Operator"], values})
	}
	return filters, nil
}

func (f platformFilter) matches(p platformSummary) bool {
	return slices.Contains(f.values, f.field(p)) == (f.operator == "=")
}

type platformDescription struct {
	PlatformArn                  string
	PlatformOwner                string
	PlatformName                 string
	PlatformVersion              string
	SolutionStackName            string
	PlatformStatus               string
	DateCreated                  string
	DateUpdated                  string
	PlatformCategory             string
	Description                  string
	OperatingSystemName          string
	OperatingSystemVersion       string
	SupportedTierList            list[string]
	PlatformLifecycleState       string
	PlatformBranchName           string
	PlatformBranchLifecycleState string
}

func (s *Server) describePlatformVersion(c *call) (any, error) {
	if c.str("PlatformArn") != s.platformArn() {
		return nil, &apiError{http.StatusBadRequest, "ElasticBeanstalkServiceException",
			"No Platform found for ARN '" + c.str("PlatformArn") + "'."}
	}
	p := s.platform()
	since := stamp(time.Date(2023, 9, 28, 0, 0, 0, 0, time.UTC))
	return struct{ PlatformDescription platformDescription }{platformDescription{
		PlatformArn: p.PlatformArn, PlatformOwner: p.PlatformOwner, PlatformName: p.PlatformBranchName,
		PlatformVersion: p.PlatformVersion, SolutionStackName: s.solutionStack(), PlatformStatus: p.PlatformStatus,
		DateCreated: since, DateUpdated: since, PlatformCategory: p.PlatformCategory, Description: s.solutionStack(),
		OperatingSystemName: p.OperatingSystemName, OperatingSystemVersion: p.OperatingSystemVersion,
		SupportedTierList: p.SupportedTierList, PlatformLifecycleState: p.PlatformLifecycleState,
		PlatformBranchName: p.PlatformBranchName, PlatformBranchLifecycleState: p.PlatformBranchLifecycleState,
	}}, nil
}
