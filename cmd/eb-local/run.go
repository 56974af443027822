package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/guk0/travois/internal/eblocal"
)

const (
	headerTimeout = 10 * time.Second
	// Requests in flight get this long when it is told to end.
	shutdownTimeout = 5 * time.Second
)

func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	c, err := parse(args, lookup(environ), stderr)
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	if err != nil {
		return err
	}
	c.Environ, c.Log = environ, stderr
	if c.down {
		return eblocal.Down(ctx, c.Options)
	}
	return serve(ctx, c, stdout)
}

func lookup(environ []string) func(string) string {
	return func(name string) string {
		for _, line := range environ {
			if value, ok := strings.CutPrefix(line, name+"="); ok {
				return value
			}
		}
		return ""
	}
}

func serve(ctx context.Context, c config, stdout io.Writer) (err error) {
	l, err := net.Listen("tcp", c.listen)
	if err != nil {
		return err
	}
	s, err := eblocal.New(c.Options)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	api := &http.Server{Handler: s.Handler(), ReadHeaderTimeout: headerTimeout}
	done := make(chan error, 1)
	go func() { done <- api.Serve(l) }()
	if err := announce(c, l.Addr(), s.EnvironmentURL(), stdout); err != nil {
		return errors.Join(err, api.Close())
	}
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	return api.Shutdown(end)
}

// announce prints what points a client here, and writes it to the file that was
// asked for. The keys are no secrets: any are taken.
func announce(c config, api net.Addr, environment string, stdout io.Writer) error {
	variables := fmt.Sprintf("AWS_ENDPOINT_URL=%s\nAWS_REGION=%s\nAWS_ACCESS_KEY_ID=local\nAWS_SECRET_ACCESS_KEY=local\n",
		endpoint(api), c.Region)
	text := variables + "environment: " + environment + "\n"
	if _, err := io.WriteString(stdout, text); err != nil {
		return err
	}
	if c.envFile == "" {
		return nil
	}
	return writeWhole(c.envFile, variables+"# environment: "+environment+"\n")
}

// endpoint is the API's address as a client on this machine reaches it.
func endpoint(addr net.Addr) string {
	tcp, ok := addr.(*net.TCPAddr)
	if ok && tcp.IP.IsUnspecified() {
		return fmt.Sprintf("http://127.0.0.1:%d", tcp.Port)
	}
	return "http://" + addr.String()
}

// writeWhole writes a file at once, so that who waits for it never reads a part.
func writeWhole(path, text string) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".eb-local-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = io.WriteString(f, text)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}
