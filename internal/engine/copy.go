package engine

import (
	"archive/tar"
	"errors"
	"io"
	"path"
	"strings"
)

// below is a tar stream moved into folders, which come first in it. Without
// any it stays as it is.
func below(dir string, stream io.Reader) io.ReadCloser {
	reader, writer := io.Pipe()
	go func() {
		archive := tar.NewWriter(writer)
		err := errors.Join(addFolders(archive, dir), move(archive, dir, tar.NewReader(stream)))
		_ = writer.CloseWithError(errors.Join(err, archive.Close()))
	}()
	return reader
}

func addFolders(archive *tar.Writer, dir string) error {
	at := ""
	for part := range strings.SplitSeq(dir, "/") {
		if part == "" {
			continue
		}
		at += part + "/"
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeDir, Name: at, Mode: 0o755}); err != nil {
			return err
		}
	}
	return nil
}

func move(archive *tar.Writer, dir string, from *tar.Reader) error {
	for {
		header, err := from.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		isDir := strings.HasSuffix(header.Name, "/")
		header.Name = path.Join(dir, header.Name)
		if isDir {
			header.Name += "/"
		}
		if header.Typeflag == tar.TypeLink {
			header.Linkname = path.Join(dir, header.Linkname)
		}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := io.Copy(archive, from); err != nil {
			return err
		}
	}
}
