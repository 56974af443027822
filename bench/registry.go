package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
)

// registryCommand makes this program serve a registry out of a folder until it
// is interrupted. It runs in a process of its own: it holds a layer in memory
// while it comes in, and Linux counts the memory of the process that starts a
// program to the program's peak.
const registryCommand = "registry-at"

// serveRegistry prints its address, "127.0.0.1:PORT", and serves.
func serveRegistry(ctx context.Context, dir string) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	blobs := registry.WithBlobHandler(registry.NewDiskBlobHandler(dir))
	server := &http.Server{Handler: registry.New(blobs, registry.Logger(log.New(io.Discard, "", 0)))}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	fmt.Println(listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// startRegistry starts one, and gives its address.
func startRegistry(ctx context.Context, dir string) (address string, end func() error, err error) {
	self, err := os.Executable()
	if err != nil {
		return "", nil, err
	}
	command := exec.CommandContext(ctx, self, registryCommand, dir)
	command.Stderr = os.Stderr
	out, err := command.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := command.Start(); err != nil {
		return "", nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return "", nil, errors.Join(fmt.Errorf("the registry does not start: %w", err), command.Wait())
	}
	end = func() error {
		return errors.Join(command.Process.Signal(os.Interrupt), command.Wait())
	}
	return strings.TrimSpace(line), end, nil
}
