package eblocal

import (
	"slices"
)

func (s *Server) deleteApplicationVersion(c *call) (any, error) {
	v, err := s.removableVersion(c)
	if err != nil {
		return nil, err
	}
	bundleToo, err := c.boolean("DeleteSourceBundle")
	if err != nil {
		return nil, err
	}
	if bundleToo {
		if err := s.store.remove(v.Bucket, v.Key); err != nil {
			return nil, &apiError{400, "SourceBundleDeletionFailure", err.Error()}
		}
	}
	s.state.Versions = slices.DeleteFunc(s.state.Versions, func(o *version) bool { return o == v })
	s.event(event{App: v.App, Label: v.Label, Severity: "INFO", RequestID: c.id,
		Message: "Deleted Application Version: " + v.Label})
	return nil, nil
}

func (s *Server) removableVersion(c *call) (*version, error) {
	v, err := s.namedVersion(c)
	if err != nil {
		return nil, err
	}
	for _, e := range s.state.envs() {
		if e.App == v.App && e.uses(v.Label) {
			return nil, invalidValue("Unable to delete application version %s: it is in use by environment %s.", v.Label, e.Name)
		}
	}
	return v, nil
}
