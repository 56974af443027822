// Package buildpush is the action that builds the images of a project's
// services side by side and pushes them together.
package buildpush

import "github.com/guk0/travois/internal/action"

// Main is the action's process. It does not return.
func Main() { action.Main(run) }

// Post is the process of the action's post entry point: a builder that a killed
// step left behind is removed. It does not return.
func Post() { action.Main(sweep) }
