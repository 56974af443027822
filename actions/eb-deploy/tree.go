package ebdeploy

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/bundle"
)

// What the input bundle says besides the path of a ready zip.
const (
	minimalBundle = "minimal"
	sourceBundle  = "source"
)

// tree is what is deployed from: a folder or a ready zip.
type tree struct {
	fs.FS
	// name is for people, relative to the workspace.
	name string
	// dir is the folder, absolute; ready is the zip instead.
	dir   string
	ready *bundle.Ready
}

func (c config) tree(workspace string) (tree, error) {
	if c.Bundle != minimalBundle && c.Bundle != sourceBundle {
		return c.readyTree(workspace)
	}
	dir, err := c.sourceDir(workspace)
	if err != nil {
		return tree{}, err
	}
	return tree{FS: os.DirFS(dir), name: filepath.ToSlash(c.Source), dir: dir}, nil
}

// readyTree opens the zip that the input bundle names.
func (c config) readyTree(workspace string) (tree, error) {
	var problems []error
	if c.Source != "." {
		problems = append(problems, action.BadInput("source", "%q is not used, since `bundle` is a ready zip: leave it out", c.Source))
	}
	file := absolute(workspace, c.Bundle)
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = action.BadInput("bundle", "%q is neither minimal nor source, and there is no zip of that path in the workspace", shortened(c.Bundle))
	case err != nil:
		err = action.BadInput("bundle", "%w", err)
	case info.IsDir():
		err = action.BadInput("bundle", "%q is a folder; to ship it whole, write `bundle: source` and `source: %s`", c.Bundle, c.Bundle)
	}
	if err != nil {
		return tree{}, errors.Join(append(problems, err)...)
	}
	name := filepath.ToSlash(filepath.Clean(c.Bundle))
	ready, err := bundle.OpenReady(name, file)
	if err := errors.Join(append(problems, err)...); err != nil {
		return tree{}, err
	}
	return tree{FS: ready, name: name, ready: ready}, nil
}

func absolute(workspace, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(workspace, path)
}

// bundle gathers what is to be shipped with a deploy file.
func (t tree) bundle(ctx context.Context, mode string, file deployFile, rendered bundle.Rendered, companion []byte) (*bundle.Bundle, error) {
	of := bundle.Tree{Dir: t.dir, File: file.below, Name: file.name(), Companion: companion}
	if file.merged != nil {
		of.Merged = file.merged.named
	}
	switch {
	case t.ready != nil:
		return t.ready.Bundle(ctx, of, rendered)
	case mode == sourceBundle:
		return bundle.Source(ctx, of, rendered)
	}
	return bundle.Minimal(ctx, of, rendered)
}
