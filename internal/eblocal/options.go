package eblocal

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"
)

// Platform is the kind of environment: what its bundles look like.
type Platform string

// The two platforms that can be served.
const (
	// Docker runs a docker-compose.yml or a Dockerrun.aws.json of version 1.
	Docker Platform = "docker"
	// ECS runs a Dockerrun.aws.json of version 2.
	ECS Platform = "ecs"
)

const (
	defaultRegion        = "us-east-1"
	defaultHealthTimeout = 60 * time.Second
	// A container that fails at start mostly does so within its first seconds; on
	// a busy machine its runtime takes some of them to come up.
	defaultSettle = 6 * time.Second
	defaultWatch  = 5 * time.Second
	loopback      = "127.0.0.1:0"
)

// Options describe a Server and the environment that it starts with.
type Options struct {
	App string // application name, 1–100 characters
	Env string // environment name, 4–40 letters, digits and hyphens

	Platform Platform // Docker when empty
	Region   string   // us-east-1 when empty
	StateDir string   // where versions, bundles and events are kept; required

	// EnvVars are environment properties, which every start sets anew.
	EnvVars map[string]string
	// EnvListen is the address of the environment itself. When empty, the
	// address of the last start is taken again, else a free loopback port.
	EnvListen string

	HealthTimeout time.Duration // how long a new instance may take to be healthy; 60 s when 0
	Settle        time.Duration // how long it must have been healthy to be trusted; 6 s when 0
	Watch         time.Duration // the pause between two looks at the instance in service; 5 s when 0

	Log     io.Writer // gets each event as a line; nil for none
	Environ []string  // where the engine's client finds PATH, HOME, DOCKER_HOST
	Runner  Runner    // runs instances; Docker Compose when nil

	// Transport is how instances are asked; TCP when nil.
	Transport http.RoundTripper
	// Listen opens the environment's own address; on TCP when nil.
	Listen func(network, address string) (net.Listener, error)

	Quotas Quotas // of the account; AWS's own where 0

	Speed     float64       // how much faster than this machine's the server's time passes; 1 when 0
	ClockSkew time.Duration // how far the server's clock is ahead
	Faults    Faults        // what goes wrong; nothing when zero
}

// Quotas are how many of each an account may have.
type Quotas struct{ Applications, Versions, Environments int }

func (q Quotas) withDefaults() Quotas {
	return Quotas{cmp.Or(q.Applications, 75), cmp.Or(q.Versions, 1000), cmp.Or(q.Environments, 200)}
}

var (
	envNamePattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9-]{2,38}[A-Za-z0-9]$`)
	propertyName   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.:/+@-]*$`)
)

// withDefaults fills what was left empty and reports everything that is wrong.
func (o Options) withDefaults() (Options, error) {
	if o.Platform == "" {
		o.Platform = Docker
	}
	if o.Region == "" {
		o.Region = defaultRegion
	}
	if o.Speed == 0 {
		o.Speed = 1
	}
	o.Quotas = o.Quotas.withDefaults()
	if o.Listen == nil {
		o.Listen = net.Listen
	}
	o.HealthTimeout = orDuration(o.HealthTimeout, defaultHealthTimeout)
	o.Settle = orDuration(o.Settle, defaultSettle)
	o.Watch = orDuration(o.Watch, defaultWatch)
	if o.Log == nil {
		o.Log = io.Discard
	}
	if err := o.validate(); err != nil {
		return o, err
	}
	dir, err := filepath.Abs(o.StateDir)
	if err != nil {
		return o, fmt.Errorf("state directory %q: %w", o.StateDir, err)
	}
	o.StateDir = dir
	return o, nil
}

func (o Options) validate() error {
	var errs []error
	if n := len(o.App); n < 1 || n > 100 || strings.Contains(o.App, "/") {
		errs = append(errs, fmt.Errorf("app %q: expected 1 to 100 characters without a slash", o.App))
	}
	if !envNamePattern.MatchString(o.Env) {
		errs = append(errs, fmt.Errorf("env %q: expected 4 to 40 letters, digits and hyphens, with no hyphen at either end", o.Env))
	}
	if o.Platform != Docker && o.Platform != ECS {
		errs = append(errs, fmt.Errorf("platform %q: expected %s or %s", o.Platform, Docker, ECS))
	}
	if o.Speed < 0 {
		errs = append(errs, fmt.Errorf("speed %g: expected a number above 0", o.Speed))
	}
	if o.StateDir == "" {
		errs = append(errs, errors.New("no state directory: name the directory in which versions and events are kept"))
	}
	for _, name := range sortedKeys(o.EnvVars) {
		if !propertyName.MatchString(name) {
			errs = append(errs, fmt.Errorf("environment property %q: expected a name of letters, digits and _.:/+@-", name))
		}
	}
	return errors.Join(errs...)
}

func orDuration(d, otherwise time.Duration) time.Duration {
	if d > 0 {
		return d
	}
	return otherwise
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
