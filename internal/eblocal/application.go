package eblocal

import (
	"slices"
	"strings"
)

type applicationDescription struct {
	ApplicationArn         string
	ApplicationName        string
	Description            string `xml:",omitempty"`
	DateCreated            string
	DateUpdated            string
	Versions               list[string]
	ConfigurationTemplates list[string]
}

func (s *Server) describeApplication(a *application) applicationDescription {
	var labels []string
	for _, v := range slices.Backward(s.state.Versions) {
		if v.App == a.Name {
			labels = append(labels, v.Label)
		}
	}
	return applicationDescription{
		ApplicationArn:  s.arn("application/" + a.Name),
		ApplicationName: a.Name,
		Description:     a.Description,
		DateCreated:     stamp(a.Created),
		DateUpdated:     stamp(a.Created),
		Versions:        listOf(labels),
	}
}

func (s *Server) arn(resource string) string {
	return "arn:aws:elasticbeanstalk:" + s.opts.Region + ":" + account + ":" + resource
}

func (s *Server) describeApplications(c *call) (any, error) {
	names := c.strings("ApplicationNames")
	var found []applicationDescription
	for _, a := range s.state.Apps {
		if len(names) == 0 || slices.Contains(names, a.Name) {
			found = append(found, s.describeApplication(a))
		}
	}
	return struct {
		Applications list[applicationDescription]
	}{listOf(found)}, nil
}

func (s *Server) createApplication(c *call) (any, error) {
	name, err := c.required("ApplicationName")
	if err != nil {
		return nil, err
	}
	if s.state.app(name) != nil {
		return nil, invalidValue("Application %s already exists.", name)
	}
	a := s.addApplication(name)
	a.Description, a.Tags = c.str("Description"), c.tags()
	s.event(event{App: name, Severity: "INFO", RequestID: c.id,
		Message: "Created new Application: " + name})
	return struct {
		Application applicationDescription
	}{s.describeApplication(a)}, nil
}

func (s *Server) addApplication(name string) *application {
	a := &application{Name: name, Created: s.clock.now()}
	s.state.Apps = append(s.state.Apps, a)
	return a
}

func (s *Server) checkDNSAvailability(c *call) (any, error) {
	prefix, err := c.required("CNAMEPrefix")
	if err != nil {
		return nil, err
	}
	return struct {
		Available           bool
		FullyQualifiedCNAME string
	}{!strings.EqualFold(prefix, s.opts.Env), strings.ToLower(prefix) + "." + s.opts.Region + ".elasticbeanstalk.com"}, nil
}
