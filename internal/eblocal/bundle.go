package eblocal

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

const (
	// AWS's limit for a source bundle.
	maxBundleBytes = 500 << 20
	// Nothing honest unpacks to more; a zip bomb does.
	maxUnpackedBytes = 4 << 30
)

// unpack writes a source bundle into dir. A single deploy file that is not in a
// zip is a bundle too, as on AWS.
func unpack(data []byte, key, dir string) (err error) {
	if len(data) > maxBundleBytes {
		return fmt.Errorf("source bundle %s: %d bytes; at most %d are allowed", key, len(data), maxBundleBytes)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, root.Close()) }()
	if name, ok := loneFile(key); ok {
		return root.WriteFile(name, data, 0o644)
	}
	archive, err := openZip(data, key)
	if err != nil {
		return err
	}
	left := int64(maxUnpackedBytes)
	for _, f := range archive.File {
		n, err := unpackFile(root, f, left)
		if err != nil {
			return fmt.Errorf("source bundle %s: %q: %w", key, f.Name, err)
		}
		left -= n
	}
	return nil
}

// loneFile is the name under which a bundle that is no archive is deployed.
func loneFile(key string) (string, bool) {
	switch strings.ToLower(path.Ext(key)) {
	case ".json":
		return dockerrunFile, true
	case ".yml", ".yaml":
		return composeFile, true
	}
	return "", false
}

func openZip(data []byte, key string) (*zip.Reader, error) {
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, fmt.Errorf("source bundle %s: expected a zip file: %w", key, err)
	}
	return archive, nil
}

var errNotInBundle = errors.New("refused: it would be written outside of the bundle's directory")

// unpackFile writes one member of a zip and returns its size.
func unpackFile(root *os.Root, f *zip.File, left int64) (int64, error) {
	// Some Windows tools write backslashes.
	name := strings.ReplaceAll(f.Name, `\`, "/")
	if name = strings.TrimSuffix(name, "/"); !filepath.IsLocal(name) {
		return 0, errNotInBundle
	}
	mode := f.Mode()
	if strings.HasSuffix(f.Name, "/") || mode.IsDir() {
		return 0, root.MkdirAll(name, 0o755)
	}
	if !mode.IsRegular() {
		return 0, fmt.Errorf("refused: %s is neither a file nor a directory", mode.Type())
	}
	if err := root.MkdirAll(path.Dir(name), 0o755); err != nil {
		return 0, err
	}
	return writeMember(root, name, f, mode.Perm()|0o600, left)
}

func writeMember(root *os.Root, name string, f *zip.File, perm fs.FileMode, left int64) (n int64, err error) {
	src, err := f.Open()
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	dst, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, perm)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, dst.Close()) }()
	n, err = io.Copy(dst, io.LimitReader(src, left+1))
	if err == nil && n > left {
		err = fmt.Errorf("the bundle unpacks to more than %d bytes", int64(maxUnpackedBytes))
	}
	return n, err
}

// checkConfiguration is what AWS checks when a version is processed: env.yaml
// and .ebextensions/*.config must be YAML (or JSON, which is YAML).
func checkConfiguration(data []byte, key string) error {
	if _, ok := loneFile(key); ok {
		return nil
	}
	archive, err := openZip(data, key)
	if err != nil {
		return err
	}
	var errs []error
	for _, f := range archive.File {
		if ok, _ := path.Match(".ebextensions/*.config", f.Name); ok || f.Name == "env.yaml" {
			errs = append(errs, checkYAML(f))
		}
	}
	return errors.Join(errs...)
}

func checkYAML(f *zip.File) error {
	src, err := f.Open()
	if err != nil {
		return fmt.Errorf("%s: %w", f.Name, err)
	}
	data, err := io.ReadAll(io.LimitReader(src, maxQueryBytes))
	var document any
	if err = errors.Join(err, src.Close()); err == nil {
		err = yaml.Unmarshal(data, &document)
	}
	if err != nil {
		return fmt.Errorf("the configuration file %s contains invalid YAML or JSON: %w", f.Name, err)
	}
	return nil
}
