package travis_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/travis"
)

func file(name, text string) travis.File { return travis.File{Name: name, Source: []byte(text)} }

func TestReadPieces(t *testing.T) {
	root, err := travis.Read([]travis.File{file("a.yml", "# c\n---\nscript: x\n"), file("b.yml", "...\n\ndeploy:\n  provider: script\n")}, false)
	if err != nil {
		t.Fatal(err)
	}
	script := root.TakeText("script")
	if want := (travis.Text{Value: "x", Place: travis.Place{File: "a.yml", Line: 3}}); script != want {
		t.Errorf("script is %v, want %v", script, want)
	}
	rest := root.Rest()
	if len(rest) != 1 || rest[0].Name != "deploy" || rest[0].Place.String() != "b.yml:3" {
		t.Errorf("what nobody took is %v, want deploy at b.yml:3", rest)
	}
}

// Everything wrong is reported at once, with file and line.
func TestReadErrors(t *testing.T) {
	for _, c := range []struct {
		files []travis.File
		want  string
	}{
		{[]travis.File{file("a.yml", "script: x\n"), file("b.yml", "os: linux\nscript: y\n")}, "b.yml:2: key \"script\" is in a.yml:1 too: keep one of them"},
		{[]travis.File{file("a.yml", "- x\n")}, "a.yml:1: found a list; a .travis.yml has keys such as script: and deploy:"},
		{[]travis.File{file("a.yml", "")}, "a.yml: the file is empty"},
		{[]travis.File{file("a.yml", "script:\n\t- x\n"), file("b.yml", "os: [linux\n")}, "a.yml:2: a tab in the indentation, which YAML does not allow: write 2 spaces in its place\nb.yml:1: not valid YAML: did not find expected ',' or ']'"},
		{[]travis.File{file("a.yml", "script: x\nscript: y\n")}, "a.yml:2: key \"script\" is given twice, first on line 1: keep one"},
	} {
		_, err := travis.Read(c.files, false)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s:\n got %v\nwant %s", c.files[0].Source, err, c.want)
		}
	}
}

func TestRepairReads(t *testing.T) {
	root, err := travis.Read([]travis.File{file("a.yml", "script:\n\t- x\n")}, true)
	if err != nil || !root.Has("script") {
		t.Errorf("a tab is not read as spaces: %v", err)
	}
}

func TestReadEnv(t *testing.T) {
	for text, want := range map[string]string{
		"env: A=1 B='x y'":     "jobs A B",
		"env: [A=1, A=2]":      "jobs A; jobs A",
		"env: {A: 1, B: true}": "global A; global B",
		"env: {global: [A=1, {secure: x}], matrix: [B=1]}": "global A; global secret; jobs B",
		"env: {global: {A: {secure: x}}, jobs: {B: 1}}":    "global A secret; jobs B",
		"env: {A: 1, global: [B=1]}":                       "global B; global A",
		"env: {secure: x}":                                 "global secret",
		"env: [A=1, {secure: x}]":                          "global secret; jobs A",
		"env: 'no assignment'":                             "odd no assignment",
		"env: 'A=$(date'":                                  "odd A=$(date",
	} {
		root, err := travis.Read([]travis.File{file("t.yml", text)}, false)
		if err != nil {
			t.Fatal(err)
		}
		node, _ := root.Take("env")
		env := travis.ReadEnv(node)
		var got []string
		for _, v := range env.Global {
			got = append(got, "global"+named(v))
		}
		for _, row := range env.Jobs {
			line := "jobs"
			for _, v := range row {
				line += named(v)
			}
			got = append(got, line)
		}
		for _, odd := range env.Odd {
			got = append(got, "odd "+odd.Value)
		}
		if diff := cmp.Diff(want, strings.Join(got, "; ")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", text, diff)
		}
	}
}

func named(v travis.Var) string {
	text := ""
	if v.Name != "" {
		text = " " + v.Name
	}
	if v.Secure {
		text += " secret"
	}
	return text
}

// A key that is shown in a comment shows no secret.
func TestShow(t *testing.T) {
	root, err := travis.Read([]travis.File{file("t.yml", "notifications:\n  slack: acme:s3cr3t\n  email: a@example.com\n  webhooks:\n    urls: [https://hooks.example.com/s3cr3t]\n    on_success: always\n")}, false)
	if err != nil {
		t.Fatal(err)
	}
	want := "notifications:\n  slack: …\n  email: a@example.com\n  webhooks:\n    urls: […]\n    on_success: …\n"
	if diff := cmp.Diff(want, root.Rest()[0].Show()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A byte-order mark is no part of the file, and a dash in a key is an
// underscore, as Travis took it.
func TestMarkAndDashes(t *testing.T) {
	root, err := travis.Read([]travis.File{file("a.yml", "\ufeff...\r\nbefore-install: x\r\nfeature: {a-b: 1}\r\n")}, false)
	if err != nil {
		t.Fatal(err)
	}
	if got := root.TakeText("before_install"); got.Value != "x" || got.Place.Line != 2 {
		t.Errorf("before_install is %+v", got)
	}
	node, _ := root.Take("feature")
	if names := node.Section().Names(); len(names) != 1 || names[0] != "a-b" {
		t.Errorf("the names %q changed", names)
	}
}

// The second of two names for a key stays one that nobody took.
func TestTakeOne(t *testing.T) {
	root, err := travis.Read([]travis.File{file("a.yml", "matrix: 1\njobs: 2\n")}, false)
	if err != nil {
		t.Fatal(err)
	}
	if node, _ := root.Take("jobs", "matrix"); node.Text().Value != "2" {
		t.Errorf("took %q", node.Text().Value)
	}
	if rest := root.Rest(); len(rest) != 1 || rest[0].Name != "matrix" {
		t.Errorf("%d keys are left", len(rest))
	}
}

// What may be a secret is left out of lines that are shown.
func TestWithoutSecrets(t *testing.T) {
	for text, want := range map[string]string{
		`API_TOKEN=hunter22 make`:                      `API_TOKEN=… make`,
		`docker login -u me -p hunter22; exit 0`:       `docker login -u me -p …; exit 0`,
		`docker login --password="hunter 22" -u me`:    `docker login --password=… -u me`,
		`docker login -u me -p "$PW"`:                  `docker login -u me -p "$PW"`,
		`docker login -u me --password-stdin <f`:       `docker login -u me --password-stdin <f`,
		`git clone https://me:hunter22@a.example/x`:    `git clone https://me:…@a.example/x`,
		`git clone https://me:$PW@a.example/x -p 80:8`: `git clone https://me:$PW@a.example/x -p 80:8`,
	} {
		if got := travis.WithoutSecrets(text); got != want {
			t.Errorf("%s\n got %s\nwant %s", text, got, want)
		}
	}
}
