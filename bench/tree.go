package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// material is what the files of a tree are cut out of: texts, a program, and
// noise, which stands for images and archives. Texts and program are those of
// the Go installation, the same for everyone who has the same one.
type material struct {
	random  *rand.Rand
	noise   *rand.ChaCha8
	texts   []byte
	program []byte
}

// manyTexts is far more than what a packer looks back.
const manyTexts = 64 << 20

func newMaterial(ctx context.Context) (*material, error) {
	out, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("go env GOROOT: %w", err)
	}
	root := strings.TrimSpace(string(out))
	m := &material{random: rand.New(rand.NewPCG(1, 2)), noise: rand.NewChaCha8([32]byte{1})}
	if m.program, err = os.ReadFile(filepath.Join(root, "bin", "go")); err != nil {
		return nil, err
	}
	m.texts, err = textsBelow(filepath.Join(root, "src"))
	return m, err
}

var errEnough = errors.New("enough")

func textsBelow(dir string) ([]byte, error) {
	var texts bytes.Buffer
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) != ".go" {
			return err
		}
		text, err := os.ReadFile(path)
		texts.Write(text)
		if err == nil && texts.Len() > manyTexts {
			return errEnough
		}
		return err
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return texts.Bytes(), err
}

// kinds are the files of a web app by bytes: out of 20, so many are of texts
// and of programs, and the others noise.
const (
	ofText    = 13
	ofProgram = 3
)

// write makes a file of the kind that its turn brings.
func (m *material) write(file string, turn, size int) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	switch turn %= 20; {
	case turn < ofText:
		return os.WriteFile(file, m.cut(m.texts, size), 0o644)
	case turn < ofText+ofProgram:
		return os.WriteFile(file, m.cut(m.program, size), 0o755)
	}
	content := make([]byte, size)
	_, _ = m.noise.Read(content) // It never fails.
	return os.WriteFile(file, content, 0o644)
}

// cut takes so many bytes from somewhere, as often as it takes.
func (m *material) cut(from []byte, size int) []byte {
	content := make([]byte, 0, size)
	for len(content) < size {
		at := m.random.IntN(len(from))
		content = append(content, from[at:min(len(from), at+size-len(content))]...)
	}
	return content
}

// composeFile makes a tree one that can be deployed.
const composeFile = "services:\n  web:\n    image: guk0/web:1\n    ports: [\"80:80\"]\n"

// manyFiles has files of 1 to 39 KB, 500 MB in 50,000.
func (m *material) manyFiles(dir string) error {
	const files, average = 50_000, 10_000
	for i := range files {
		// Three of four are small, as the files of packages are.
		size := 1_000 + m.random.IntN(8_000)
		if i%4 == 3 {
			size = 4*average - 3*5_000 + m.random.IntN(1_000) - 500
		}
		name := fmt.Sprintf("app/package-%d/lib-%d/file-%d.js", i/500, i/25%20, i)
		if err := m.write(filepath.Join(dir, name), m.random.IntN(20), size); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "docker-compose.yml"), []byte(composeFile), 0o644)
}

// largeFiles has ten files of 50 MB.
func (m *material) largeFiles(dir string) error {
	for i := range 10 {
		if err := m.write(filepath.Join(dir, fmt.Sprintf("data/file-%d", i)), i*2, 50_000_000); err != nil {
			return err
		}
	}
	return os.WriteFile(filepath.Join(dir, "docker-compose.yml"), []byte(composeFile), 0o644)
}
