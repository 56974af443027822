package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/compose-spec/compose-go/v2/loader"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/sirupsen/logrus"
	"go.yaml.in/yaml/v3"

	"github.com/guk0/travois/internal/place"
	"github.com/guk0/travois/internal/yamlsource"
)

// Merge is what Compose files are merged from.
type Merge struct {
	// Tree holds the files. Name is what people call it.
	Tree fs.FS
	Name string
	// Files are paths in the tree, merged in their order.
	Files []string
}

// Merged is one Compose file in the place of several.
type Merged struct {
	// Name is what people call it: the names of the files.
	Name string
	// Content is a whole Compose file. Its paths count from the tree's root.
	Content []byte
	// Read are the paths in the tree of all files that went into it.
	Read []string
	// Changes tell which files were read besides those that were named.
	Changes []Change

	spots spots
}

// Compose merges files as `docker compose -f a -f b config --no-interpolate`
// does, by the same library: extends and include are followed, !reset and
// !override obeyed, and variables left for the environment's properties. Paths
// count from the first file's folder. What a file says that no other changes
// stays as it is written there, comments included. The error reports what is
// wrong with each file, with its line.
func (m Merge) Compose(ctx context.Context) (Merged, error) {
	g := newGathering(m)
	g.all()
	if err := errors.Join(g.problems...); err != nil {
		return Merged{}, err
	}
	model, err := g.model(ctx)
	if err != nil {
		return Merged{}, err
	}
	merged := Merged{Name: g.names(), Read: g.read, Changes: g.changes()}
	for _, verbatim := range []bool{true, false} {
		e := &emission{docs: g.docs, extended: g.extended, verbatim: verbatim, spots: map[*yaml.Node]spot{}, spelt: map[spelling][]any{}}
		if merged.Content, merged.spots, err = e.write(merged.Name, model, g.header()); err == nil {
			return merged, nil
		}
	}
	return Merged{}, fmt.Errorf("internal error: merge %s: %w", merged.Name, err)
}

// Splits tells whether a Compose file takes something from other files, and so
// is to be merged though it is named alone.
func Splits(src []byte) bool {
	d, err := yamlsource.Parse("", src)
	if err != nil {
		return false
	}
	if _, includes := yamlsource.Get(d.Root, "include"); includes {
		return true
	}
	for _, service := range yamlsource.Pairs(yamlsource.Lookup(d.Root, "services")) {
		if yamlsource.Lookup(yamlsource.Lookup(service.Value, "extends"), "file") != nil {
			return true
		}
	}
	return false
}

// model is the files as the library merges them. It reads copies of them in a
// folder of their own, since it knows no other trees than those on disk.
func (g *gathering) model(ctx context.Context) (map[string]any, error) {
	dir, err := os.MkdirTemp("", "travois-merge-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // What is left is small, and in the folder for such.
	if err := g.copyTo(dir); err != nil {
		return nil, err
	}
	folder := path.Dir(g.Files[0])
	details := types.ConfigDetails{WorkingDir: filepath.Join(dir, filepath.FromSlash(folder)), Environment: types.Mapping{}}
	for _, file := range g.Files {
		details.ConfigFiles = append(details.ConfigFiles, types.ConfigFile{Filename: filepath.Join(dir, filepath.FromSlash(file))})
	}
	model, err := loadModel(ctx, details)
	if err != nil {
		return nil, g.located(dir, err)
	}
	spelt, ok := canonical(nil, model, folder)
	if !ok {
		return nil, place.At(g.names(), 0, errors.New("can't be merged"))
	}
	return spelt.(map[string]any), nil
}

func loadModel(ctx context.Context, details types.ConfigDetails) (model map[string]any, err error) {
	// The library merges before it checks, and takes some wrong types for
	// impossible.
	defer func() {
		if r := recover(); r != nil {
			model, err = nil, fmt.Errorf("a key has a value of another type than it takes: %v", r)
		}
	}()
	logrus.SetOutput(io.Discard) // the library's warnings are about Compose itself
	return loader.LoadModelWithContext(ctx, details, func(o *loader.Options) {
		o.SetProjectName("travois", true)
		o.SkipInterpolation, o.SkipNormalization, o.SkipDefaultValues, o.SkipValidation = true, true, true, true
		o.ResolvePaths = false
	})
}

// header says in the bundle where the file comes from.
func (g *gathering) header() string {
	var names []string
	for _, file := range g.read {
		names = append(names, strings.Trim(strconv.Quote(file), `"`))
	}
	return "# merged from " + strings.Join(names, ", ") + "\n"
}
