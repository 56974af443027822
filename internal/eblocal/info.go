package eblocal

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
)

const (
	// tailLines is how much of each container's log a tail holds, as on AWS.
	tailLines = 100
	// tailsLast is how long tails are there, as on AWS.
	tailsLast = 15 * time.Minute
)

// info is a tail that was asked for.
type info struct {
	InstanceID string    `json:"instanceId"`
	Time       time.Time `json:"time"`
	Listed     time.Time `json:"listed"` // from when on
	Key        string    `json:"key"`    // in the account's bucket
}

type infoDescription struct {
	InfoType        string
	Ec2InstanceID   string `xml:"Ec2InstanceId"`
	SampleTimestamp string
	Message         string
}

func (s *Server) infoRequested(c *call) (*environment, error) {
	kind, err := c.required("InfoType")
	if err != nil {
		return nil, err
	}
	if kind != "tail" {
		return nil, invalidValue("InfoType '%s' is not known here: expected tail.", kind)
	}
	return s.named(c)
}

// requestEnvironmentInfo collects the tails of the logs. AWS does so later and
// keeps the client asking; here they are there when it answers, or as late as the
// faults have it.
func (s *Server) requestEnvironmentInfo(c *call) (any, error) {
	s.mu.Lock()
	e, err := s.infoRequested(c)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	s.environmentEvent(e, c.id, "requestEnvironmentInfo is starting.")
	late := s.faults.LateLogs
	running := slices.DeleteFunc(e.all(), func(i *instance) bool { return i.Run.Name == "" })
	failed := slices.Clone(e.Failed)
	s.mu.Unlock()

	tails, err := s.tails(c.ctx, running, failed)
	if err != nil {
		return nil, err
	}
	listed := s.clock.now().Add(late)
	var infos []info
	for _, tail := range tails {
		one, err := s.putTail(e, tail)
		if err != nil {
			return nil, err
		}
		one.Listed = listed
		infos = append(infos, one)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addInfos(e, infos)
	if late == 0 {
		s.environmentEvent(e, c.id, pulled)
		return nil, nil
	}
	s.keep()
	s.runs.Go(func() {
		if sleep(s.ctx, s.clock.wall(late)) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.environmentEvent(e, c.id, pulled)
		}
	})
	return nil, nil
}

const pulled = "Pulled logs for environment instances."

// environmentEvent records what is done with an environment beside updates; the
// caller holds the lock.
func (s *Server) environmentEvent(e *environment, requestID, message string) {
	s.event(event{App: e.App, Env: e.Name, EnvID: e.ID, Severity: "INFO", RequestID: requestID, Message: message})
}

// tails are the logs by instance: those that failures left, and those of what
// runs. On an instance whose deployment failed they are one.
func (s *Server) tails(ctx context.Context, running []*instance, failed []failure) ([]failure, error) {
	var all []failure
	for _, f := range failed {
		if !slices.ContainsFunc(running, func(i *instance) bool { return i.ID == f.InstanceID }) {
			all = append(all, f)
		}
	}
	for _, i := range running {
		s.mu.Lock()
		name := i.Run.Name
		s.mu.Unlock()
		logs, err := s.runner.Logs(ctx, name, tailLines)
		if err != nil {
			return nil, fmt.Errorf("logs of %s: %w", name, err)
		}
		for _, f := range failed {
			if f.InstanceID != i.ID {
				continue
			}
			for service, text := range f.Logs {
				logs[service] = text + logs[service]
			}
		}
		all = append(all, failure{InstanceID: i.ID, Time: s.clock.now(), Logs: logs})
	}
	return all, nil
}

// addInfos keeps tails beside those of earlier requests, as AWS does for a while;
// the caller holds the lock.
func (s *Server) addInfos(e *environment, infos []info) {
	old := s.clock.now().Add(-tailsLast)
	e.Infos = slices.DeleteFunc(e.Infos, func(i info) bool {
		return i.Listed.Before(old) || slices.ContainsFunc(infos, func(o info) bool { return o.Key == i.Key })
	})
	e.Infos = append(e.Infos, infos...)
}

func (s *Server) putTail(e *environment, f failure) (info, error) {
	i := info{InstanceID: f.InstanceID, Time: f.Time}
	i.Key = "resources/environments/logs/tail/" + e.ID + "/" + f.InstanceID + "/TailLogs-" +
		fmt.Sprint(f.Time.UnixMilli()) + ".txt"
	return i, s.store.put(s.bucket(), i.Key, []byte(formatTail(f.Logs)))
}

// formatTail lays out the logs as the platform's own tail does.
func formatTail(logs map[string]string) string {
	const rule = "----------------------------------------\n"
	var b strings.Builder
	for _, service := range sortedKeys(logs) {
		b.WriteString(rule + "/var/log/eb-docker/containers/eb-current-app/" + service + "-stdouterr.log\n" + rule)
		b.WriteString(strings.TrimRight(logs[service], "\n") + "\n\n")
	}
	return b.String()
}

func (s *Server) retrieveEnvironmentInfo(c *call) (any, error) {
	e, err := s.infoRequested(c)
	if err != nil {
		return nil, err
	}
	var described []infoDescription
	for _, i := range e.Infos { // the latest last, as on AWS
		if i.Listed.After(s.clock.now()) {
			continue
		}
		described = append(described, infoDescription{
			InfoType: "tail", Ec2InstanceID: i.InstanceID, SampleTimestamp: stamp(i.Time),
			Message: "http://" + c.host + "/" + s.bucket() + "/" + i.Key,
		})
	}
	return struct {
		EnvironmentInfo list[infoDescription]
	}{listOf(described)}, nil
}
