package eblocal

import "context"

// Runner runs the services of one bundle as an instance.
type Runner interface {
	// Start creates and starts what the launch names. It returns when the
	// containers were started, not when they are healthy.
	Start(ctx context.Context, l Launch) error
	// Containers lists an instance's containers, those that exited included.
	Containers(ctx context.Context, instance string) ([]Container, error)
	// Logs returns the last lines of each container's log by service.
	Logs(ctx context.Context, instance string, lines int) (map[string]string, error)
	// Remove removes an instance's containers, networks and volumes.
	Remove(ctx context.Context, instance string) error
	// RemoveAll removes those of every instance of the environment.
	RemoveAll(ctx context.Context) error
}

// Launch is what a Runner starts.
type Launch struct {
	Name    string       // the instance; also the Compose project's name
	Dir     string       // the project directory, which relative paths refer to
	File    string       // the Compose file, absolute
	Env     []string     // NAME=value lines for the Compose run, beside .env
	Images  []string     // to be pulled first
	Build   bool         // a service is built from the bundle
	Warning func(string) // called for what does not stop the launch
}

// Container is the state of one container.
type Container struct {
	Service    string
	State      string         // created, running, restarting, exited, dead …
	ExitCode   int            // of the last run
	OOMKilled  bool           // ended for want of memory
	Restarts   int            // by the engine's restart policy
	Health     string         // of the image's HEALTHCHECK: "", starting, healthy, unhealthy
	Error      string         // the engine's reason when it could not be started
	Ports      map[int]string // container port (TCP) → address on this machine
	StartedRaw string         // when it started last, as the engine writes it; only compared
}
