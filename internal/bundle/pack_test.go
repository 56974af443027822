package bundle

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// mixed is of a size: text, noise, or one behind the other.
func mixed(kind string, size int) []byte {
	random := rand.New(rand.NewPCG(1, uint64(size)))
	content := make([]byte, 0, size+8)
	for len(content) < size {
		text := kind == "text" || kind == "both" && len(content) < size/2
		if text {
			content = fmt.Appendf(content, "line %d of the text\n", random.IntN(1000))
		} else {
			content = append(content, byte(random.Uint32()))
		}
	}
	return content[:size]
}

func mixedTree(t *testing.T) (string, map[string][]byte) {
	t.Helper()
	contents := map[string][]byte{}
	files := map[string]string{}
	for _, kind := range []string{"text", "noise", "both"} {
		for _, size := range []int{0, 1, 100, pieceSize - 1, pieceSize, pieceSize + 1, 2 * pieceSize, 5*pieceSize + 7} {
			name := fmt.Sprintf("conf/%s-%d", kind, size)
			contents[name] = mixed(kind, size)
			files[name] = string(contents[name])
		}
	}
	return tree(t, files), contents
}

// TestPieces has files around the size of a piece, and reads them back.
func TestPieces(t *testing.T) {
	dir, want := mixedTree(t)
	content, _ := zipped(t, dir)
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range archive.File {
		if f.Name == "docker-compose.yml" {
			continue
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(in) // The reader checks size and CRC.
		if err != nil || !bytes.Equal(got, want[f.Name]) {
			t.Errorf("%s: %d bytes read, %v; want %d", f.Name, len(got), err, len(want[f.Name]))
		}
		if strings.Contains(f.Name, "noise") && f.CompressedSize64 > f.UncompressedSize64+f.UncompressedSize64/1000+20 {
			t.Errorf("%s: %d bytes became %d", f.Name, f.UncompressedSize64, f.CompressedSize64)
		}
		if strings.Contains(f.Name, "text") && f.UncompressedSize64 > 1000 && f.CompressedSize64 > f.UncompressedSize64/4 {
			t.Errorf("%s: %d bytes only became %d", f.Name, f.UncompressedSize64, f.CompressedSize64)
		}
		delete(want, f.Name)
	}
	if len(want) > 0 {
		t.Errorf("%d files are not in the zip", len(want))
	}
}

func TestSameBytesOnAnyProcessors(t *testing.T) {
	dir, _ := mixedTree(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want, _ := zipped(t, dir)
	for _, processors := range []int{2, 8} {
		runtime.GOMAXPROCS(processors)
		if got, _ := zipped(t, dir); !bytes.Equal(got, want) {
			t.Errorf("%d processors: another zip", processors)
		}
	}
}

// TestChangedMeanwhile changes files between the hash and the zip.
func TestChangedMeanwhile(t *testing.T) {
	for name, change := range map[string]func(text []byte) []byte{
		"longer":  func(text []byte) []byte { return append(text, 'x') },
		"shorter": func(text []byte) []byte { return text[:len(text)-1] },
		"other":   func(text []byte) []byte { text[len(text)/2]++; return text },
		"empty":   func([]byte) []byte { return nil },
	} {
		for _, size := range []int{10, pieceSize, 3 * pieceSize} {
			dir := tree(t, map[string]string{"conf/a": string(mixed("text", size)), "conf/b": "1"})
			b, err := minimal(t.Context(), dir, "docker-compose.yml", small)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := b.Hash(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "conf/a"), change(mixed("text", size)), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := b.WriteZip(t.Context(), io.Discard); !errors.Is(err, errChanged) || !strings.Contains(err.Error(), "write bundle: conf/a: the file changed") {
				t.Errorf("%s of %d bytes: %v", name, size, err)
			}
		}
	}
}

func TestHashReportsAll(t *testing.T) {
	dir := tree(t, map[string]string{"conf/a": "1", "conf/b": "2", "conf/c": "3"})
	b, err := minimal(t.Context(), dir, "docker-compose.yml", small)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "c"} {
		if err := os.Remove(filepath.Join(dir, "conf", name)); err != nil {
			t.Fatal(err)
		}
	}
	const want = "hash bundle: conf/a: openat a: no such file or directory\nconf/c: openat c: no such file or directory"
	if _, err := b.Hash(t.Context()); err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// full takes so many bytes.
type full struct{ left int }

var errFull = errors.New("no space left")

func (f *full) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

// TestWriteEnds shows that all ends, with the reason, when the zip can't be
// written on or is not wanted any more.
func TestWriteEnds(t *testing.T) {
	dir, _ := mixedTree(t)
	b, err := minimal(t.Context(), dir, "docker-compose.yml", small)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.WriteZip(t.Context(), &full{left: 1 << 20}); !errors.Is(err, errFull) {
		t.Errorf("a full disk: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.WriteZip(ctx, io.Discard); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
