// Command program is what test images run: each argument is one thing to do.
//
//	print=TEXT   writes a line to standard output
//	warn=TEXT    writes a line to standard error
//	env=NAME     writes a variable's value
//	wait=TIME    waits, as 2s
//	serve=TEXT   answers HTTP on port 80 with a text, until it is stopped
//	exit=CODE    ends
package main

import (
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

func main() {
	for _, argument := range os.Args[1:] {
		verb, value, _ := strings.Cut(argument, "=")
		if err := do(verb, value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
}

func do(verb, value string) error {
	switch verb {
	case "print":
		fmt.Println(value)
	case "warn":
		fmt.Fprintln(os.Stderr, value)
	case "env":
		fmt.Println(os.Getenv(value))
	case "wait":
		d, err := time.ParseDuration(value)
		time.Sleep(d)
		return err
	case "serve":
		return http.ListenAndServe(":80", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintln(w, value)
		}))
	case "exit":
		code, err := strconv.Atoi(value)
		if err != nil {
			return err
		}
		os.Exit(code)
	default:
		return fmt.Errorf("unknown verb %q", verb)
	}
	return nil
}
