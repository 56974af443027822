package eblocal

import (
	"net/http"
	"slices"
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
		DateUpdated:     stamp(a.Updated),
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
	a, err := s.addApplication(name)
	if err != nil {
		return nil, err
	}
	a.Description, a.Tags = c.str("Description"), c.tags()
	s.event(event{App: name, Severity: "INFO", RequestID: c.id,
		Message: "Created new Application: " + name})
	return struct {
		Application applicationDescription
	}{s.describeApplication(a)}, nil
}

func (s *Server) addApplication(name string) (*application, error) {
	if len(s.state.Apps) >= s.opts.Quotas.Applications {
		return nil, &apiError{http.StatusBadRequest, "TooManyApplicationsException", "You already have the maximum number of applications."}
	}
	now := s.clock.now()
	a := &application{Name: name, Created: now, Updated: now}
	s.state.Apps = append(s.state.Apps, a)
	return a, nil
}

func (s *Server) namedApplication(c *call) (*application, error) {
	name, err := c.required("ApplicationName")
	if err != nil {
		return nil, err
	}
	a := s.state.app(name)
	if a == nil {
		return nil, invalidValue("No Application named '%s' found.", name)
	}
	return a, nil
}

func (s *Server) updateApplication(c *call) (any, error) {
	a, err := s.namedApplication(c)
	if err != nil {
		return nil, err
	}
	if c.has("Description") {
		a.Description = c.str("Description")
	}
	a.Updated = s.clock.now()
	s.keep()
	return struct {
		Application applicationDescription
	}{s.describeApplication(a)}, nil
}

// deleteApplication deletes an application with its versions, whose bundles stay
// in S3.
func (s *Server) deleteApplication(c *call) (any, error) {
	a, err := s.namedApplication(c)
	if err != nil {
		return nil, err
	}
	force, err := c.boolean("TerminateEnvByForce")
	if err != nil {
		return nil, err
	}
	running := slices.DeleteFunc(s.state.envs(), func(e *environment) bool { return e.App != a.Name || e.Status == statusTerminating })
	for _, e := range running {
		if !force || e.Status != statusReady {
			return nil, &apiError{http.StatusBadRequest, "OperationInProgressFailure",
				"Unable to delete application " + a.Name + " because it has running environments: " + e.Name + "."}
		}
	}
	for _, e := range running {
		s.terminate(e, c.id)
	}
	s.state.Versions = slices.DeleteFunc(s.state.Versions, func(v *version) bool { return v.App == a.Name })
	s.state.Apps = slices.DeleteFunc(s.state.Apps, func(o *application) bool { return o == a })
	s.event(event{App: a.Name, Severity: "INFO", RequestID: c.id, Message: "The application has been deleted successfully."})
	return nil, nil
}
