package ebdeploy

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// uploaded is the content of the only bundle in the account, by path.
func (s *stage) uploaded(t *testing.T) map[string]string {
	t.Helper()
	var body []byte
	for _, objects := range s.wire.Buckets {
		for _, object := range objects {
			body = object.Body
		}
	}
	return unpacked(t, body)
}

func unpacked(t *testing.T, content []byte) map[string]string {
	t.Helper()
	archive, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, f := range archive.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		files[f.Name] = string(text)
	}
	return files
}

// zip makes a ready zip in the workspace.
func (s *stage) zip(t *testing.T, name string, files map[string]string) {
	t.Helper()
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	for path, content := range files {
		w, err := archive.Create(path)
		if err == nil {
			_, err = io.WriteString(w, content)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	s.file(t, name, out.String())
}

const rendered = `image: "guk0/docker-frontend:sha-0123456789ab@` + digest

func TestBundleSource(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["bundle"] = "source"
		for name, content := range map[string]string{
			".git/HEAD": "x", ".ebignore": "*.log\n", ".env": "A=1\n", "a.log": "x", "backend/server.js": "serve()", "docker-compose.override.yml": "x",
		} {
			s.file(t, name, content)
		}
		if err := os.Symlink("server.js", filepath.Join(s.dir, "backend", "main.js")); err != nil {
			t.Fatal(err)
		}
		got := s.run(t)
		golden(t, "source", got)
		files := s.uploaded(t)
		if !strings.Contains(files["docker-compose.yml"], rendered) || files["backend/server.js"] != "serve()" || files["backend/main.js"] != "server.js" || len(files) != 5 {
			t.Errorf("the bundle holds %q", files)
		}
	})
}

func TestBundleReady(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["bundle"], s.inputs["compose-file"] = "out/app.zip", "ops/prod.yml"
		s.zip(t, "out/app.zip", map[string]string{"ops/prod.yml": composeFile, "backend/server.js": "serve()"})
		if err := os.Remove(filepath.Join(s.dir, "docker-compose.yml")); err != nil {
			t.Fatal(err)
		}
		if got := s.run(t); got.result() != "deployed" || !strings.Contains(got.log, "out/app.zip/ops/prod.yml: frontend: build removed") {
			t.Errorf("%s", got)
		}
		files := s.uploaded(t)
		if !strings.Contains(files["docker-compose.yml"], rendered) || files["backend/server.js"] != "serve()" || len(files) != 2 {
			t.Errorf("the bundle holds %q", files)
		}
	})
}

// TestBundleRefused has what can't be a bundle; nothing is written.
func TestBundleRefused(t *testing.T) {
	for name, c := range map[string]struct {
		inputs map[string]string
		make   func(t *testing.T, s *stage)
		want   []string
	}{
		"no such zip":  {map[string]string{"bundle": "app.zip"}, nil, []string{`input bundle: "app.zip" is neither minimal nor source, and there is no zip of that path`}},
		"a folder":     {map[string]string{"bundle": "app"}, func(t *testing.T, s *stage) { s.file(t, "app/x", "") }, []string{"input bundle: \"app\" is a folder; to ship it whole, write `bundle: source` and `source: app`"}},
		"no zip":       {map[string]string{"bundle": "app.zip"}, func(t *testing.T, s *stage) { s.file(t, "app.zip", "x") }, []string{"app.zip: is no zip"}},
		"a source too": {map[string]string{"bundle": "app.zip", "source": "app"}, nil, []string{`input source: "app" is not used`, "input bundle: "}},
		"wrapped": {map[string]string{"bundle": "app.zip"}, func(t *testing.T, s *stage) {
			s.zip(t, "app.zip", map[string]string{"my app/docker-compose.yml": composeFile})
		}, []string{`all in it is below the folder "my app", and Elastic Beanstalk reads the file only at the root`}},
		"dangerous": {map[string]string{"bundle": "app.zip"}, func(t *testing.T, s *stage) { s.zip(t, "app.zip", map[string]string{"../x": "", "/y": ""}) }, []string{`app.zip: name "../x" leads elsewhere`, `app.zip: name "/y" is absolute`}},
		"a leaving link": {map[string]string{"bundle": "source"}, func(t *testing.T, s *stage) {
			for _, link := range []string{"one", "two"} {
				if err := os.Symlink("/etc/passwd", filepath.Join(s.dir, link)); err != nil {
					t.Fatal(err)
				}
			}
		}, []string{"link one leaves the tree", "link two leaves the tree"}},
	} {
		t.Run(name, func(t *testing.T) {
			on(t, func(t *testing.T, s *stage) {
				for input, value := range c.inputs {
					s.inputs[input] = value
				}
				if c.make != nil {
					c.make(t, s)
				}
				s.rejects(t, c.want...)
			})
		})
	}
}

func TestWarnsOfLatest(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["tags"], s.inputs["digests"] = `{"frontend":"latest","backend":"t"}`, ""
		s.file(t, "docker-compose.yml", composeFile+"  proxy:\n    image: nginx:latest\n  fixed:\n    image: nginx:1.27\n  open:\n    image: nginx:${TAG}\n")
		s.inputs["env-vars"] = "TAG=1"
		got := s.run(t)
		for _, want := range []string{`file=docker-compose.yml,line=4::docker-compose.yml:4: image "guk0/docker-frontend:latest"`, `file=docker-compose.yml,line=14::docker-compose.yml:14: image "nginx:latest" is whatever is latest`} {
			if !strings.Contains(got.log, want) {
				t.Errorf("the log lacks %q", want)
			}
		}
		if got.result() != "deployed" || strings.Count(got.log, "::warning") != 2 {
			t.Errorf("%s", got)
		}
	})
}

// TestManyFiles has more files than a dry run lists.
func TestManyFiles(t *testing.T) {
	on(t, func(t *testing.T, s *stage) {
		s.inputs["bundle"], s.inputs["dry-run"] = "source", "true"
		for i := range 120 {
			s.file(t, fmt.Sprintf("web/%d/x", i), "12345")
		}
		s.file(t, "api/x", "1")
		s.file(t, "web.txt", "123")
		got := s.run(t)
		const want = "sha256       "
		_, list, _ := strings.Cut(got.log, want)
		_, list, _ = strings.Cut(list, "\n")
		const lines = "      1 files            1  api/\n   -rw-r--r--          356  docker-compose.yml\n   -rw-r--r--            3  web.txt\n    120 files          600  web/\n"
		if !strings.HasPrefix(list, lines) {
			t.Errorf("got\n%s\nwant\n%s", list, lines)
		}
	})
}

// TestKeepMounts has the mounts of a build context kept, with what they mount.
func TestKeepMounts(t *testing.T) {
	for keep, want := range map[string]string{"false": "", "true": "the code"} {
		on(t, func(t *testing.T, s *stage) {
			s.file(t, "frontend/app.js", "the code")
			s.inputs["keep-mounts"] = keep
			if got := s.run(t); got.result() != "deployed" {
				t.Fatalf("%s", got)
			}
			files := s.uploaded(t)
			if got := files["frontend/app.js"]; got != want || strings.Contains(files["docker-compose.yml"], "./frontend:/app") != (want != "") {
				t.Errorf("keep-mounts: %s: %q, %s", keep, got, files["docker-compose.yml"])
			}
		})
	}
}
