// Command test is the action that builds the images of a project's test suites
// and runs them side by side.
package main

import (
	"context"
	"os"
	"strings"

	"github.com/guk0/travois/internal/action"
)

// postSuffix ends the name that the binary has as the action's post entry
// point: what a step that was killed left behind is removed.
const postSuffix = "-post"

func main() {
	action.Main(func(ctx context.Context, r *action.Runner) error {
		if strings.HasSuffix(os.Args[0], postSuffix) {
			return sweep(ctx, r)
		}
		return run(ctx, r)
	})
}
