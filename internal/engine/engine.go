// Package engine owns the connection to the Docker Engine and to the BuildKit
// inside it: builds, pushes and containers. Only this package imports their
// clients.
package engine

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/docker/docker/client"
	"github.com/docker/go-connections/tlsconfig"
)

// Engine is a Docker Engine that answers.
type Engine struct {
	// Version is the engine's, as "28.0.4"; Host is its address.
	Version, Host string
	// ContainerdStore tells an engine that keeps images in containerd from one
	// with the classic store, which builds with another exporter and can't push
	// from BuildKit.
	ContainerdStore bool

	// api is the newest version of the API that the engine speaks, which may be
	// newer than the client's.
	api    string
	docker *client.Client
}

// Connect finds the engine by DOCKER_HOST, DOCKER_TLS_VERIFY and
// DOCKER_CERT_PATH as the docker command does. The error says what to do when
// none answers.
func Connect(ctx context.Context, getenv func(string) string) (*Engine, error) {
	host := address(getenv("DOCKER_HOST"))
	options := []client.Opt{client.WithHost(host), client.WithAPIVersionNegotiation()}
	if getenv("DOCKER_TLS_VERIFY") != "" || getenv("DOCKER_CERT_PATH") != "" {
		transport, err := tlsTransport(getenv)
		if err != nil {
			return nil, fmt.Errorf("connect to the Docker engine at %s: %w", host, err)
		}
		options = append([]client.Opt{client.WithHTTPClient(transport)}, options...)
	}
	docker, err := client.NewClientWithOpts(options...)
	if err != nil {
		return nil, fmt.Errorf("input environment DOCKER_HOST: %w", err)
	}
	return meet(ctx, docker, host)
}

// engineWithin is how long an engine may take to say what it is. One that is
// stopped still takes connections.
const engineWithin = time.Minute

var errEngineWithin = fmt.Errorf("it takes connections, and has not answered within %s", engineWithin)

// meet asks an engine what it is.
func meet(ctx context.Context, docker *client.Client, host string) (*Engine, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, engineWithin, errEngineWithin)
	defer cancel()
	info, err := docker.Info(ctx)
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, errEngineWithin) {
		err = cause
	}
	if err != nil {
		return nil, fmt.Errorf("no Docker engine answers at %s: this action needs one; GitHub's ubuntu runners have it, elsewhere start Docker or set DOCKER_HOST: %w", host, err)
	}
	ping, err := docker.Ping(ctx)
	if err != nil {
		return nil, fmt.Errorf("the Docker engine at %s: %w", host, err)
	}
	engine := &Engine{Version: info.ServerVersion, Host: host, api: ping.APIVersion, docker: docker}
	for _, pair := range info.DriverStatus {
		engine.ContainerdStore = engine.ContainerdStore || pair[0] == "driver-type" && strings.HasPrefix(pair[1], "io.containerd.snapshotter")
	}
	return engine, nil
}

// Check tells whether an engine answers, beside other problems.
func Check(ctx context.Context, getenv func(string) string) error {
	engine, err := Connect(ctx, getenv)
	if err != nil {
		return err
	}
	return engine.Close()
}

// Close ends the connection.
func (e *Engine) Close() error { return e.docker.Close() }

// address falls back to the default socket when DOCKER_HOST names one that is
// not there: act mounts the engine's socket at the default path and passes the
// host's variable on.
func address(host string) string {
	if host == "" {
		return client.DefaultDockerHost
	}
	path, isUnix := strings.CutPrefix(host, "unix://")
	if !isUnix || exists(path) || !exists(strings.TrimPrefix(client.DefaultDockerHost, "unix://")) {
		return host
	}
	return client.DefaultDockerHost
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

func tlsTransport(getenv func(string) string) (*http.Client, error) {
	dir := getenv("DOCKER_CERT_PATH")
	config, err := tlsconfig.Client(tlsconfig.Options{
		CAFile: filepath.Join(dir, "ca.pem"), CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem"),
		InsecureSkipVerify: getenv("DOCKER_TLS_VERIFY") == "",
	})
	if err != nil {
		return nil, err
	}
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config}, CheckRedirect: client.CheckRedirect}, nil
}
