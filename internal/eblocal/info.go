package eblocal

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// tailLines is how much of each container's log a tail holds, as on AWS.
const tailLines = 100

// info is a tail that was asked for.
type info struct {
	InstanceID string    `json:"instanceId"`
	Time       time.Time `json:"time"`
	Key        string    `json:"key"` // in the account's bucket
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
// keeps the client asking; here they are there when it answers.
func (s *Server) requestEnvironmentInfo(c *call) (any, error) {
	s.mu.Lock()
	e, err := s.infoRequested(c)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	sources := slices.Clone(e.Failed)
	var running []run
	for _, i := range e.all() {
		if i.Run.Name != "" {
			running = append(running, i.Run)
			sources = append(sources, failure{InstanceID: i.ID, Time: s.clock.now()})
		}
	}
	s.mu.Unlock()

	for n, r := range running {
		logs, err := s.runner.Logs(c.ctx, r.Name, tailLines)
		if err != nil {
			return nil, fmt.Errorf("logs of %s: %w", r.Name, err)
		}
		sources[len(sources)-len(running)+n].Logs = logs
	}
	var infos []info
	for _, f := range sources {
		tail, err := s.putTail(e, f)
		if err != nil {
			return nil, err
		}
		infos = append(infos, tail)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e.Infos = infos
	s.event(event{App: e.App, Env: e.Name, EnvID: e.ID, Severity: "INFO", RequestID: c.id,
		Message: "Pulled logs for environment instances."})
	return nil, nil
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
	for _, i := range e.Infos {
		described = append(described, infoDescription{
			InfoType: "tail", Ec2InstanceID: i.InstanceID, SampleTimestamp: stamp(i.Time),
			Message: "http://" + c.host + "/" + s.bucket() + "/" + i.Key,
		})
	}
	return struct {
		EnvironmentInfo list[infoDescription]
	}{listOf(described)}, nil
}
