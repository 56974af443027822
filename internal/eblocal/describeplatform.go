package eblocal

import (
	"net/http"
	"slices"
	"time"
)

type platformSummary struct {
	PlatformArn                  string
	PlatformOwner                string
	PlatformStatus               string
	PlatformCategory             string
	OperatingSystemName          string
	OperatingSystemVersion       string
	SupportedTierList            list[string]
	SupportedAddonList           list[string]
	PlatformLifecycleState       string `xml:",omitempty"`
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

func (s *Server) platform(r release) platformSummary {
	p := platformSummary{
		PlatformArn: s.platformArn(r), PlatformOwner: "AWSElasticBeanstalk", PlatformStatus: "Ready",
		PlatformCategory:    products[r.kind].name,
		OperatingSystemName: "Amazon Linux", OperatingSystemVersion: "2023",
		SupportedTierList: listOf([]string{"WebServer/Standard"}),
		PlatformVersion:   r.version, PlatformBranchName: r.branch(),
		PlatformBranchLifecycleState: "Supported",
	}
	if r == newest(r.kind) {
		p.PlatformLifecycleState = "Recommended"
	}
	return p
}

func (s *Server) listPlatformVersions(c *call) (any, error) {
	filters, err := c.platformFilters()
	if err != nil {
		return nil, err
	}
	var found []platformSummary
	for _, r := range releases() {
		found = append(found, s.platform(r))
	}
	for _, f := range filters {
		found = slices.DeleteFunc(found, func(p platformSummary) bool { return !f.matches(p) })
	}
	return struct {
		PlatformSummaryList list[platformSummary]
	}{listOf(found)}, nil
}

func (c *call) platformFilters() ([]platformFilter, error) {
	var filters []platformFilter
	for i, fields := range c.structs("Filters", "Type", "Operator") {
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
	PlatformLifecycleState       string `xml:",omitempty"`
	PlatformBranchName           string
	PlatformBranchLifecycleState string
}

func (s *Server) describePlatformVersion(c *call) (any, error) {
	all := releases()
	at := slices.IndexFunc(all, func(r release) bool { return c.str("PlatformArn") == s.platformArn(r) })
	if at < 0 {
		return nil, &apiError{http.StatusBadRequest, "ElasticBeanstalkServiceException",
			"No Platform found for ARN '" + c.str("PlatformArn") + "'."}
	}
	p := s.platform(all[at])
	since := stamp(time.Date(2023, 9, 28, 0, 0, 0, 0, time.UTC))
	return struct{ PlatformDescription platformDescription }{platformDescription{
		PlatformArn: p.PlatformArn, PlatformOwner: p.PlatformOwner, PlatformName: p.PlatformBranchName,
		PlatformVersion: p.PlatformVersion, SolutionStackName: all[at].stack(), PlatformStatus: p.PlatformStatus,
		DateCreated: since, DateUpdated: since, PlatformCategory: p.PlatformCategory, Description: all[at].stack(),
		OperatingSystemName: p.OperatingSystemName, OperatingSystemVersion: p.OperatingSystemVersion,
		SupportedTierList: p.SupportedTierList, PlatformLifecycleState: p.PlatformLifecycleState,
		PlatformBranchName: p.PlatformBranchName, PlatformBranchLifecycleState: p.PlatformBranchLifecycleState,
	}}, nil
}
