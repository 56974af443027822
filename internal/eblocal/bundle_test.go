package eblocal

import (
	"archive/zip"
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestUnpack(t *testing.T) {
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for _, h := range []*zip.FileHeader{{Name: "dir/"}, {Name: "dir/run.sh"}, {Name: `win\path.txt`}} {
		h.SetMode(0o755)
		if strings.HasSuffix(h.Name, "/") {
			h.SetMode(fs.ModeDir | 0o755)
		}
		f, err := w.CreateHeader(h)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(h.Name, "/") {
			if _, err := f.Write([]byte(h.Name)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := unpack(b.Bytes(), "b.zip", dir); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(filepath.Join(dir, "dir", "run.sh"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm()&0o100 == 0 {
		t.Errorf("mode %v: the executable bit is lost", info.Mode())
	}
	if got, err := os.ReadFile(filepath.Join(dir, "win", "path.txt")); err != nil || string(got) != `win\path.txt` {
		t.Errorf("a path with a backslash: %q, %v", got, err)
	}
}

func TestUnpackRefuses(t *testing.T) {
	link := func(name string, mode fs.FileMode) []byte {
		var b bytes.Buffer
		w := zip.NewWriter(&b)
		h := &zip.FileHeader{Name: name}
		h.SetMode(mode)
		f, err := w.CreateHeader(h)
		if err == nil {
			_, err = f.Write([]byte("/etc"))
		}
		if err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	cases := []struct {
		name string
		data []byte
		want string
	}{
		{"parent", link("../evil", 0o644), "outside of the bundle's directory"},
		{"hidden parent", link("a/../../evil", 0o644), "outside of the bundle's directory"},
		{"backslash parent", link(`..\evil`, 0o644), "outside of the bundle's directory"},
		{"absolute", link("/evil", 0o644), "outside of the bundle's directory"},
		{"symlink", link("etc", fs.ModeSymlink|0o777), "neither a file nor a directory"},
		{"no zip", []byte("hello"), "expected a zip file"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			parent := t.TempDir()
			err := unpack(c.data, "b.zip", filepath.Join(parent, "app"))
			if err == nil {
				t.Fatalf("unpacked; expected an error with %q", c.want)
			}
			mustContain(t, "error", err.Error(), c.want)
			if _, err := os.Stat(filepath.Join(parent, "evil")); err == nil {
				t.Error("a file was written outside")
			}
		})
	}
}

func TestLoneFiles(t *testing.T) {
	for key, want := range map[string]string{"a/Dockerrun.aws.json": dockerrunFile, "compose.YML": composeFile} {
		dir := t.TempDir()
		if err := unpack([]byte("x"), key, dir); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, want)); err != nil || string(got) != "x" {
			t.Errorf("%s: %q, %v; expected it as %s", key, got, err, want)
		}
	}
}

func TestDotEnv(t *testing.T) {
	props := map[string]string{
		"PLAIN": "db.example.com:3306/app", "EMPTY": "", "SPACES": " a b ", "HASH": "a # b", "DOLLAR": "$HOME ${X}",
		"QUOTE": "it's", "BOTH": `it's $1 "x" \n`, "DOUBLE": `say "hi"`,
	}
	dir := t.TempDir()
	vars, err := dotEnv(dir, props)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(props, vars); diff != "" {
		t.Errorf("read back (-want +got):\n%s", diff)
	}
	own := t.TempDir()
	if err := os.WriteFile(filepath.Join(own, ".env"), []byte("MINE=1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	vars, err = dotEnv(own, props)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"MINE": "1"}, vars); diff != "" {
		t.Errorf("the bundle's own .env (-want +got):\n%s", diff)
	}
}

func TestSingleContainer(t *testing.T) {
	src, err := singleContainer([]byte(`{"AWSEBDockerrunVersion": "1", "Image": {"Name": "example/web:1"}, "Ports": [{"ContainerPort": "8000"}]}`),
		map[string]string{}, map[string]string{"A": "$b"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := rewrite(src.compose, testRewriting)
	if err != nil {
		t.Fatal(err)
	}
	if want := (endpoint{"app", 8000}); r.expect.Web != want {
		t.Errorf("web at %+v, expected %+v", r.expect.Web, want)
	}
	mustContain(t, "compose", string(r.compose), "A: $$b")
	for text, want := range map[string]string{
		"{":                              "unexpected end",
		`{"AWSEBDockerrunVersion": "3"}`: "AWSEBDockerrunVersion is 3",
		`{"AWSEBDockerrunVersion": "1", "Image": {"Name": "a"}}`:                                         "Ports must be given",
		`{"AWSEBDockerrunVersion": "1", "Image": {"Name": "a"}, "Ports": [{"ContainerPort": "eighty"}]}`: "eighty",
	} {
		_, err := singleContainer([]byte(text), nil, nil)
		if err == nil {
			t.Errorf("%s: accepted", text)
			continue
		}
		mustContain(t, text, err.Error(), want)
	}
}
