package eblocal

import (
	"errors"
	"strings"
)

// versionStatus is a status as the API writes it: mostly as in the model.
func (s *Server) versionStatus(v *version) string {
	if s.faults.UpperCase {
		return strings.ToUpper(v.Status)
	}
	return v.Status
}

// process ends the processing of a version, at once or later; the caller holds
// the lock.
func (s *Server) process(requestID string, v *version) {
	if s.faults.Processing == 0 {
		s.processed(requestID, v)
		return
	}
	later := s.clock.wall(s.faults.Processing)
	s.keep()
	s.runs.Go(func() {
		if !sleep(s.ctx, later) {
			return // the next start takes it up
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.processed(requestID, v)
	})
}

var errProcessing = errors.New("the configuration could not be read")

// processed validates a bundle's own configuration, which is all that AWS does.
func (s *Server) processed(requestID string, v *version) {
	v.Status = versionProcessed
	data, err := s.store.get(v.Bucket, v.Key)
	if err == nil {
		err = checkConfiguration(data, v.Key)
	}
	if s.faults.FailProcessing {
		err = errProcessing
	}
	if err != nil {
		v.Status = versionFailed
		s.event(event{App: v.App, Label: v.Label, Severity: "ERROR", RequestID: requestID,
			Message: "Failed to process application version " + v.Label + ": " + err.Error()})
	}
	s.keep()
}
