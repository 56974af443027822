// Command travois-migrate writes the GitHub workflow that does what a
// .travis.yml did, and lists what is left to do.
package main

import "github.com/guk0/travois/internal/migrate/command"

func main() { command.Main() }
