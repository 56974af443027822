// Command local-registry stands in for Docker Hub when a pipeline is tried on
// one machine: anybody may pull, its one account may push.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/guk0/travois/internal/registry/registrytest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "local-registry:", err)
		os.Exit(1)
	}
}

// settings are the command line.
type settings struct{ listen, addressFile, username, passwordFile, state string }

func parse(args []string) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("local-registry", flag.ContinueOnError)
	flags.StringVar(&s.listen, "listen", "127.0.0.1:5000", "loopback `address`; port 0 takes a free one")
	flags.StringVar(&s.addressFile, "address-file", "", "`file` that gets the address once it listens")
	flags.StringVar(&s.username, "username", "guk0", "`name` of the account")
	flags.StringVar(&s.passwordFile, "password-file", "", "`file` that holds its password; required")
	flags.StringVar(&s.state, "state", "", "`folder` for the images' layers; required")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.passwordFile == "" || s.state == "" {
		return s, errors.New("--password-file and --state are required")
	}
	return s, nil
}

// run serves until the context ends.
func run(ctx context.Context, args []string) error {
	s, err := parse(args)
	if err != nil {
		return err
	}
	password, err := os.ReadFile(s.passwordFile)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.state, 0o755); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return err
	}
	if s.addressFile != "" {
		if err := os.WriteFile(s.addressFile, []byte(listener.Addr().String()+"\n"), 0o644); err != nil {
			return err
		}
	}
	blobs := registry.WithBlobHandler(registry.NewDiskBlobHandler(s.state))
	server := &http.Server{
		ReadHeaderTimeout: 10 * time.Second,
		Handler:           registrytest.New(s.username, strings.TrimSpace(string(password)), s.username+"/", blobs),
	}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	if err := server.Serve(listener); ctx.Err() == nil {
		return err
	}
	return nil
}
