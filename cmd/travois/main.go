// Command travois is the actions in one binary, which is a third of the size
// of three: the name that it is called by is the action's.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	buildpush "github.com/guk0/travois/actions/build-push"
	ebdeploy "github.com/guk0/travois/actions/eb-deploy"
	"github.com/guk0/travois/actions/test"
)

// actions are the entry points that action.yml files name.
var actions = map[string]func(){
	"test":            test.Main,
	"test-post":       test.Post,
	"build-push":      buildpush.Main,
	"build-push-post": buildpush.Post,
	"eb-deploy":       ebdeploy.Main,
}

func main() {
	name := filepath.Base(os.Args[0])
	run, found := actions[name]
	if !found {
		fmt.Fprintf(os.Stderr, "travois: called as %q; it is called by a link to it with an action's name: %s\n",
			name, strings.Join(slices.Sorted(maps.Keys(actions)), ", "))
		os.Exit(2)
	}
	run()
}
