package ebdeploy

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/beanstalk"
	"github.com/guk0/travois/internal/bundle"
)

// The names that Elastic Beanstalk reads at the root of a bundle.
const (
	composeName   = "docker-compose.yml"
	dockerrunName = "Dockerrun.aws.json"
	// dockerfileName is read where neither of the others is there.
	dockerfileName = "Dockerfile"
)

// deployFile is a file that says what Elastic Beanstalk is to run.
type deployFile struct {
	// path is for people, relative to the workspace; below is relative to the
	// folder that is deployed from, empty where the file is merged.
	path, below string
	kind        bundle.Kind
	source      []byte
	// merged is what it comes from where that is not one file alone.
	merged *mergedFile
	// problem is what keeps the file from being of its kind. The renderer
	// reports it too, with all else that is wrong.
	problem error
}

// name is the file's name in the bundle.
func (f deployFile) name() string {
	switch f.kind {
	case bundle.Compose:
		return composeName
	case bundle.Dockerfile:
		return dockerfileName
	}
	return dockerrunName
}

// platform is the kind of environment that takes the file.
func (f deployFile) platform() beanstalk.Kind {
	if f.kind == bundle.DockerrunV2 {
		return beanstalk.ECS
	}
	return beanstalk.Docker
}

// sourceDir is the tree that is deployed from, absolute.
func (c config) sourceDir(workspace string) (string, error) {
	dir := absolute(workspace, c.Source)
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", action.BadInput("source", "there is no folder %q in the workspace; is actions/checkout a step before this one?", c.Source)
	case err != nil:
		return "", action.BadInput("source", "%w", err)
	case !info.IsDir():
		return "", action.BadInput("source", "%q is no folder; name the folder here and the file in compose-file", c.Source)
	}
	return dir, nil
}

// deployFiles finds what there is to deploy: one file, or a Compose file and a
// Dockerrun.aws.json v2, between which the environment's platform decides. What
// can be checked further is returned beside an error.
func (c config) deployFiles(ctx context.Context, in tree) ([]deployFile, error) {
	if len(c.ComposeFile) > 0 {
		return c.namedFile(ctx, in)
	}
	var found []deployFile
	var problems []error
	for _, name := range []string{composeName, dockerrunName} {
		source, err := fs.ReadFile(in, name)
		switch {
		case err == nil:
			file, err := in.deployFile(ctx, name, source)
			if err != nil {
				problems = append(problems, err)
				break
			}
			found = append(found, file)
		case !errors.Is(err, fs.ErrNotExist):
			problems = append(problems, err)
		}
	}
	if len(found)+len(problems) == 0 {
		return c.dockerfile(ctx, in)
	}
	found, err := withoutCompanions(found)
	return found, errors.Join(append(problems, err)...)
}

// dockerfile is what is deployed where there is no other deploy file: Elastic
// Beanstalk builds it on the instances.
func (c config) dockerfile(ctx context.Context, in tree) ([]deployFile, error) {
	source, err := fs.ReadFile(in, dockerfileName)
	missing := in.nothingToDeploy()
	switch {
	case errors.Is(err, fs.ErrNotExist) || err == nil && len(in.near()) > 0:
		return nil, missing
	case err != nil:
		return nil, err
	}
	file, err := in.deployFile(ctx, dockerfileName, source)
	if err == nil && in.ready == nil && c.Bundle != sourceBundle {
		err = action.BadInput("bundle", "%s is a Dockerfile, which Elastic Beanstalk builds on the instances from the files around it: write `bundle: source`; or, to deploy images that build-push has made, write a %s", file.path, composeName)
	}
	if err != nil {
		return nil, err
	}
	return []deployFile{file}, nil
}

// withoutCompanions leaves what can be deployed by itself. Beside a Compose
// file, version 3 of Dockerrun.aws.json belongs to it, and version 1 is not
// read by the platform. One that is no Dockerrun.aws.json at all is an error.
func withoutCompanions(found []deployFile) ([]deployFile, error) {
	if len(found) == 0 {
		return nil, nil
	}
	last := found[len(found)-1]
	switch {
	case last.kind == bundle.Compose || last.kind == bundle.DockerrunV2:
		return found, nil
	case len(found) == 2:
		return found[:1], last.problem
	case last.kind == "":
		return nil, last.problem
	case last.kind == bundle.DockerrunV3:
		return nil, errors.Join(last.problem, fmt.Errorf("%s: a %s only accompanies a %s, which is missing", last.path, last.kind, composeName))
	}
	return found, nil
}

// nothingToDeploy names the files that were probably meant.
func (t tree) nothingToDeploy() error {
	input := "source"
	if t.ready != nil {
		input = "bundle"
	}
	text := fmt.Sprintf("there is neither %s nor %s in %q", composeName, dockerrunName, t.name)
	if t.ready != nil && t.ready.Wrapper() != "" {
		folder := t.ready.Wrapper()
		return action.BadInput(input, "%s; all in it is below the folder %q, and Elastic Beanstalk reads the file only at the root: make the zip of what is in the folder, as `cd %s && zip -r ../app.zip .`", text, folder, folder)
	}
	if near := t.near(); len(near) > 0 {
		return action.BadInput(input, "%s; there is %s: name it in compose-file", text, strings.Join(near, ", "))
	}
	return action.BadInput(input, "%s; name the folder of the deploy file here, or the file in compose-file", text)
}

// near are the files that were probably meant, quoted.
func (t tree) near() []string {
	entries, err := fs.ReadDir(t, ".")
	if err != nil {
		return nil // reading the deploy file tells why
	}
	var near []string
	for _, entry := range entries {
		name := strings.ToLower(entry.Name())
		if !entry.IsDir() && (strings.Contains(name, "compose") || strings.HasPrefix(name, "dockerrun")) {
			near = append(near, fmt.Sprintf("%q", entry.Name()))
		}
	}
	return near
}

// choose picks the file that the environment's platform takes.
func choose(files []deployFile, platform beanstalk.Kind) deployFile {
	i := slices.IndexFunc(files, func(f deployFile) bool { return f.platform() == platform })
	return files[max(i, 0)]
}
