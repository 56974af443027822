// Command build-push is the action that builds the images of a project's
// services side by side and pushes them together.
package main

import "github.com/guk0/travois/internal/action"

func main() { action.Main(run) }
