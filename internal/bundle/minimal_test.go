package bundle

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// tree writes files: "path" or "path*" for an executable to its content, and
// "path@" to a link's target.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		p := filepath.Join(dir, strings.TrimRight(name, "*@"))
		if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
			t.Fatal(err)
		}
		var err error
		switch name[len(name)-1] {
		case '@':
			err = os.Symlink(content, p)
		case '*':
			err = os.WriteFile(p, []byte(content), 0o700)
		default:
			err = os.WriteFile(p, []byte(content), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// minimal renders a file without images and bundles it.
func minimal(ctx context.Context, dir, name, src string) (*Bundle, error) {
	render := RenderCompose
	if name == dockerrunName {
		render = func(file string, src []byte, images map[string]string, _ ...Option) (Rendered, error) {
			return RenderDockerrun(file, src, images)
		}
	}
	rendered, err := render(name, []byte(src), nil)
	if err != nil {
		return nil, err
	}
	return Minimal(ctx, Tree{Dir: dir, File: name, Name: name}, rendered)
}

func listing(b *Bundle) []string {
	var lines []string
	for _, f := range b.Files() {
		lines = append(lines, gitMode(f.Mode)+" "+f.Path)
	}
	return lines
}

const everything = `services:
  a:
    image: x
    env_file:
      - .env
      - ./conf/a.env
      - path: conf/none.env
        required: false
    label_file: labels
    volumes:
      - ./nginx/conf.d:/etc/nginx/conf.d:ro
      - ./link/file.txt:/file.txt
      - ./data:/data
      - named:/named
      - /host:/host
      - ~/.aws:/aws
      - ${DIR}/x:/x
      - /var/app/current/static:/static
      - type: bind
        source: long
        target: /long
      - ${EB_LOG_BASE_DIR}/a:/var/log/a
  b:
    image: y
    env_file: conf/b.env
configs:
  c: {file: ./conf/c.json}
  e: {environment: X}
secrets:
  s:
    file: conf/s.txt
`

func TestMinimal(t *testing.T) {
	dir := tree(t, map[string]string{
		".env": "SECRET=1", ".git/HEAD": "x", "README.md": "x", "docker-compose.yml": "old", "frontend/app.js": "x",
		".ebextensions/1.config": "x", ".platform/hooks/prebuild/a.sh*": "x", ".platform/.env": "x",
		"conf/a.env": "x", "conf/b.env": "x", "conf/c.json": "x", "conf/s.txt": "x", "conf/other": "x", "labels": "x",
		"nginx/conf.d/default.conf": "x", "nginx/conf.d/sub/more.conf": "x", "nginx/Dockerfile": "x",
		"link@": "real", "real/file.txt": "x", "real/unnamed": "x", "static/a.css": "x", "long/l": "x",
		"Dockerrun.aws.json": `{"AWSEBDockerrunVersion":"3"}`,
	})
	b, err := minimal(t.Context(), dir, "docker-compose.yml", everything)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"100644 .ebextensions/1.config", "100755 .platform/hooks/prebuild/a.sh", "100644 Dockerrun.aws.json",
		"100644 conf/a.env", "100644 conf/b.env", "100644 conf/c.json", "100644 conf/s.txt", "100644 docker-compose.yml",
		"100644 labels", "120000 link", "100644 long/l", "100644 nginx/conf.d/default.conf", "100644 nginx/conf.d/sub/more.conf",
		"100644 real/file.txt", "100644 static/a.css",
	}
	if diff := cmp.Diff(want, listing(b)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	wantChanges := "0 .platform/.env left out: it holds local settings\n" +
		"13 a: volume ./data does not exist in the tree: an empty folder is created on the instance\n" +
		"17 a: volume ${DIR}/x is not in the bundle: its path has a variable\n"
	if diff := cmp.Diff(wantChanges, changeLines(b.Changes())); diff != "" {
		t.Errorf("changes (-want +got):\n%s", diff)
	}
}

func TestMinimalDockerrun(t *testing.T) {
	dir := tree(t, map[string]string{"proxy/conf.d/a.conf": "x", "other": "x", "docker-compose.yml": "x"})
	for _, src := range []string{
		`{"AWSEBDockerrunVersion":2,"containerDefinitions":[{"name":"a","image":"x:1","memory":1}],"volumes":[{"name":"p","host":{"sourcePath":"/var/app/current/proxy/conf.d"}},{"name":"l","host":{"sourcePath":"/var/log"}}]}`,
		`{"AWSEBDockerrunVersion":"1","Image":{"Name":"x:1"},"Ports":[{"ContainerPort":80}],"Volumes":[{"HostDirectory":"/var/app/current/proxy","ContainerDirectory":"/p"}]}`,
	} {
		b, err := minimal(t.Context(), dir, "Dockerrun.aws.json", src)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"100644 Dockerrun.aws.json", "100644 proxy/conf.d/a.conf"}, listing(b)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", src, diff)
		}
	}
}

func TestMinimalLeavesOtherDockerrunsOut(t *testing.T) {
	for content, why := range map[string]string{
		`{"AWSEBDockerrunVersion":2}`: "only version 3 goes with a Compose file",
		`{"AWSEBDOCKERrunVersion":2}`: "did you mean",
	} {
		b, err := minimal(t.Context(), tree(t, map[string]string{"Dockerrun.aws.json": content}), "docker-compose.yml", "services: {a: {image: x}}")
		if err != nil {
			t.Fatal(err)
		}
		if got := changeLines(b.Changes()); len(b.Files()) != 1 || !strings.Contains(got, why) {
			t.Errorf("%s: %v, %q; want one file and %q", content, listing(b), got, why)
		}
	}
}

func TestMinimalErrors(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	dir := tree(t, map[string]string{
		"abs@": outside, "up@": "../outside", "hole@": "nothing", "loop@": "loop", "up/../self/here@": "..",
		"deep/up@": "../../x", "backend/.env": "x", "envlink@": ".env", ".env": "x",
	})
	src := `services:
  a:
    image: x
    env_file: [abs, up, hole, loop, missing.env, ../x.env, backend/.env, envlink]
    volumes:
      - ./missing.conf:/m
      - ../x:/x
      - ./self/here:/h
      - ./deep:/deep
      - {type: bind, source: ./none, target: /n, bind: {create_host_path: false}}
`
	_, err := minimal(t.Context(), dir, "docker-compose.yml", src)
	if err == nil {
		t.Fatal("no error")
	}
	want := strings.ReplaceAll(`docker-compose.yml:4: env_file abs: link abs leaves the tree (it points to OUTSIDE): put the file in its place
docker-compose.yml:4: env_file up: link up leaves the tree (it points to ../outside): put the file in its place
docker-compose.yml:4: env_file hole: link hole points to nothing, which is not in the tree: put the file there
docker-compose.yml:4: env_file loop: loop: more than 40 links in a row
docker-compose.yml:4: env_file missing.env does not exist: add the file or take it out
docker-compose.yml:4: env_file ../x.env: leaves the tree, from whose root paths count: put it into the tree
docker-compose.yml:4: env_file backend/.env: backend/.env is not put into a bundle, since it holds local settings: rename it, or set environment properties
docker-compose.yml:4: env_file envlink: .env is not put into a bundle, since it holds local settings: rename it, or set environment properties
docker-compose.yml:6: volume ./missing.conf does not exist, and a folder would be created in its place: add the file or take the mount out
docker-compose.yml:7: volume ../x: leaves the tree, from whose root paths count: put it into the tree
docker-compose.yml:8: volume ./self/here: link self/here points to a folder that holds it (..): link to what is needed
docker-compose.yml:9: volume ./deep: link deep/up leaves the tree (it points to ../../x): put the file in its place
docker-compose.yml:10: volume ./none does not exist: add the file or take it out`, "OUTSIDE", outside)
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestMinimalPlaces has lines taken out above what is missing, and a bind that
// goes, so that nothing of it is needed.
func TestMinimalPlaces(t *testing.T) {
	src := "services:\n  a:\n    image: x\n    build:\n      context: ./a\n    volumes:\n      - ./a:/app\n      - ./gone.conf:/x\n    env_file: gone.env\nsecrets:\n  s: {file: s.txt}\n"
	want := `app/x.yml:9: env_file gone.env does not exist: add the file or take it out
app/x.yml:8: volume ./gone.conf does not exist, and a folder would be created in its place: add the file or take the mount out
app/x.yml:11: secrets: file s.txt does not exist: add the file or take it out`
	dir := tree(t, map[string]string{"a/up@": "../../x"})
	for name, c := range map[string]struct {
		src    string
		images map[string]string
		passes bool
	}{
		"rendered":                 {src, given("a"), true},
		"no image given":           {src, nil, false},
		"an image that is no text": {strings.Replace(src, "image: x", "image: [x]", 1), given("a"), false},
		"a tab":                    {strings.Replace(src, "    image", "\timage", 1), given("a"), false},
	} {
		rendered, err := RenderCompose("app/x.yml", []byte(c.src), c.images)
		if (err == nil) != c.passes {
			t.Fatalf("%s: %v", name, err)
		}
		_, err = Minimal(t.Context(), Tree{Dir: dir, File: "x.yml", Name: "docker-compose.yml"}, rendered)
		if err == nil {
			t.Fatalf("%s: no error", name)
		}
		if diff := cmp.Diff(want, err.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestMinimalBeside has a file whose author took paths from its folder.
func TestMinimalBeside(t *testing.T) {
	dir := tree(t, map[string]string{"ops/web.env": "x", "ops/data/x": "x", "top.env": "x", "both.env": "x", "ops/both.env": "x"})
	src := "services:\n  a:\n    image: x\n    env_file: [web.env, both.env, none.env]\n    volumes:\n      - ./data:/data\n      - ../top.env:/t\n"
	rendered, err := RenderCompose("ops/prod.yml", []byte(src), nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = Minimal(t.Context(), Tree{Dir: dir, File: "ops/prod.yml", Name: "docker-compose.yml"}, rendered)
	if err == nil {
		t.Fatal("no error")
	}
	const root = " is not there: paths count from `source`, at whose root the file stands as docker-compose.yml in the bundle; there is "
	want := "ops/prod.yml:4: env_file web.env" + root + "ops/web.env: write ./ops/web.env\n" +
		"ops/prod.yml:4: env_file none.env does not exist: add the file or take it out\n" +
		"ops/prod.yml:6: volume ./data" + root + "ops/data: write ./ops/data\n" +
		"ops/prod.yml:7: volume ../top.env" + root + "top.env: write ./top.env"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMinimalRefusesNames(t *testing.T) {
	for _, name := range []string{"a\nb", `a\b`, "a\xff"} {
		dir := tree(t, map[string]string{".platform/" + name: "x"})
		if _, err := minimal(t.Context(), dir, "c.yml", "services: {a: {image: x}}"); err == nil || !strings.Contains(err.Error(), "rename it") {
			t.Errorf("file %q: %v", name, err)
		}
	}
}

func TestMinimalStops(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := minimal(ctx, tree(t, map[string]string{".platform/a": "x"}), "c.yml", "services: {a: {image: x}}"); err == nil {
		t.Error("a cancelled bundle is made")
	}
}

func TestMinimalWithoutTree(t *testing.T) {
	_, err := minimal(t.Context(), filepath.Join(t.TempDir(), "none"), "c.yml", "services: {a: {image: x}}")
	if err == nil || !strings.Contains(err.Error(), "bundle of c.yml") {
		t.Errorf("got %v", err)
	}
}
