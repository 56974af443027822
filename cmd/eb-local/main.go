// Command eb-local is a local Elastic Beanstalk environment: it serves the API,
// S3 and STS on a loopback address and runs on the container engine what is
// deployed to it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "eb-local:", err)
		os.Exit(1)
	}
}
