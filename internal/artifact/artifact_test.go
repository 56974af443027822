package artifact_test

import (
	"archive/tar"
	"bytes"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/artifact"
)

func stream(t *testing.T, headers ...tar.Header) io.Reader {
	t.Helper()
	var all bytes.Buffer
	archive := tar.NewWriter(&all)
	for _, header := range headers {
		body := header.Name
		if header.Typeflag == tar.TypeReg {
			header.Size = int64(len(body))
		}
		if header.Mode == 0 {
			header.Mode = 0o644
		}
		if err := archive.WriteHeader(&header); err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			if _, err := archive.Write([]byte(body)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	return &all
}

func file(name string) tar.Header   { return tar.Header{Typeflag: tar.TypeReg, Name: name} }
func folder(name string) tar.Header { return tar.Header{Typeflag: tar.TypeDir, Name: name} }
func symlink(name, target string) tar.Header {
	return tar.Header{Typeflag: tar.TypeSymlink, Name: name, Linkname: target}
}

// tree is what a folder holds: modes, and contents or targets.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		inside, _ := filepath.Rel(dir, name)
		if info.Mode()&fs.ModeSymlink != 0 {
			target, err := os.Readlink(name)
			all[inside] = "-> " + target
			return err
		}
		text, err := os.ReadFile(name)
		all[inside] = info.Mode().String() + " " + string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestWrite(t *testing.T) {
	setuid := file("out/run")
	setuid.Mode = 0o4755
	for _, c := range []struct {
		name, to string
		entries  []tar.Header
		want     map[string]string
		problems []string
	}{
		{"a file becomes the path", "a/b.txt", []tar.Header{file("x.txt")}, map[string]string{"a/b.txt": "-rw-r--r-- x.txt"}, nil},
		{"a file into a folder", "a/", []tar.Header{file("x.txt")}, map[string]string{"a/x.txt": "-rw-r--r-- x.txt"}, nil},
		{"a file into a folder that is there", "there", []tar.Header{file("x.txt")}, map[string]string{"there/x.txt": "-rw-r--r-- x.txt"}, nil},
		{"a folder becomes the path", "cov", []tar.Header{folder("out/"), file("out/x"), folder("out/d/"), file("out/d/y")},
			map[string]string{"cov/x": "-rw-r--r-- out/x", "cov/d/y": "-rw-r--r-- out/d/y"}, nil},
		{"a folder becomes the folder that is there", "there", []tar.Header{folder("out/"), file("out/x")}, map[string]string{"there/x": "-rw-r--r-- out/x"}, nil},
		{"the workspace itself", ".", []tar.Header{folder("out/"), file("out/x")}, map[string]string{"out/x": "-rw-r--r-- out/x"}, nil},
		{"no special bits", "o", []tar.Header{setuid}, map[string]string{"o/run": "-rwxr-xr-x out/run"}, nil},
		{"links inside", "o", []tar.Header{folder("out/"), symlink("out/l", "d/x"), file("out/d/x"), {Typeflag: tar.TypeLink, Name: "out/h", Linkname: "out/d/x"}},
			map[string]string{"o/l": "-> d/x", "o/d/x": "-rw-r--r-- out/d/x", "o/h": "-rw-r--r-- out/d/x"}, nil},
		{"links outside", "o", []tar.Header{symlink("out/a", "/etc"), symlink("out/b", "../../x"), file("out/x")},
			map[string]string{"o/x": "-rw-r--r-- out/x"}, []string{"link o/a to /etc: leaves", "link o/b to ../../x: leaves"}},
		{"a way out through two links", "o", []tar.Header{symlink("out/d", "."), symlink("out/e", "d/d/../.."), symlink("out/p/q", "../d/../../..")}, map[string]string{"o/d": "-> ."},
			[]string{"link o/e to d/d/../..: leaves", "link o/p/q to ../d/../../..: leaves"}},
		{"nothing through a link of the stream", "o", []tar.Header{symlink("out/d", "../there"), file("out/d/x")}, map[string]string{"o/d/x": "-rw-r--r-- out/d/x"}, []string{"link o/d to ../there: o/d in the workspace is a folder"}},
		{"names that climb", "o", []tar.Header{file("out/../../x"), file("/abs"), file("out/y")}, map[string]string{"o/y": "-rw-r--r-- out/y"}, []string{"out/../../x: has a name that leaves", "/abs: has a name that leaves"}},
		{"devices", "o", []tar.Header{{Typeflag: tar.TypeChar, Name: "out/c"}, {Typeflag: tar.TypeFifo, Name: "out/f"}, file("out/y")}, map[string]string{"o/y": "-rw-r--r-- out/y"}, []string{"out/c: is neither", "out/f: is neither"}},
		{"through a link of the workspace", "away/x", []tar.Header{file("x")}, map[string]string{}, []string{"away/x leaves the workspace through a link"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			workspace := t.TempDir()
			outside := t.TempDir()
			if err := os.Mkdir(filepath.Join(workspace, "there"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(outside, filepath.Join(workspace, "away")); err != nil {
				t.Fatal(err)
			}
			owner, err := artifact.OwnerOf(workspace)
			if err != nil {
				t.Fatal(err)
			}
			_, err = artifact.Write(stream(t, c.entries...), workspace, c.to, owner, 0)
			for _, want := range c.problems {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("got %v\nwant an error with %q", err, want)
				}
			}
			if err != nil && len(c.problems) == 0 {
				t.Error(err)
			}
			got := tree(t, workspace)
			delete(got, "away")
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("the workspace (-want +got):\n%s", diff)
			}
			if left := tree(t, outside); len(left) > 0 {
				t.Errorf("written outside: %v", left)
			}
		})
	}
}

func TestWriteOwner(t *testing.T) {
	workspace := t.TempDir()
	owner := artifact.Owner{UID: os.Getuid(), GID: os.Getgid()}
	if os.Getuid() == 0 {
		owner = artifact.Owner{UID: 1001, GID: 121}
	}
	if _, err := artifact.Write(stream(t, folder("out/"), file("out/d/x"), symlink("out/l", "d")), workspace, "new/cov", owner, 0); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"new", "new/cov", "new/cov/d", "new/cov/d/x"} {
		got, err := artifact.OwnerOf(filepath.Join(workspace, name))
		if err != nil || got != owner {
			t.Errorf("%s belongs to %+v (%v), want %+v", name, got, err, owner)
		}
	}
}

func TestWriteLimit(t *testing.T) {
	workspace := t.TempDir()
	_, err := artifact.Write(stream(t, file("out/12345"), file("out/123456")), workspace, "o", artifact.Owner{UID: os.Getuid(), GID: os.Getgid()}, 12)
	if err == nil || !strings.Contains(err.Error(), "out/123456 would be more than 12 bytes") {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(map[string]string{"o/12345": "-rw-r--r-- out/12345"}, tree(t, workspace)); diff != "" {
		t.Errorf("the workspace (-want +got):\n%s", diff)
	}
}

// TestWriteCutStream shows that no file is half written.
func TestWriteCutStream(t *testing.T) {
	workspace := t.TempDir()
	whole, err := io.ReadAll(stream(t, file("out/a"), file("out/b")))
	if err != nil {
		t.Fatal(err)
	}
	_, err = artifact.Write(bytes.NewReader(whole[:3*512+2]), workspace, "o", artifact.Owner{UID: os.Getuid(), GID: os.Getgid()}, 0)
	if err == nil {
		t.Error("a stream that is cut off is no error")
	}
	if diff := cmp.Diff(map[string]string{"o/a": "-rw-r--r-- out/a"}, tree(t, workspace)); diff != "" {
		t.Errorf("the workspace (-want +got):\n%s", diff)
	}
}

func TestPatterns(t *testing.T) {
	for pattern, want := range map[string]struct{ root, err string }{
		"/app/junit.xml":      {"/app/junit.xml", ""},
		"/app/*/x.xml":        {"/app", ""},
		"/**/x.xml":           {"/", ""},
		"/a/[bc]/d":           {"/a", ""},
		"app/x.xml":           {"", "is no absolute path"},
		"/app/../../etc/x":    {"", "leaves its folder by .."},
		"/app/[x":             {"", "is malformed"},
		"/":                   {"", "is the whole container"},
		"/app/reports/..*xml": {"/app/reports", ""},
	} {
		err := artifact.CheckPattern(pattern)
		if want.err == "" && err != nil || want.err != "" && (err == nil || !strings.Contains(err.Error(), want.err)) {
			t.Errorf("%s: got %v, want %q", pattern, err, want.err)
		}
		if got := artifact.Root(pattern); want.root != "" && got != want.root {
			t.Errorf("%s: root %s, want %s", pattern, got, want.root)
		}
	}
}

func TestMatch(t *testing.T) {
	for _, c := range []struct {
		pattern string
		entries []tar.Header
		want    []string
		problem string
	}{
		{"/app/junit.xml", []tar.Header{file("junit.xml")}, []string{"/app/junit.xml"}, ""},
		{"/app/*.xml", []tar.Header{folder("app/"), file("app/a.xml"), file("app/b.txt"), file("app/d/c.xml")}, []string{"/app/a.xml"}, ""},
		{"/app/**/*.xml", []tar.Header{file("app/a.xml"), file("app/d/e/c.xml"), folder("app/f.xml/")}, []string{"/app/a.xml", "/app/d/e/c.xml"}, ""},
		{"/*/a.xml", []tar.Header{file("./x/a.xml"), file("y/a.xml")}, []string{"/x/a.xml", "/y/a.xml"}, ""},
		{"/app/*.xml", []tar.Header{symlink("app/a.xml", "/tmp/a.xml"), file("app/b.xml")}, []string{"/app/b.xml"}, "/app/a.xml is a link to /tmp/a.xml"},
	} {
		var got []string
		err := artifact.Match(stream(t, c.entries...), c.pattern, func(name string, content io.Reader) error {
			got = append(got, name)
			_, err := io.Copy(io.Discard, content)
			return err
		})
		if c.problem == "" && err != nil || c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)) {
			t.Errorf("%s: got %v, want %q", c.pattern, err, c.problem)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.pattern, diff)
		}
	}
}
