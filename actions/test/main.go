// Package test is the action that builds the images of a project's test suites
// and runs them side by side.
package test

import "github.com/guk0/travois/internal/action"

// Main is the action's process. It does not return.
func Main() { action.Main(run) }

// Post is the process of the action's post entry point: what a step that was
// killed left behind is removed. It does not return.
func Post() { action.Main(sweep) }
