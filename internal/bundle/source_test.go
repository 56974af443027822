package bundle

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const plainService = "services: {a: {image: x}}\n"

// source bundles a tree around a file that is not in it.
func source(t *testing.T, dir string) (*Bundle, error) {
	t.Helper()
	return sourceOf(t, Tree{Dir: dir, File: "none.yml", Name: dockerComposeName}, plainService)
}

func sourceOf(t *testing.T, tree Tree, src string) (*Bundle, error) {
	t.Helper()
	rendered, err := RenderCompose(tree.File, []byte(src), nil)
	if err != nil {
		t.Fatal(err)
	}
	return Source(t.Context(), tree, rendered)
}

func TestSource(t *testing.T) {
	dir := tree(t, map[string]string{
		".git/HEAD": "x", "sub/.git": "gitdir: ../.git/modules/sub", "sub/f": "x",
		".gitignore": "node_modules/\n*.log\n", "node_modules/m/i.js": "x", "a.log": "x", "backend/b.log": "x", "backend/server.js": "x",
		"ops/prod.yml": "the original", "ops/web.env": "x", "docker-compose.yml": "for development", "docker-compose.override.yml": "x", "compose.yaml": "x",
		"sub/compose.yaml": "x", "Dockerrun.aws.json": `{"AWSEBDockerrunVersion":2}`,
		"bin/run*": "x", "bin/link@": "run", "bin/folder@": "../backend", "bin/hole@": "nothing", ".ebextensions/1.config": "x", ".env": "A=1",
	})
	b, err := sourceOf(t, Tree{Dir: dir, File: "ops/prod.yml", Name: dockerComposeName},
		"services: {a: {image: x, env_file: [ops/web.env, .env], volumes: ['./bin/folder/server.js:/s', './backend:/b', './data:/data']}}\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"100644 .ebextensions/1.config", "100644 .env", "100644 .gitignore", "100644 backend/server.js", "120000 bin/folder", "120000 bin/hole", "120000 bin/link", "100755 bin/run",
		"100644 docker-compose.yml", "100644 ops/web.env", "100644 sub/compose.yaml", "100644 sub/f",
	}
	if diff := cmp.Diff(want, listing(b)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	const wantChanges = `0 Dockerrun.aws.json left out: only version 3 goes with a Compose file
0 compose.yaml left out: Docker Compose would read it beside or instead of docker-compose.yml
0 docker-compose.override.yml left out: Docker Compose would read it beside or instead of docker-compose.yml
0 docker-compose.yml left out: another file goes in under its name
0 ops/prod.yml left out: it goes in, rendered, as docker-compose.yml
1 a: volume ./data does not exist in the tree: an empty folder is created on the instance
0 3 left out by .gitignore: a.log, backend/b.log, node_modules
`
	if diff := cmp.Diff(wantChanges, changeLines(b.Changes())); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
	if w := b.Warnings(); len(w) != 1 || !strings.Contains(w[0].Error(), ".env is in the bundle") {
		t.Errorf("warnings: %v", w)
	}
}

// TestSourceOriginals shows that no file ships which the rendered one stands for.
func TestSourceOriginals(t *testing.T) {
	dir := tree(t, map[string]string{"docker-compose.yml@": "ops/now.yml", "ops/now.yml@": "prod.yml", "ops/prod.yml": "x", "ops/other.yml": "x"})
	b, err := sourceOf(t, Tree{Dir: dir, File: dockerComposeName, Name: dockerComposeName}, plainService)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"100644 docker-compose.yml", "100644 ops/other.yml"}, listing(b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	dir = tree(t, map[string]string{"Dockerrun.aws.json": "x", "docker-compose.yml": "x", "a": "x"})
	rendered, err := RenderDockerrun(dockerrunName, []byte(`{"AWSEBDockerrunVersion":2,"containerDefinitions":[{"name":"a","image":"x:1","memory":1}]}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err = Source(t.Context(), Tree{Dir: dir, File: dockerrunName, Name: dockerrunName}, rendered)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"100644 Dockerrun.aws.json", "100644 a"}, listing(b)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

const (
	pulledFile = `{"AWSEBDockerrunVersion":"1","Image":{"Name":"x:1"},"Ports":[{"ContainerPort":80}]}`
	builtFile  = `{"AWSEBDockerrunVersion":"1","Logging":"/var/log"}`
)

// TestSourceBesideADockerfile ships it only where it is what is to run.
func TestSourceBesideADockerfile(t *testing.T) {
	for name, c := range map[string]struct {
		src, ignore string
		want        []string
		problem     string
	}{
		"an image":   {pulledFile, "", []string{"100644 .ebignore", "100644 Dockerrun.aws.json", "100644 sub/Dockerfile"}, ""},
		"no image":   {builtFile, "", []string{"100644 .ebignore", "100644 Dockerfile", "100644 Dockerrun.aws.json", "100644 sub/Dockerfile"}, ""},
		"it is left": {builtFile, "Dockerfile\n", nil, "D:1: no Image is named, and Dockerfile is left out by .ebignore"},
	} {
		rendered, err := RenderDockerrun("D", []byte(c.src), nil, Built(true))
		if err != nil {
			t.Fatal(err)
		}
		dir := tree(t, map[string]string{"Dockerrun.aws.json": c.src, "Dockerfile": "x", "sub/Dockerfile": "x", ".ebignore": c.ignore})
		b, err := Source(t.Context(), Tree{Dir: dir, File: dockerrunName, Name: dockerrunName}, rendered)
		if c.problem != "" {
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, listing(b)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSourceIgnoreFiles(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		below string
		want  []string
	}{
		".ebignore comes first": {map[string]string{".gitignore": "a\n", ".ebignore": "b\n", "a": "", "b": "", "c/.gitignore": "d\n", "c/d": "", "c/.ebignore": "e\n", "c/e": ""}, "",
			[]string{".ebignore", ".gitignore", "a", "c/.ebignore", "c/.gitignore", "c/d", "docker-compose.yml"}},
		"an empty one too": {map[string]string{".gitignore": "a\n", ".ebignore": "", "a": ""}, "", []string{".ebignore", ".gitignore", "a", "docker-compose.yml"}},
		".ebignore is a link": {map[string]string{".ebignore@": ".dockerignore", ".dockerignore": "a\n", "a": "", "b": "", "c/a": ""}, "",
			[]string{".dockerignore", ".ebignore", "b", "docker-compose.yml"}},
		"those above": {map[string]string{".git/HEAD": "", ".gitignore": "a\n/app/b\n/c\n", "app/.gitignore": "!app/d/a\n", "app/a": "", "app/b": "", "app/c": "", "app/d/a": "", "app/d/e": ""}, "app",
			[]string{".gitignore", "c", "d/e", "docker-compose.yml"}},
		"not beyond the repository": {map[string]string{".gitignore": "a\n", "app/.git": "", "app/a": ""}, "app", []string{"a", "docker-compose.yml"}},
		"not without a repository":  {map[string]string{".gitignore": "a\n", "app/a": ""}, "app", []string{"a", "docker-compose.yml"}},
	} {
		b, err := source(t, filepath.Join(tree(t, c.files), c.below))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range b.Files() {
			got = append(got, f.Path)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestSourceErrors(t *testing.T) {
	dir := tree(t, map[string]string{
		"abs@": "/etc/hostname", "x/up@": "../../out", "here@": ".", "round@": "here/../out", "loop@": "loop", "fine@": "x", "x/f": "",
		`a\b`: "", ".ebignore": "secret/\ndata/\n", "secret/s": "", "data/d": "",
	})
	if err := syscall.Mkfifo(filepath.Join(dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := sourceOf(t, Tree{Dir: dir, File: "none.yml", Name: dockerComposeName},
		"services:\n  a:\n    image: x\n    env_file: [gone.env, secret/s, ../x, x/f, fine/f]\n    volumes: ['./data:/d', './secret/s.conf:/x']\n")
	if err == nil {
		t.Fatal("no error")
	}
	const want = `file name "a\\b": a bundle's names are UTF-8 without control characters and backslashes: rename it
link abs leaves the tree (it points to /etc/hostname): put the file in its place
link loop can't be followed within the tree (it points to loop): put the file in its place
pipe is neither file, folder nor link: leave it out in .ebignore
link round can't be followed within the tree (it points to here/../out): put the file in its place
link x/up leaves the tree (it points to ../../out): put the file in its place
none.yml:4: env_file gone.env does not exist: add the file or take it out
none.yml:4: env_file secret/s is left out by .ebignore: change the rule there, or take it out here
none.yml:4: env_file ../x: leaves the tree, from whose root paths count: put it into the tree
none.yml:5: volume ./secret/s.conf does not exist, and a folder would be created in its place: add the file or take the mount out`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
