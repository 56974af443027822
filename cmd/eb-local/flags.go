package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/guk0/travois/internal/eblocal"
)

// config is the command line.
type config struct {
	eblocal.Options
	listen  string // of the API
	envFile string // where the variables are written
	down    bool   // remove, and serve nothing
}

const usage = `eb-local serves a local Elastic Beanstalk and runs what is deployed to it.
It starts with one environment; others are made with AWS's own tools.

  eb-local --app NAME --env NAME [--platform docker|ecs] [flags]
  eb-local --down --app NAME --env NAME [--state DIR]

It prints the variables that point an AWS client at it, and the environment's address.
It stays in the foreground; what is deployed keeps running when it ends, until --down.

`

// parse reads the command line; getenv finds the place for the state.
func parse(args []string, getenv func(string) string, help io.Writer) (config, error) {
	c := config{}
	var platform string
	var envPort int
	flags := flag.NewFlagSet("eb-local", flag.ContinueOnError)
	flags.SetOutput(help)
	flags.Usage = func() {
		_, _ = io.WriteString(help, usage)
		flags.PrintDefaults()
	}
	flags.StringVar(&c.App, "app", "", "application `name`")
	flags.StringVar(&c.Env, "env", "", "environment `name`")
	flags.StringVar(&platform, "platform", "docker", "docker or ecs")
	flags.StringVar(&c.listen, "listen", "127.0.0.1:0", "`address` of the API; :PORT is on loopback")
	flags.IntVar(&envPort, "env-port", 0, "`port` of the environment on loopback; 0 for that of the last start, or a free one")
	var badVar error
	flags.Func("env-var", "environment property `KEY=VALUE`; may be given more than once", func(line string) error {
		// Not returned: package flag would quote the line, which may be a secret.
		badVar = errors.Join(badVar, c.addEnvVar(line))
		return nil
	})
	flags.Func("env-vars", "`file` of environment properties, KEY=VALUE a line; keeps them off the command line", c.addEnvVars)
	flags.StringVar(&c.StateDir, "state", "", "`directory` of versions, bundles and events (default: one per environment under $XDG_STATE_HOME)")
	flags.StringVar(&c.Region, "region", "us-east-1", "AWS `region` to be in")
	flags.DurationVar(&c.HealthTimeout, "health-timeout", time.Minute, "how long a new instance may take to be healthy")
	flags.Float64Var(&c.Speed, "speed", 1, "how much faster than here time passes for it, for tests")
	flags.DurationVar(&c.ClockSkew, "clock-skew", 0, "how far its clock is ahead, for tests")
	flags.IntVar(&c.Quotas.Versions, "version-quota", 0, "how many application versions there may be, for tests; 0 for AWS's 1000")
	flags.Func("fault", "a way to misbehave, `NAME[=VALUE]`, for tests; may be given more than once; an unknown name lists them", c.Faults.Set)
	flags.StringVar(&c.envFile, "env-file", "", "`file` to write the variables to, once it listens")
	flags.BoolVar(&c.down, "down", false, "remove the containers, networks and volumes of all its environments, and exit")
	if err := flags.Parse(args); err != nil {
		return c, err
	}
	c.Platform = eblocal.Platform(platform)
	return c, errors.Join(badVar, c.complete(envPort, flags.Args(), getenv))
}

func (c *config) addEnvVar(line string) error {
	name, value, ok := strings.Cut(line, "=")
	if !ok || name == "" {
		return errors.New("environment property: expected KEY=VALUE")
	}
	if c.EnvVars == nil {
		c.EnvVars = map[string]string{}
	}
	c.EnvVars[name] = value
	return nil
}

// addEnvVars reads a file; empty lines and those that start with # are left out.
func (c *config) addEnvVars(path string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	number := 0
	for line := range strings.Lines(string(data)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := c.addEnvVar(line); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	return nil
}

// complete fills in what follows from other flags or from the user's environment.
func (c *config) complete(envPort int, rest []string, getenv func(string) string) error {
	if len(rest) > 0 {
		return fmt.Errorf("unexpected argument %q: every option is a flag", rest[0])
	}
	if envPort < 0 || envPort > 65535 {
		return fmt.Errorf("--env-port %d: expected 0 to 65535", envPort)
	}
	if envPort > 0 {
		c.EnvListen = fmt.Sprintf("127.0.0.1:%d", envPort)
	}
	if strings.HasPrefix(c.listen, ":") {
		c.listen = "127.0.0.1" + c.listen
	}
	if c.StateDir != "" || c.App == "" || c.Env == "" {
		return nil
	}
	base := getenv("XDG_STATE_HOME")
	if base == "" && getenv("HOME") != "" {
		base = filepath.Join(getenv("HOME"), ".local", "state")
	}
	if base != "" {
		c.StateDir = filepath.Join(base, "travois", "eb-local", c.App, c.Env)
	}
	return nil
}
