// Package ebdeploy is the action that deploys a set of images to AWS Elastic
// Beanstalk and tells truly how it went.
package ebdeploy

import "github.com/guk0/travois/internal/action"

// Main is the action's process. It does not return.
func Main() { action.Main(run) }
