package test

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher/ignorefile"
	"github.com/tonistiigi/fsutil"
	fstypes "github.com/tonistiigi/fsutil/types"

	"github.com/guk0/travois/internal/compose"
)

// copied is a file or folder of the workspace that stands at a path in the
// container before it starts, in place of a bind mount.
type copied struct {
	from, to string
	// context is nil but for a build context. That is in the image already, for
	// the most part: only what the container lacks right below the folder is
	// copied.
	context *compose.Build
}

// copyIn puts a file or a folder where a bind mount would have shown it.
func (u *unit) copyIn(ctx context.Context, one copied) error {
	info, err := os.Stat(one.from)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return u.stream(ctx, path.Dir(one.to), func(to io.Writer) error { return writeFile(to, one.from, path.Base(one.to), info) })
	}
	folder, err := fsutil.NewFS(one.from)
	if err != nil {
		return err
	}
	if one.context != nil {
		if folder, err = u.lacked(ctx, folder, one); folder == nil || err != nil {
			return err
		}
	}
	return u.stream(ctx, one.to, func(to io.Writer) error { return fsutil.WriteTar(ctx, folder, to) })
}

// stream unpacks in a folder what a function writes as a tar stream.
func (u *unit) stream(ctx context.Context, dir string, write func(io.Writer) error) error {
	reader, writer := io.Pipe()
	defer func() { _ = reader.Close() }()
	go func() { _ = writer.CloseWithError(write(writer)) }()
	return u.instance.CopyIn(ctx, dir, reader)
}

func writeFile(to io.Writer, from, name string, info os.FileInfo) error {
	file, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	header, err := tar.FileInfoHeader(info, "")
	if err != nil {
		return err
	}
	header.Name = name
	return archive(to, header, file)
}

// putFile writes a secret or a config.
func (u *unit) putFile(ctx context.Context, one compose.File) error {
	header := &tar.Header{
		Typeflag: tar.TypeReg, Name: path.Base(one.Path), Size: int64(len(one.Content)), Mode: int64(one.Mode), Uid: one.UID, Gid: one.GID,
	}
	return u.stream(ctx, path.Dir(one.Path), func(to io.Writer) error { return archive(to, header, bytes.NewReader(one.Content)) })
}

// archive is a tar stream of one file.
func archive(to io.Writer, header *tar.Header, content io.Reader) error {
	stream := tar.NewWriter(to)
	if err := stream.WriteHeader(header); err != nil {
		return err
	}
	_, err := io.Copy(stream, content)
	return errors.Join(err, stream.Close())
}

// lacked is what of a build context the container lacks, nil if it has all. A
// development image may hold no source at all, since the mount shows it.
func (u *unit) lacked(ctx context.Context, folder fsutil.FS, one copied) (fsutil.FS, error) {
	ignored, err := ignoredBy(*one.context)
	if err != nil {
		return nil, err
	}
	folder, err = fsutil.NewFilterFS(folder, &fsutil.FilterOpt{ExcludePatterns: ignored})
	if err != nil {
		return nil, err
	}
	var names []string
	err = folder.Walk(ctx, "", func(name string, _ os.DirEntry, err error) error {
		if top, _, _ := strings.Cut(filepath.ToSlash(name), "/"); !slices.Contains(names, top) {
			names = append(names, top)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if names, err = u.without(ctx, one.to, names); len(names) == 0 || err != nil {
		return nil, err
	}
	u.stage.log.Printf("%s: copied to %s, where its image lacks it: %s", u.service.name, one.to, some(names))
	return fsutil.NewFilterFS(folder, &fsutil.FilterOpt{Map: func(name string, stat *fstypes.Stat) fsutil.MapResult {
		top, _, _ := strings.Cut(filepath.ToSlash(name), "/")
		switch {
		case slices.Contains(names, top):
			return fsutil.MapResultKeep
		case stat.IsDir():
			return fsutil.MapResultSkipDir
		}
		return fsutil.MapResultExclude
	}})
}

// without are the names that the container has not in a folder.
func (u *unit) without(ctx context.Context, dir string, names []string) ([]string, error) {
	var missing []string
	for _, name := range names {
		has, err := u.instance.Has(ctx, path.Join(dir, name))
		if err != nil {
			return nil, err
		}
		if !has {
			missing = append(missing, name)
		}
	}
	return missing, nil
}

// some are names for a reader.
func some(names []string) string {
	const shown = 5
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// ignoredBy are the patterns of what a build leaves out of its context: those
// of the Dockerfile's own file, else those of the context. Source: moby/buildkit,
// frontend/dockerui/config.go.
func ignoredBy(build compose.Build) ([]string, error) {
	const name = ".dockerignore"
	files := []string{filepath.Join(build.Context, name)}
	if build.Dockerfile != "" {
		files = slices.Insert(files, 0, build.Dockerfile+name)
	}
	for _, file := range files {
		text, err := os.Open(file)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		patterns, err := ignorefile.ReadAll(text)
		return patterns, errors.Join(err, text.Close())
	}
	return nil, nil
}
