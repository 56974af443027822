package ebdeploy

import (
	"context"
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/bundle"
	"github.com/guk0/travois/internal/place"
)

// mergedFile is what a deploy file is merged of.
type mergedFile struct {
	bundle.Merged
	// named are the paths in the tree that were asked for.
	named []string
}

// deployFile is a file of the tree, with the files in it that it includes or
// extends.
func (t tree) deployFile(ctx context.Context, name string, source []byte) (deployFile, error) {
	file := path.Join(t.name, name)
	kind, err := bundle.DeployFileKind(file, source)
	if kind == bundle.Compose && bundle.Splits(source) {
		return t.mergedFile(ctx, []string{name})
	}
	return deployFile{path: file, below: name, kind: kind, source: source, problem: err}, nil
}

// mergedFile is one file in the place of several.
func (t tree) mergedFile(ctx context.Context, names []string) (deployFile, error) {
	merged, err := bundle.Merge{Tree: t, Name: t.name, Files: names}.Compose(ctx)
	if err != nil {
		return deployFile{}, err
	}
	return deployFile{path: merged.Name, kind: bundle.Compose, source: merged.Content, merged: &mergedFile{merged, names}}, nil
}

// namedFile is what compose-file names.
func (c config) namedFile(ctx context.Context, in tree) ([]deployFile, error) {
	var names []string
	var sources [][]byte
	var problems []error
	for _, file := range c.ComposeFile {
		name, source, err := c.readNamed(in, file)
		if err == nil && slices.Contains(names, name) {
			err = action.BadInput("compose-file", "%q stands there twice", shortened(file))
		}
		if err != nil {
			problems = append(problems, err)
			continue
		}
		names, sources = append(names, name), append(sources, source)
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	if len(names) > 1 {
		file, err := in.severalFiles(ctx, names, sources)
		return file, err
	}
	file, err := in.deployFile(ctx, names[0], sources[0])
	switch {
	case err != nil:
		return nil, err
	case file.kind == "":
		return nil, file.problem
	case file.kind == bundle.Dockerfile:
		return nil, action.BadInput("compose-file", "%q is a Dockerfile: leave compose-file out, name its folder in source, and write `bundle: source`", names[0])
	case file.kind == bundle.DockerrunV3:
		return nil, action.BadInput("compose-file", "%q is a %s, which only accompanies a Compose file; name that", names[0], file.kind)
	}
	return []deployFile{file}, nil
}

// severalFiles merges Compose files.
func (t tree) severalFiles(ctx context.Context, names []string, sources [][]byte) ([]deployFile, error) {
	var problems []error
	for i, name := range names {
		if kind, _ := bundle.DeployFileKind(name, sources[i]); kind != bundle.Compose {
			problems = append(problems, action.BadInput("compose-file", "%q is no Compose file, and only those can be merged: name it alone, or leave it out", name))
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	file, err := t.mergedFile(ctx, names)
	if err != nil {
		return nil, err
	}
	return []deployFile{file}, nil
}

// readNamed reads a file of the tree by the path that the input has for it.
func (c config) readNamed(in tree, file string) (name string, source []byte, err error) {
	if !filepath.IsLocal(file) {
		return "", nil, action.BadInput("compose-file", "%q is not below the folder of the input source", shortened(file))
	}
	name = path.Clean(filepath.ToSlash(file))
	source, err = fs.ReadFile(in, name)
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.ContainsAny(file, " ,"):
		return "", nil, action.BadInput("compose-file", "there is no %q in %q; to have several files merged, write one path a line", shortened(file), in.name)
	case errors.Is(err, fs.ErrNotExist):
		return "", nil, action.BadInput("compose-file", "there is no %q in %q; paths are relative to the input source", shortened(file), in.name)
	case err != nil:
		return "", nil, action.BadInput("compose-file", "%w", err)
	}
	return name, source, nil
}

// at gives an error the place of a line of the file, which may stand in another
// one.
func (f deployFile) at(line int, err error) error {
	if f.merged != nil {
		return f.merged.At(line, err)
	}
	return place.At(f.path, line, err)
}

// placed gives errors about lines of the file the places of those lines.
func (f deployFile) placed(err error) error {
	if f.merged == nil || err == nil {
		return err
	}
	return f.merged.Place(err)
}

// changes tell what was written into the file from others.
func (f deployFile) changes() []bundle.Change {
	if f.merged == nil {
		return nil
	}
	return f.merged.Changes
}
