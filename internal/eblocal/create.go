package eblocal

import (
	"net/http"
	"strings"
)

func (s *Server) createEnvironment(c *call) (any, error) {
	e, u, err := s.newEnvironment(c)
	if err != nil {
		return nil, err
	}
	if err := s.open(e); err != nil {
		return nil, err
	}
	s.state.Envs = append(s.state.Envs, e)
	s.updateEvent(u, "INFO", "createEnvironment is starting.")
	s.updateEvent(u, "INFO", "Using "+s.bucket()+" as Amazon S3 storage bucket for environment data.")
	e.Status, e.Accepted = statusLaunching, s.clock.now()
	answer := s.describeEnvironment(e)
	answer.EndpointURL, answer.CNAME = "", "" // known later, as on AWS
	if u.version.Label == "" {
		s.updateEvent(u, "WARN", "No version is given, and the sample application is not available here: nothing is run.")
		s.updateEvent(u, "INFO", "Successfully launched environment: "+e.Name)
		s.ready(e)
		return answer, nil
	}
	s.updateEvent(u, "INFO", "Waiting for EC2 instances to launch. This may take a few minutes.")
	e.Before = &snapshot{RequestID: c.id, Settings: e.Settings, Version: e.Version}
	e.Label = u.version.Label
	s.start(u)
	return answer, nil
}

// newEnvironment checks what is asked for.
func (s *Server) newEnvironment(c *call) (*environment, update, error) {
	u := update{requestID: c.id, kind: created, newLabel: true}
	app, err := c.required("ApplicationName")
	if err != nil {
		return nil, u, err
	}
	name, err := s.freeName(c)
	if err != nil {
		return nil, u, err
	}
	if s.state.app(app) == nil {
		return nil, u, invalidValue("No Application named '%s' found.", app)
	}
	platform, err := s.askedPlatform(c)
	if err != nil {
		return nil, u, err
	}
	settings, err := c.newSettings(nil)
	if err != nil {
		return nil, u, err
	}
	if c.has("VersionLabel") {
		if u.version, err = s.deployable(app, c.str("VersionLabel")); err != nil {
			return nil, u, err
		}
	}
	e := s.environment(app, name, platform, "e-"+randomHex(5))
	e.Description, e.Tags, e.Settings, e.HealthStatus = c.str("Description"), c.tags(), settings, "Pending"
	if c.has("CNAMEPrefix") {
		e.Prefix = c.str("CNAMEPrefix")
	}
	u.env = e
	return e, u, nil
}

// freeName checks the names that an environment must have for itself.
func (s *Server) freeName(c *call) (string, error) {
	name, err := c.required("EnvironmentName")
	if err != nil {
		return "", err
	}
	if !envNamePattern.MatchString(name) {
		return "", invalidValue("Value %s at 'EnvironmentName' failed to satisfy constraint: Member must be from 4 to 40 characters in length. The name can contain only letters, numbers, and hyphens. It can't start or end with a hyphen.", name)
	}
	if c.has("TemplateName") || c.has("Tier.Name") && c.str("Tier.Name") != "WebServer" {
		return "", invalidCombination("Configuration templates and tiers other than WebServer are not known here.")
	}
	if s.state.env(name) != nil {
		return "", invalidValue("Environment %s already exists.", name)
	}
	if prefix := c.str("CNAMEPrefix"); prefix != "" && s.taken(prefix) {
		return "", invalidValue("DNS name (%s) is not available.", s.fqdn(prefix))
	}
	if len(s.state.envs()) >= s.opts.Quotas.Environments {
		return "", &apiError{http.StatusBadRequest, "TooManyEnvironmentsException", "You already have the maximum number of environments."}
	}
	return name, nil
}

func (s *Server) taken(prefix string) bool {
	for _, e := range s.state.envs() {
		if strings.EqualFold(prefix, e.Prefix) {
			return true
		}
	}
	return false
}

func (s *Server) fqdn(prefix string) string {
	return strings.ToLower(prefix) + "." + s.opts.Region + ".elasticbeanstalk.com"
}

func (s *Server) checkDNSAvailability(c *call) (any, error) {
	prefix, err := c.required("CNAMEPrefix")
	if err != nil {
		return nil, err
	}
	return struct {
		Available           bool
		FullyQualifiedCNAME string
	}{!s.taken(prefix), s.fqdn(prefix)}, nil
}
