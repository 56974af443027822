package bundle

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// given is an image r/NAME:1 for each name.
func given(names ...string) map[string]string {
	images := map[string]string{}
	for _, name := range names {
		images[name] = "r/" + name + ":1"
	}
	return images
}

func changeLines(changes []Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprintf(&b, "%d %s\n", c.Line, c)
	}
	return b.String()
}

var composeCases = []struct {
	name, src, want string
	images          []string
	changes         string
}{
	{
		name:   "only the image changes",
		src:    "# head\nservices:\n  a:   # the a\n    image:   x/y  # was\n    ports: [ '80:80' ]\n\nx-own: {k:  v}\n",
		images: []string{"a"},
		want:   "# head\nservices:\n  a:   # the a\n    image:   r/a:1  # was\n    ports: [ '80:80' ]\n\nx-own: {k:  v}\n",
		changes: `4 a: image "x/y" → "r/a:1"
`,
	},
	{
		name:   "quotes stay",
		src:    "services:\n  a: {image: 'x'}\n  b: {\"image\": \"x\", z: 1}\n  c:\n    'image': x\n",
		images: []string{"a", "b", "c"},
		want:   "services:\n  a: {image: 'r/a:1'}\n  b: {\"image\": \"r/b:1\", z: 1}\n  c:\n    'image': r/c:1\n",
		changes: `2 a: image "x" → "r/a:1"
3 b: image "x" → "r/b:1"
5 c: image "x" → "r/c:1"
`,
	},
	{
		name:    "the same image is no change",
		src:     "services:\n  a:\n    image: r/a:1\n",
		images:  []string{"a"},
		want:    "services:\n  a:\n    image: r/a:1\n",
		changes: "",
	},
	{
		name:    "nothing given",
		src:     "services:\n  a:\n    image: x\n",
		want:    "services:\n  a:\n    image: x\n",
		changes: "",
	},
	{
		name:   "CRLF and no final line break",
		src:    "services:\r\n  a:\r\n    build:\r\n      context: .\r\n    image: x\r\n  b:\r\n    image: y\r\n    build: b",
		images: []string{"a", "b"},
		want:   "services:\r\n  a:\r\n    image: r/a:1\r\n  b:\r\n    image: r/b:1",
		changes: `3 a: build removed
5 a: image "x" → "r/a:1"
7 b: image "y" → "r/b:1"
8 b: build removed
`,
	},
	{
		name:   "the last lines go, and no final line break",
		src:    "services:\n  a:\n    image: x\n    # about build\n    build: .\n    pull_policy: build\n    volumes: [\".:/app\"]",
		images: []string{"a"},
		want:   "services:\n  a:\n    image: r/a:1\n    # about build",
		changes: `3 a: image "x" → "r/a:1"
5 a: build removed
6 a: pull_policy: build removed
7 a: volume .:/app removed: it would hide the image
`,
	},
	{
		name:   "the last item and the last lines go, and no final line break",
		src:    "services:\n  a:\n    image: x\n    volumes:\n      - d:/d\n      - .:/app\n    build: .",
		images: []string{"a"},
		want:   "services:\n  a:\n    image: r/a:1\n    volumes:\n      - d:/d",
		changes: `3 a: image "x" → "r/a:1"
6 a: volume .:/app removed: it would hide the image
7 a: build removed
`,
	},
	{
		name:   "byte order mark and letters of several bytes",
		src:    "\ufeffservices:\n  a: {labels: [\"기능 é\"], image: x}\n",
		images: []string{"a"},
		want:   "\ufeffservices:\n  a: {labels: [\"기능 é\"], image: r/a:1}\n",
		changes: `2 a: image "x" → "r/a:1"
`,
	},
	{
		name: "build goes with its own comments, not with its neighbours'",
		src: `services:
  a:
    # about the image
    image: x
    # about the build
    build:  # here
      context: .  # there
      # end of build

      # really the end
    # about the ports
    ports:
      - 80:80
`,
		images: []string{"a"},
		want: `services:
  a:
    # about the image
    image: r/a:1
    # about the build
    # about the ports
    ports:
      - 80:80
`,
		changes: `4 a: image "x" → "r/a:1"
6 a: build removed
`,
	},
	{
		name: "an image takes the place of build",
		src: `services:
  a:
    restart: always
    build: ./a   # own
    ports: ["80:80"]
  b:
    build:
      context: b
      # deep
  c: {build: c, restart: always}
  d: {build: {context: d}}
`,
		images: []string{"a", "b", "c", "d"},
		want: `services:
  a:
    restart: always
    image: r/a:1
    ports: ["80:80"]
  b:
    image: r/b:1
  c: {image: r/c:1, restart: always}
  d: {image: r/d:1}
`,
		changes: `2 a: image "r/a:1" added
4 a: build removed
6 b: image "r/b:1" added
7 b: build removed
10 c: image "r/c:1" added
10 c: build removed
11 d: image "r/d:1" added
11 d: build removed
`,
	},
	{
		name: "mounts of the build context",
		src: `services:
  a:
    image: x
    build: {context: ./a}
    volumes:
      - data:/data
      - ./a:/app   # live
      # - ./old:/old
      - /app/node_modules
      - /other
      - ./a/conf:/etc/conf:ro
      - ./ab:/ab
      - type: bind
        source: a/sub
        target: /sub
      - {type: volume, target: /sub/cache}
      - {type: volume, source: data, target: /sub/data}
      - {type: tmpfs, target: /app/tmp}
    tty: true
volumes: {data: }
`,
		images: []string{"a"},
		want: `services:
  a:
    image: r/a:1
    volumes:
      - data:/data
      # - ./old:/old
      - /other
      - ./ab:/ab
      - {type: volume, source: data, target: /sub/data}
      - {type: tmpfs, target: /app/tmp}
    tty: true
volumes: {data: }
`,
		changes: `3 a: image "x" → "r/a:1"
4 a: build removed
7 a: volume ./a:/app removed: it would hide the image
9 a: volume /app/node_modules removed: it belongs to ./a:/app
11 a: volume ./a/conf:/etc/conf removed: it would hide the image
13 a: volume a/sub:/sub removed: it would hide the image
16 a: volume /sub/cache removed: it belongs to a/sub:/sub
`,
	},
	{
		name:   "mounts in flow style",
		src:    "services:\n  a: {image: x, build: ., volumes: [.:/app, /app/n, source: , d:/d, /app/m], tty: true}\n  b: {volumes: [\"./b:/app\"], image: x, build: b}\n",
		images: []string{"a", "b"},
		want:   "services:\n  a: {image: r/a:1, volumes: [source: , d:/d], tty: true}\n  b: {image: r/b:1}\n",
		changes: `2 a: image "x" → "r/a:1"
2 a: build removed
2 a: volume .:/app removed: it would hide the image
2 a: volume /app/n removed: it belongs to .:/app
2 a: volume /app/m removed: it belongs to .:/app
3 b: image "x" → "r/b:1"
3 b: build removed
3 b: volume ./b:/app removed: it would hide the image
`,
	},
	{
		name: "flow style over lines",
		src: `services:
  a: {
    image: x,  # which
    build: {   # how
      context: .
    },  # end of build
    # about restart
    restart: always,
    volumes: [
      d:/d,  # data
      .:/app ,
    ]
  }
`,
		images: []string{"a"},
		want: `services:
  a: {
    image: r/a:1,  # which
    # about restart
    restart: always,
    volumes: [
      d:/d,  # data
      
    ]
  }
`,
		changes: `3 a: image "x" → "r/a:1"
4 a: build removed
11 a: volume .:/app removed: it would hide the image
`,
	},
	{
		name:   "JSON is YAML",
		src:    "{\n\t\"services\": {\n\t\t\"a\": {\n\t\t\t\"build\": \".\",\n\t\t\t\"image\": \"x\"\n\t\t}\n\t}\n}\n",
		images: []string{"a"},
		want:   "{\n\t\"services\": {\n\t\t\"a\": {\n\t\t\t\"image\": \"r/a:1\"\n\t\t}\n\t}\n}\n",
		changes: `4 a: build removed
5 a: image "x" → "r/a:1"
`,
	},
	{
		name: "a merged build, and an anchor that others use",
		src: `x-app: &app
  image: x
  build: &here {context: .}
  restart: always  # keep
services:
  a:
    <<: *app  # base
    tty: true
  b:
    image: y
    build: *here
  c:
    <<: [{labels: {k: v}}, *app]
    image: z
`,
		images: []string{"a", "b", "c"},
		want: `x-app: &app
  image: x
  build: &here {context: .}
  restart: always  # keep
services:
  a:
    image: r/a:1
    restart: always  # base
    tty: true
  b:
    image: r/b:1
  c:
    labels: {k: v}
    restart: always
    image: r/c:1
`,
		changes: `2 a: image "x" → "r/a:1"
3 a: build removed
3 c: build removed
10 b: image "y" → "r/b:1"
11 b: build removed
14 c: image "z" → "r/c:1"
`,
	},
	{
		name: "a service that others are aliases of",
		src: `services:
  a: &a
    image: &img x
    volumes: &v [ ".:/app", data:/d ]
    build: .
  b: *a
  c: { image: *img, volumes: *v }
  d:
    <<: *a
    build: ./d
`,
		images: []string{"a", "b", "d"},
		want: `services:
  a: &a
    image: &img r/a:1
    volumes: &v [ data:/d ]
  b:
    image: r/b:1
    volumes: ['data:/d']
  c: { image: x, volumes: [".:/app", 'data:/d'] }
  d:
    image: r/d:1
    volumes: [".:/app", 'data:/d']
`,
		changes: `3 a: image "x" → "r/a:1"
3 b: image "x" → "r/b:1"
3 d: image "x" → "r/d:1"
4 a: volume .:/app removed: it would hide the image
4 b: volume .:/app removed: it would hide the image
5 a: build removed
5 b: build removed
10 d: build removed
`,
	},
	{
		name:   "values without letters in what is written out",
		src:    "x-a: &a\n  build: .\n  environment: {A, B: }\n  labels:\n    l: |\n      1\n      2\nservices:\n  a:\n    <<: *a\n    image: x\n",
		images: []string{"a"},
		want:   "x-a: &a\n  build: .\n  environment: {A, B: }\n  labels:\n    l: |\n      1\n      2\nservices:\n  a:\n    environment: {A: null, B: null}\n    labels:\n      l: \"1\\n2\\n\"\n    image: r/a:1\n",
		changes: `2 a: build removed
11 a: image "x" → "r/a:1"
`,
	},
	{
		name:   "a build of its own over a merged one, which must not come back",
		src:    "x-a: &a\n  build: .\n  image: y\n  volumes: [\".:/b\"]\nservices:\n  a:\n    <<: *a\n    build: ./a\n    volumes: [\"./a:/a\"]\n    tty: true\n",
		images: []string{"a"},
		want:   "x-a: &a\n  build: .\n  image: y\n  volumes: [\".:/b\"]\nservices:\n  a:\n    image: r/a:1\n    tty: true\n",
		changes: `3 a: image "y" → "r/a:1"
8 a: build removed
9 a: volume ./a:/a removed: it would hide the image
`,
	},
	{
		name:   "comments that need no space",
		src:    "x-a: &a {build: .}\nservices:\n  a: {build: {context: .}#one\n    }\n  b:\n    image: x\n    <<: [*a]#two\n    tty: true\n",
		images: []string{"a", "b"},
		want:   "x-a: &a {build: .}\nservices:\n  a: {image: r/a:1 #one\n    }\n  b:\n    image: r/b:1\n    tty: true\n",
		changes: `1 b: build removed
3 a: image "r/a:1" added
3 a: build removed
6 b: image "x" → "r/b:1"
`,
	},
	{
		name:   "an aliased image",
		src:    "x-i: &i x\nservices:\n  a:\n    image: *i # one\n  b: {image: *i , tty: true}\n",
		images: []string{"a"},
		want:   "x-i: &i x\nservices:\n  a:\n    image: r/a:1 # one\n  b: {image: *i , tty: true}\n",
		changes: `4 a: image "x" → "r/a:1"
`,
	},
	{
		name:   "aliased volumes, of which some go",
		src:    "x-v: &v\n  - .:/app\n  - d:/d\nservices:\n  a:\n    image: x\n    build: .\n    volumes: *v  # both\n  b:\n    image: y\n    volumes: *v\n",
		images: []string{"a"},
		want:   "x-v: &v\n  - .:/app\n  - d:/d\nservices:\n  a:\n    image: r/a:1\n    volumes:\n      - d:/d  # both\n  b:\n    image: y\n    volumes: *v\n",
		changes: `2 a: volume .:/app removed: it would hide the image
6 a: image "x" → "r/a:1"
7 a: build removed
`,
	},
	{
		name:   "folded, literal and many-line images",
		src:    "services:\n  a:\n    image: >-  # why\n      x/y\n\n    tty: true\n  b:\n    image: |-\n      z\n  c:\n    image:\n      x\n  d:\n    image: !!str \"x\\\n      y\"\n    tty: true\n",
		images: []string{"a", "b", "c", "d"},
		want:   "services:\n  a:\n    image: r/a:1  # why\n\n    tty: true\n  b:\n    image: r/b:1\n  c:\n    image:\n      r/c:1\n  d:\n    image: !!str \"r/d:1\"\n    tty: true\n",
		changes: `3 a: image "x/y" → "r/a:1"
8 b: image "z" → "r/b:1"
11 c: image "x" → "r/c:1"
14 d: image "xy" → "r/d:1"
`,
	},
	{
		name:   "items level with their key, and an explicit key",
		src:    "services:\n  a:\n    ? image\n    : x\n    build: .\n    volumes:\n    - .:/app\n    # about data\n    - d:/d\n    # about tty\n    tty: true\n",
		images: []string{"a"},
		want:   "services:\n  a:\n    ? image\n    : r/a:1\n    volumes:\n    # about data\n    - d:/d\n    # about tty\n    tty: true\n",
		changes: `3 a: image "x" → "r/a:1"
5 a: build removed
7 a: volume .:/app removed: it would hide the image
`,
	},
	{
		name:   "a base in the same file lends its context",
		src:    "services:\n  base:\n    image: x\n    build: ./base\n  a:\n    extends: base\n    volumes: [\"./base:/app\"]\n  b: {extends: {service: base}}\n",
		images: []string{"base", "a"},
		want:   "services:\n  base:\n    image: r/base:1\n  a:\n    image: r/a:1\n    extends: base\n  b: {extends: {service: base}}\n",
		changes: `3 base: image "x" → "r/base:1"
4 base: build removed
5 a: image "r/a:1" added
7 a: volume ./base:/app removed: it would hide the image
`,
	},
	{
		name:   "pull_policy: build goes with build",
		src:    "services:\n  a:\n    image: x\n    pull_policy: build\n    build: https://example.com/a.git\n    volumes: [\"./a:/app\"]\n",
		images: []string{"a"},
		want:   "services:\n  a:\n    image: r/a:1\n    volumes: [\"./a:/app\"]\n",
		changes: `3 a: image "x" → "r/a:1"
4 a: pull_policy: build removed
5 a: build removed
`,
	},
	{
		name:   "a context named by a variable",
		src:    "services:\n  a:\n    image: x\n    build: ${SRC:-.}/a\n    volumes:\n      - ${SRC:-.}/a/:/app:ro\n      - ${SRC:-.}/b:/b\n",
		images: []string{"a"},
		want:   "services:\n  a:\n    image: r/a:1\n    volumes:\n      - ${SRC:-.}/b:/b\n",
		changes: `3 a: image "x" → "r/a:1"
4 a: build removed
6 a: volume ${SRC:-.}/a/:/app removed: it would hide the image
`,
	},
	{
		name:   "documents may begin and end with a mark",
		src:    "%YAML 1.1\n---\nservices:\n  a: {image: x}\n...\n",
		images: []string{"a"},
		want:   "%YAML 1.1\n---\nservices:\n  a: {image: r/a:1}\n...\n",
		changes: `4 a: image "x" → "r/a:1"
`,
	},
}

func TestRenderCompose(t *testing.T) {
	for _, c := range composeCases {
		t.Run(c.name, func(t *testing.T) {
			got, err := RenderCompose("docker-compose.yml", []byte(c.src), given(c.images...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, string(got.Content)); diff != "" {
				t.Errorf("content (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.changes, changeLines(got.Changes)); diff != "" {
				t.Errorf("changes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRenderComposeTwice(t *testing.T) {
	for _, c := range composeCases {
		once, err := RenderCompose("docker-compose.yml", []byte(c.want), given(c.images...))
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if diff := cmp.Diff(c.want, string(once.Content)); diff != "" || len(once.Changes) > 0 {
			t.Errorf("%s: rendered again it changes: %v\n%s", c.name, once.Changes, diff)
		}
	}
}

func TestKeepMounts(t *testing.T) {
	src := "services:\n  a:\n    image: x\n    build: .\n    volumes: [\".:/app\"]\n"
	got, err := RenderCompose("c.yml", []byte(src), given("a"), KeepMounts(true))
	if err != nil {
		t.Fatal(err)
	}
	if want := "services:\n  a:\n    image: r/a:1\n    volumes: [\".:/app\"]\n"; string(got.Content) != want {
		t.Errorf("got %q, want %q", got.Content, want)
	}
}

func TestImagesThatReadAsNumbers(t *testing.T) {
	for _, text := range []string{"123", "12:30", "1e3", "true", "null", "on", "0x1f"} {
		got, err := RenderCompose("c.yml", []byte("services: {a: {image: x}}\n"), map[string]string{"a": text})
		if want := fmt.Sprintf("services: {a: {image: %q}}\n", text); err != nil || string(got.Content) != want {
			t.Errorf("image %q: %q, %v; want %q", text, got.Content, err, want)
		}
	}
}

func TestComposeErrors(t *testing.T) {
	for _, c := range []struct {
		name, src string
		images    []string
		want      string
	}{
		{"build without image given", "services:\n  a: {build: .}\n  b: {image: x}\n", []string{"b"},
			"f.yml:2: service \"a\" has build, and no image is given for it (given: b): build and push it, and pass its image"},
		{"neither", "services:\n  a:\n    tty: true\n  b:\n  c: text\n", nil,
			"f.yml:2: service \"a\" has neither image nor build: add one of them\n" +
				"f.yml:4: service \"b\" is empty; write a mapping with image or build\n" +
				"f.yml:5: service \"c\" is \"text\"; write a mapping with image or build"},
		{"neither, though an image is given", "services:\n  a: {}\n", []string{"a"},
			"f.yml:2: service \"a\" has neither image nor build: add one of them"},
		{"unknown service", "services:\n  frontend: {image: x}\n  nginx: {image: x}\n", []string{"fronted"},
			"f.yml: an image is given for \"fronted\", which is no service of the file; it has frontend, nginx; did you mean \"frontend\"?"},
		{"image of a wrong type", "services:\n  a: {image: 1.5}\n  b: {image: [x]}\n  c: {image: }\n", nil,
			"f.yml:2: the image of service \"a\" is \"1.5\"; write a text such as nginx:1.27\n" +
				"f.yml:3: the image of service \"b\" is a list; write a text such as nginx:1.27\n" +
				"f.yml:4: the image of service \"c\" is empty; write a text such as nginx:1.27"},
		{"volumes of a wrong type", "services:\n  a:\n    image: x\n    build: .\n    volumes: .:/app\n", []string{"a"},
			"f.yml:5: volumes of service \"a\" is \".:/app\"; write a list"},
		{"name of a wrong type", "services:\n  1: {image: x}\n", nil,
			"f.yml:2: a service's name is a text; found \"1\": quote it"},
		{"other files", "include: [b.yml]\nservices:\n  a: {extends: {file: b.yml, service: a}}\n", nil,
			"f.yml:1: include: reads files that are not rendered: write them into one with `docker compose config`\n" +
				"f.yml:3: service \"a\" extends one of another file, which is not rendered: write them into one with `docker compose config`"},
		{"no services", "version: '3'\n", nil, "f.yml:1: no services: in the file; put the services below it"},
		{"services empty", "services:\n", nil, "f.yml:1: services: is empty; put a name for each service below it"},
		{"no mapping", "- a\n", nil, "f.yml:1: a Compose file is a mapping with services: in it; found a list"},
		{"a tab, and more below", "services:\n  a:\n\ttty: true\n  b: {tty: true}\n", []string{"c"},
			"f.yml:3: a tab in the indentation, which YAML does not allow: write 4 spaces in its place\n" +
				"f.yml:2: service \"a\" has neither image nor build: add one of them\n" +
				"f.yml:4: service \"b\" has neither image nor build: add one of them\n" +
				"f.yml: an image is given for \"c\", which is no service of the file; it has a, b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := RenderCompose("f.yml", []byte(c.src), given(c.images...))
			if err == nil {
				t.Fatalf("no error; rendered %q", got.Content)
			}
			if diff := cmp.Diff(c.want, strings.TrimSpace(err.Error())); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestComposeRefusesWhatIsNoImage(t *testing.T) {
	_, err := RenderCompose("f.yml", []byte("services: {a: {image: x}}"), map[string]string{"a": "x, tty: true"})
	if err == nil || !strings.Contains(err.Error(), `service "a": image "x, tty: true" is no image reference`) {
		t.Errorf("got %v", err)
	}
}
