package bundle

import (
	"archive/zip"
	"bytes"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// packedAs is a header, with the content that goes with it.
type packedAs struct {
	zip.FileHeader
	content string
}

func plainly(name, content string) packedAs {
	return packedAs{zip.FileHeader{Name: name, Method: zip.Deflate}, content}
}

func linked(name, target string) packedAs {
	p := packedAs{zip.FileHeader{Name: name}, target}
	p.SetMode(fs.ModeSymlink | 0o777)
	return p
}

func writeReady(t *testing.T, entries ...packedAs) string {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for _, e := range entries {
		header := e.FileHeader
		w, err := archive.CreateHeader(&header)
		if err == nil && e.content != "" {
			_, err = io.WriteString(w, e.content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "app.zip")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func readyBundle(t *testing.T, file, below, src string) (*Bundle, error) {
	t.Helper()
	ready, err := OpenReady("app.zip", file)
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := RenderCompose(below, []byte(src), nil)
	if err != nil {
		t.Fatal(err)
	}
	return ready.Bundle(t.Context(), Tree{File: below, Name: dockerComposeName}, rendered)
}

// TestReady takes a zip of the program that people use.
func TestReady(t *testing.T) {
	dir := tree(t, map[string]string{
		"docker-compose.yml": "the original", "app/run*": "run", "app/link@": "run", "app/기능": "x", "big": string(mixed("both", 3*pieceSize+5)), ".env": "A=1", "compose.yaml": "x",
	})
	if err := os.MkdirAll(filepath.Join(dir, "empty/inner"), 0o755); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "app.zip")
	command := exec.CommandContext(t.Context(), "zip", "-q", "-r", "-y", file, ".")
	command.Dir = dir
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	src := "services: {a: {image: x, volumes: ['./app/link:/l', './empty/inner:/e'], env_file: .env}}\n"
	b, err := readyBundle(t, file, dockerComposeName, src)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"100644 .env", "120000 app/link", "100755 app/run", "100644 app/기능", "100644 big", "100644 compose.yaml", "100644 docker-compose.yml", "040000 empty/inner/",
	}
	if diff := cmp.Diff(want, listing(b)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	var warnings strings.Builder
	for _, w := range b.Warnings() {
		warnings.WriteString(w.Error() + "\n")
	}
	if got := warnings.String(); strings.Count(got, "\n") != 2 || !strings.Contains(got, ".env is in the bundle") || !strings.Contains(got, "compose.yaml is in the bundle") {
		t.Errorf("warnings: %s", got)
	}
	var out bytes.Buffer
	if err := b.WriteZip(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	unpacked := filepath.Join(t.TempDir(), "out")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	unzip := exec.CommandContext(t.Context(), "unzip", "-q", file, "-d", unpacked)
	unzip.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	if text, err := unzip.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if err := os.WriteFile(filepath.Join(dir, dockerComposeName), []byte(src), 0o600); err != nil {
		t.Fatal(err)
	}
	diff := exec.CommandContext(t.Context(), "diff", "-r", dir, unpacked)
	if text, err := diff.CombinedOutput(); err != nil {
		t.Errorf("what is unpacked differs: %v\n%s", err, text)
	}
}

// TestReadyAgain shows that how a zip was packed does not show in the bundle.
func TestReadyAgain(t *testing.T) {
	stored := plainly("a", "text text text text")
	stored.Method = zip.Store
	var zips [][]byte
	for _, file := range []string{
		writeReady(t, plainly("b", "1"), plainly("a", "text text text text")), writeReady(t, stored, plainly("./b", "1"), plainly("./", "")),
	} {
		b, err := readyBundle(t, file, "none.yml", plainService)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := b.WriteZip(t.Context(), &out); err != nil {
			t.Fatal(err)
		}
		zips = append(zips, out.Bytes())
	}
	if !bytes.Equal(zips[0], zips[1]) {
		t.Error("the same content gives different bundles")
	}
}

func TestReadyOfAnotherName(t *testing.T) {
	b, err := readyBundle(t, writeReady(t, plainly("docker-compose.yml", "dev"), plainly("ops/prod.yml", "x"), plainly("a", "")), "ops/prod.yml", plainService)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"100644 a", "100644 docker-compose.yml"}, listing(b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	_, err = readyBundle(t, writeReady(t, plainly("a", "")), "docker-compose.yml", "services: {a: {image: x, env_file: b}}\n")
	if err == nil || err.Error() != "docker-compose.yml:1: env_file b does not exist: add the file or take it out" {
		t.Errorf("got %v", err)
	}
}

// TestReadyBesideADockerfile refuses it where an image is to run.
func TestReadyBesideADockerfile(t *testing.T) {
	for src, want := range map[string]string{
		builtFile:  "",
		pulledFile: "app.zip: its Dockerfile would be built in the place of the image that Dockerrun.aws.json names",
	} {
		ready, err := OpenReady("app.zip", writeReady(t, plainly(dockerrunName, src), plainly("Dockerfile", "FROM x")))
		if err != nil {
			t.Fatal(err)
		}
		rendered, err := RenderDockerrun(dockerrunName, []byte(src), nil, Built(true))
		if err != nil {
			t.Fatal(err)
		}
		_, err = ready.Bundle(t.Context(), Tree{File: dockerrunName, Name: dockerrunName}, rendered)
		if (err != nil) != (want != "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", src, err)
		}
	}
}

func TestOpenReadyErrors(t *testing.T) {
	secret := plainly("secret", "x")
	secret.Flags = flagEncrypted
	file := writeReady(t, plainly("/etc/x", ""), plainly("C:/x", ""), plainly("a/../../x", ""), plainly("a//b", ""), plainly(`win\x`, ""), secret,
		plainly("two", "1"), plainly("two", "2"), plainly("both", ""), plainly("both/x", ""), plainly("both too", ""), plainly("both too/", ""), linked("l", "../x"), linked("abs", "/etc"), plainly("new\nline", ""), plainly("fine", ""))
	_, err := OpenReady("app.zip", file)
	if err == nil {
		t.Fatal("no error")
	}
	const want = `app.zip: name "/etc/x" is absolute: names count from the app's folder; make the zip in it
app.zip: name "C:/x" is absolute: names count from the app's folder; make the zip in it
app.zip: name "a/../../x" leads elsewhere than it says: make the zip without such names
app.zip: name "a//b" leads elsewhere than it says: make the zip without such names
app.zip: name "win\\x": it has a backslash, as some programs on Windows write for a slash: make the zip with another one
app.zip: secret is encrypted, which Elastic Beanstalk can't unpack: make the zip without a password
app.zip: two is in it twice: make it anew, since programs differ in which one they unpack
app.zip: link l leaves the tree (it points to ../x): put the file in its place
app.zip: link abs leaves the tree (it points to /etc): put the file in its place
app.zip: file name "new\nline": a bundle's names are UTF-8 without control characters and backslashes: rename it
app.zip: both is both a file and a folder: make the zip anew
app.zip: both too is both a file and a folder: make the zip anew`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestOpenReadyNoZip(t *testing.T) {
	good, err := os.ReadFile(writeReady(t, plainly("a", "x")))
	if err != nil {
		t.Fatal(err)
	}
	squeezed := bytes.ReplaceAll(good, []byte{8, 0, 8, 0}, []byte{8, 0, 12, 0})
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"text":     {[]byte("text"), "app.zip: is no zip, or not all of one"},
		"cut":      {good[:len(good)-10], "app.zip: is no zip, or not all of one"},
		"squeezed": {squeezed, "app.zip: a is packed by method 12"},
	} {
		file := filepath.Join(t.TempDir(), "x.zip")
		if err := os.WriteFile(file, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenReady("app.zip", file); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := OpenReady("app.zip", filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("a missing file opens")
	}
}

// TestReadyBroken has content that is not what its checksum says.
func TestReadyBroken(t *testing.T) {
	stored := plainly("a", "some text")
	stored.Method = zip.Store
	file := writeReady(t, stored)
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, bytes.Replace(content, []byte("some text"), []byte("same text"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	b, err := readyBundle(t, file, "none.yml", plainService)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Hash(t.Context()); err == nil || !strings.Contains(err.Error(), "hash bundle: a: zip: checksum error") {
		t.Errorf("got %v", err)
	}
}

func TestWrapper(t *testing.T) {
	for want, names := range map[string][]string{
		"app": {"app/docker-compose.yml", "app/x/y"}, "": {"app/x", "y"}, "-": {"app/x", "web/x"},
	} {
		var entries []packedAs
		for _, name := range names {
			entries = append(entries, plainly(name, ""))
		}
		ready, err := OpenReady("app.zip", writeReady(t, entries...))
		if err != nil {
			t.Fatal(err)
		}
		if got := ready.Wrapper(); got != strings.Trim(want, "-") {
			t.Errorf("%v: %q; want %q", names, got, want)
		}
	}
}

func TestCheckSize(t *testing.T) {
	dir := tree(t, map[string]string{"assets/a": string(mixed("noise", 2<<20)), "assets/b": string(mixed("noise", 1<<20)), "logs/a": strings.Repeat("x", 8<<20), "c": "x"})
	b, err := source(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, limit := range []int64{20 << 20, 4 << 20} {
		if err := b.CheckSize(t.Context(), limit); err != nil {
			t.Errorf("%d bytes: %v", limit, err)
		}
	}
	const want = "the bundle is larger than 2 MB, the most that Elastic Beanstalk takes; unpacked it has 11 MB, most of it in logs/ (8 MB), assets/ (3 MB), docker-compose.yml (0 MB): leave out what does not run there"
	if err := b.CheckSize(t.Context(), 2<<20); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}
