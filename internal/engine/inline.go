package engine

import (
	"context"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/tonistiigi/fsutil"
	"github.com/tonistiigi/fsutil/types"
)

// inlineName is what a Dockerfile without a file is called on the wire.
const inlineName = "Dockerfile"

// inline is a folder in memory with one Dockerfile.
type inline string

// Walk calls for the file; a target that is another one's name is not there.
func (i inline) Walk(_ context.Context, target string, each fs.WalkDirFunc) error {
	if name := path.Clean("/" + target); name != "/" && name != "/"+inlineName {
		return &os.PathError{Op: "walk", Path: target, Err: fs.ErrNotExist}
	}
	stat := &types.Stat{Path: inlineName, Mode: 0o644, Size: int64(len(i))}
	return each(inlineName, &fsutil.DirEntryInfo{Stat: stat}, nil)
}

func (i inline) Open(name string) (io.ReadCloser, error) {
	if name != inlineName {
		return nil, &os.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return io.NopCloser(strings.NewReader(string(i))), nil
}
