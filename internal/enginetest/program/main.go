// Command program is what test images run: each argument is one thing to do.
//
//	print=TEXT       writes a line to standard output
//	warn=TEXT        writes a line to standard error
//	env=NAME         writes a variable's value
//	wait=TIME        waits, as 2s
//	serve=TEXT       answers HTTP on port 80 with a text, until it is stopped
//	probe=HOST:PORT  asks HTTP there and writes the answer; fails without one
//	ask=PORT         asks HTTP at the container's gateway; fails unless it is 200
//	lookup=NAME      fails unless a name has an address
//	file=PATH:TEXT   writes a file, with the folders above it
//	read=PATH        writes a file's content
//	stat=PATH        writes a file's mode and owner
//	await=PATH       waits until there is a file
//	link=PATH:TO     makes a symbolic link
//	scan=PACKAGE     lists the packages of an image for BuildKit: one of that name
//	alloc=MB         takes memory, and keeps it
//	flood=BYTES      writes lines of 80 bytes
//	raw=TEXT         writes a quoted Go string, without a line's end
//	signal=NUMBER    sends a signal to itself
//	exit=CODE        ends
//	child=ARGUMENT   does one thing in a process of its own, and ends as that did
package main

import (
	"fmt"
	"os"
	"strings"
)

func main() {
	for _, argument := range os.Args[1:] {
		verb, value, _ := strings.Cut(argument, "=")
		do, known := verbs[verb]
		if !known {
			fmt.Fprintf(os.Stderr, "unknown verb %q\n", verb)
			os.Exit(2)
		}
		if err := do(value); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
	}
}
