package eblocal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// inspected is the part of docker inspect that is needed.
type inspected struct {
	Name         string
	RestartCount int
	State        struct {
		Status    string
		ExitCode  int
		OOMKilled bool
		Error     string
		StartedAt string
		Health    *struct{ Status string }
	}
	Config          struct{ Labels map[string]string }
	NetworkSettings struct {
		Ports map[string][]struct{ HostIP, HostPort string }
	}
}

// Containers lists the instance's containers.
func (r *composeRunner) Containers(ctx context.Context, instance string) ([]Container, error) {
	all, err := r.inspect(ctx, instance)
	if err != nil {
		return nil, fmt.Errorf("list containers of %s: %w", instance, err)
	}
	var containers []Container
	for _, c := range all {
		containers = append(containers, c.container())
	}
	return containers, nil
}

func (r *composeRunner) inspect(ctx context.Context, instance string) ([]inspected, error) {
	ids, err := r.list(ctx, instance, "ps", "-aq")
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	out, err := r.run(ctx, nil, append([]string{"docker", "inspect", "--type", "container"}, ids...)...)
	if err != nil && !strings.Contains(err.Error(), "No such") {
		return nil, err // else one went away in between: the others are listed
	}
	var all []inspected
	if err := json.Unmarshal([]byte(out), &all); err != nil {
		return nil, fmt.Errorf("docker inspect: %w", err)
	}
	return all, nil
}

func (c inspected) container() Container {
	out := Container{
		Service: c.Config.Labels["com.docker.compose.service"],
		State:   c.State.Status, ExitCode: c.State.ExitCode, OOMKilled: c.State.OOMKilled,
		Restarts: c.RestartCount, Error: c.State.Error, StartedRaw: c.State.StartedAt, Ports: map[int]string{},
	}
	if c.State.Health != nil {
		out.Health = c.State.Health.Status
	}
	for port, bindings := range c.NetworkSettings.Ports {
		number, protocol, _ := strings.Cut(port, "/")
		n, err := strconv.Atoi(number)
		if err == nil && protocol == "tcp" && len(bindings) > 0 {
			out.Ports[n] = "127.0.0.1:" + bindings[0].HostPort
		}
	}
	return out
}

// Logs returns the ends of the containers' logs by service.
func (r *composeRunner) Logs(ctx context.Context, instance string, lines int) (map[string]string, error) {
	all, err := r.inspect(ctx, instance)
	if err != nil {
		return nil, err
	}
	logs := map[string]string{}
	for _, c := range all {
		service := c.Config.Labels["com.docker.compose.service"]
		text, err := r.output(ctx, nil, true, "docker", "logs", "--tail", strconv.Itoa(lines), strings.TrimPrefix(c.Name, "/"))
		if err != nil {
			text = "the log could not be read: " + err.Error()
		}
		logs[service] += text
	}
	return logs, nil
}

// Remove removes an instance.
func (r *composeRunner) Remove(ctx context.Context, instance string) error {
	return r.clear(ctx, instance)
}

// RemoveAll removes every instance of the environment.
func (r *composeRunner) RemoveAll(ctx context.Context) error { return r.clear(ctx, "") }

// clear goes by labels and not by the project's file, which may be gone.
func (r *composeRunner) clear(ctx context.Context, instance string) error {
	kinds := []struct{ list, remove []string }{
		{[]string{"ps", "-aq"}, []string{"docker", "rm", "-f", "-v"}},
		{[]string{"network", "ls", "-q"}, []string{"docker", "network", "rm"}},
		{[]string{"volume", "ls", "-q"}, []string{"docker", "volume", "rm", "-f"}},
	}
	var errs []error
	for _, kind := range kinds {
		ids, err := r.list(ctx, instance, kind.list...)
		if err == nil && len(ids) > 0 {
			_, err = r.run(ctx, nil, append(kind.remove, ids...)...)
		}
		if err != nil && !strings.Contains(err.Error(), "No such") {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// list lists ids by label: of an instance, or of all of the environment.
func (r *composeRunner) list(ctx context.Context, instance string, command ...string) ([]string, error) {
	args := append([]string{"docker"}, command...)
	args = append(args, "--filter", "label="+labelEnv+"="+r.id)
	if instance != "" {
		args = append(args, "--filter", "label="+labelInstance+"="+instance)
	}
	out, err := r.run(ctx, nil, args...)
	return strings.Fields(out), err
}

// lastLines is the end of what a command said, on one line: what it calls errors
// if it does, else everything.
func lastLines(text string) string {
	const keep = 4
	lines := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	var said, failed []string
	for _, line := range lines {
		line = strings.TrimSpace(line)
		if line == "" || slices.Contains(said, line) {
			continue
		}
		said = append(said, line)
		if strings.HasPrefix(strings.ToLower(line), "error") {
			failed = append(failed, line)
		}
	}
	if len(failed) > 0 {
		said = failed
	}
	return strings.Join(said[max(0, len(said)-keep):], " · ")
}
