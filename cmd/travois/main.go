// Command travois is the actions in one binary, which is a third of the size
// of three, and travois-migrate for who has an engine and no Go: it is what it
// is called by.
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
	"github.com/guk0/travois/internal/migrate/command"
)

// actions are the entry points that action.yml files name.
var actions = map[string]func(){
	"test":            test.Main,
	"test-post":       test.Post,
	"build-push":      buildpush.Main,
	"build-push-post": buildpush.Post,
	"eb-deploy":       ebdeploy.Main,
}

// commands are what a release's image has beside the actions.
var commands = map[string]func(){"travois-migrate": command.Main}

func main() {
	name := filepath.Base(os.Args[0])
	all := maps.Clone(actions)
	maps.Copy(all, commands)
	run, found := all[name]
	if !found {
		fmt.Fprintf(os.Stderr, "travois: called as %q; it is called by a link to it with one of the names: %s\n",
			name, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
		os.Exit(2)
	}
	run()
}
