package bundle

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// first is the time of every entry.
var first = time.Date(1980, time.January, 1, 0, 0, 0, 0, time.UTC)

const small = "services: {a: {image: x, volumes: ['./conf:/conf']}}\n"

// smallTree holds the same content whatever the order in which it is written.
func smallTree(t *testing.T, order []string) string {
	t.Helper()
	contents := map[string]string{"conf/a": "1", "conf/b*": "2", "conf/c/d": "3", "conf/기능": "4", ".platform/x@": "../conf/a"}
	dir := t.TempDir()
	for _, name := range order {
		from := tree(t, map[string]string{name: contents[name]})
		plain := strings.TrimRight(name, "*@")
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, plain)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(filepath.Join(from, plain), filepath.Join(dir, plain)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func zipped(t *testing.T, dir string) ([]byte, string) {
	t.Helper()
	b, err := minimal(t.Context(), dir, "docker-compose.yml", small)
	if err != nil {
		t.Fatal(err)
	}
	hash, err := b.Hash(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := b.WriteZip(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), hash
}

func TestSameContentSameBytes(t *testing.T) {
	order := []string{"conf/a", "conf/b*", "conf/c/d", "conf/기능", ".platform/x@"}
	want, hash := zipped(t, smallTree(t, order))
	// Anyone can check the hash with sha256sum.
	const known = "1334f33416cac9ae550ecfbb4d58691dbb25299becf3aa817f171c9b58f62f6b"
	if hash != known {
		t.Errorf("hash is %s, want %s", hash, known)
	}
	for range len(order) {
		order = append(order[1:], order[0])
		dir := smallTree(t, order)
		if err := os.Chtimes(filepath.Join(dir, "conf/a"), first, first); err != nil {
			t.Fatal(err)
		}
		if again, h := zipped(t, dir); !bytes.Equal(want, again) || h != hash {
			t.Errorf("order %v: another zip or hash", order)
		}
	}
}

func TestHashSeesContentModeAndPath(t *testing.T) {
	_, base := zipped(t, tree(t, map[string]string{"conf/a": "1"}))
	for name, files := range map[string]map[string]string{
		"content": {"conf/a": "2"}, "mode": {"conf/a*": "1"}, "path": {"conf/b": "1"}, "link": {"conf/a@": "b", "conf/b": "1"},
	} {
		if _, hash := zipped(t, tree(t, files)); hash == base {
			t.Errorf("%s: the hash stays", name)
		}
	}
}

func TestZipEntries(t *testing.T) {
	content, _ := zipped(t, smallTree(t, []string{"conf/a", "conf/b*", "conf/c/d", "conf/기능", ".platform/x@"}))
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range archive.File {
		if !f.Modified.Equal(first) {
			t.Errorf("%s was modified %v", f.Name, f.Modified)
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		got[f.Mode().String()+" "+f.Name] = string(text)
	}
	want := map[string]string{
		"-rw-r--r-- conf/a": "1", "-rwxr-xr-x conf/b": "2", "-rw-r--r-- conf/c/d": "3", "-rw-r--r-- conf/기능": "4",
		"Lrwxrwxrwx .platform/x": "../conf/a", "-rw-r--r-- docker-compose.yml": small,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestUnpack uses the two programs that people look into a bundle with.
func TestUnpack(t *testing.T) {
	content, _ := zipped(t, smallTree(t, []string{"conf/a", "conf/b*", "conf/c/d", "conf/기능", ".platform/x@"}))
	dir := t.TempDir()
	file := filepath.Join(dir, "bundle.zip")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{
		{"unzip", "-q", file, "-d", filepath.Join(dir, "out")},
		{"python3", "-c", "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None; assert len(z.namelist()) == 6, z.namelist()", file},
	} {
		cmd := exec.CommandContext(t.Context(), command[0], command[1:]...)
		cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command[0], err, out)
		}
	}
	for name, want := range map[string]fs.FileMode{"conf/a": 0o644, "conf/b": 0o755, ".platform/x": fs.ModeSymlink | 0o777} {
		info, err := os.Lstat(filepath.Join(dir, "out", name))
		if err != nil || info.Mode() != want {
			t.Errorf("%s has mode %v, %v; want %v", name, info.Mode(), err, want)
		}
	}
	if text, err := os.ReadFile(filepath.Join(dir, "out", ".platform/x")); err != nil || string(text) != "1" {
		t.Errorf("the link reads %q, %v", text, err)
	}
}

// TestFileGone shows that a tree which changes under a bundle is reported, and
// that a link put in a file's place leads nowhere.
func TestFileGone(t *testing.T) {
	for name, change := range map[string]func(string) error{
		"removed": os.Remove,
		"a link": func(p string) error {
			if err := os.Remove(p); err != nil {
				return err
			}
			return os.Symlink("/etc/hostname", p)
		},
	} {
		dir := tree(t, map[string]string{"conf/a": "1"})
		b, err := minimal(t.Context(), dir, "docker-compose.yml", small)
		if err != nil {
			t.Fatal(err)
		}
		if err := change(filepath.Join(dir, "conf/a")); err != nil {
			t.Fatal(err)
		}
		if _, err := b.Hash(t.Context()); err == nil || !strings.Contains(err.Error(), "conf/a") {
			t.Errorf("%s: Hash says %v", name, err)
		}
		if err := b.WriteZip(t.Context(), io.Discard); err == nil || !strings.Contains(err.Error(), "conf/a") {
			t.Errorf("%s: WriteZip says %v", name, err)
		}
	}
}

// TestWriteZipStreams zips a file far larger than what it may allocate, which
// depends on nothing but the number of processors.
func TestWriteZipStreams(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(2))
	dir := tree(t, map[string]string{"conf/big": ""})
	const size = 64 << 20
	if err := os.Truncate(filepath.Join(dir, "conf/big"), size); err != nil {
		t.Fatal(err)
	}
	b, err := minimal(t.Context(), dir, "docker-compose.yml", small)
	if err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if err := b.WriteZip(t.Context(), io.Discard); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
		t.Errorf("zipping %d MiB allocates %d MiB", size>>20, got>>20)
	}
}
