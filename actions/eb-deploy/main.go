// Package ebdeploy is the action that deploys a set of images to AWS Elastic
// Beanstalk and tells truly how it went.
package ebdeploy

import (
	"runtime/debug"

	"github.com/guk0/travois/internal/action"
)

// heap is what the collector keeps the heap below where it can, in bytes: the
// list of 50,000 files and the parts on their way need about half of it.
const heap = 64 << 20

// Main is the action's process. It does not return.
func Main() {
	debug.SetMemoryLimit(heap)
	action.Main(run)
}
