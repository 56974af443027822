package eblocal

import (
	"context"
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

func (s *Server) infoRequested(c *call) error {
	kind, err := c.required("InfoType")
	if err != nil {
		return err
	}
	if kind != "tail" {
		return invalidValue("InfoType '%s' is not known here: expected tail.", kind)
	}
	return s.named(c)
}

// requestEnvironmentInfo collects the tails of the logs. AWS does so later and
// keeps the client asking; here they are there when it answers.
func (s *Server) requestEnvironmentInfo(c *call) (any, error) {
	if err := s.infoRequested(c); err != nil {
		return nil, err
	}
	s.mu.Lock()
	instances := s.state.Env.instances()
	failed := s.state.Failed
	s.mu.Unlock()

	var infos []info
	if failed != nil {
		i, err := s.putTail(failed.InstanceID, failed.Time, failed.Logs)
		if err != nil {
			return nil, err
		}
		infos = append(infos, i)
	}
	for _, i := range instances {
		logs, err := s.runner.Logs(c.ctx, i.Name, tailLines)
		if err != nil {
			return nil, fmt.Errorf("logs of instance %s: %w", i.ID, err)
		}
		tail, err := s.putTail(i.ID, s.clock.now(), logs)
		if err != nil {
			return nil, err
		}
		infos = append(infos, tail)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Infos = infos
	s.event(event{App: s.opts.App, Env: s.opts.Env, Severity: "INFO", RequestID: c.id,
		Message: "Pulled logs for environment instances."})
	return nil, nil
}

func (s *Server) putTail(instanceID string, at time.Time, logs map[string]string) (info, error) {
	i := info{InstanceID: instanceID, Time: at}
	i.Key = "resources/environments/logs/tail/" + s.id + "/" + instanceID + "/TailLogs-" +
		fmt.Sprint(at.UnixMilli()) + ".txt"
	return i, s.store.put(s.bucket(), i.Key, []byte(formatTail(logs)))
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
	if err := s.infoRequested(c); err != nil {
		return nil, err
	}
	var described []infoDescription
	for _, i := range slices.Clone(s.state.Infos) {
		described = append(described, infoDescription{
			InfoType: "tail", Ec2InstanceID: i.InstanceID, SampleTimestamp: stamp(i.Time),
			Message: "http://" + c.host + "/" + s.bucket() + "/" + i.Key,
		})
	}
	return struct {
		EnvironmentInfo list[infoDescription]
	}{listOf(described)}, nil
}

// rememberFailure keeps the logs of an instance that is about to be removed.
func (s *Server) rememberFailure(ctx context.Context, i *instance) {
	logs, err := s.runner.Logs(ctx, i.Name, tailLines)
	if err != nil {
		logs = map[string]string{"eb-local": "the logs could not be read: " + err.Error()}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Failed = &failure{InstanceID: i.ID, Label: i.Label, Time: s.clock.now(), Logs: logs}
	s.keep()
}
