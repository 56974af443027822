package compose_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/guk0/travois/internal/compose"
	"github.com/guk0/travois/internal/image"
)

// TestAtLine gives an error of the third line of a Dockerfile its place,
// wherever the Dockerfile stands.
func TestAtLine(t *testing.T) {
	const literal = "      dockerfile_inline: |\n        FROM scratch\n\n        RUN x\n"
	for _, c := range []struct{ name, file, over, want string }{
		{"in the file", "services:\n  app:\n    image: app\n    build:\n" + literal, "", "docker-compose.yml:8: oh"},
		{"with CRLF", "services:\r\n  app:\r\n    image: app\r\n    build:\r\n" + strings.ReplaceAll(literal, "\n", "\r\n"), "", "docker-compose.yml:8: oh"},
		{"behind an anchor", "x-build: &b\n" + strings.ReplaceAll(literal, "      d", "  d") + "services:\n  app: {image: app, build: *b}\n", "", "docker-compose.yml:5: oh"},
		{"behind a text's anchor", "x-text: &t |\n  FROM scratch\n\n  RUN x\nservices:\n  app: {image: app, build: {dockerfile_inline: *t}}\n", "", "docker-compose.yml:4: oh"},
		{"in the second file", "services:\n  app: {image: app, build: .}\n", "services:\n  app:\n    build:\n" + literal, "over.yml:7: oh"},
		{"in the first file", "services:\n  app:\n    image: app\n    build:\n" + literal, "services:\n  app: {build: {target: x}}\n", "docker-compose.yml:8: oh"},
		{"with lines of its own", "services:\n  app:\n    image: app\n    build:\n      dockerfile_inline: \"FROM scratch\\n\\nRUN x\\n\"\n", "", "docker-compose.yml:5: oh"},
		{"with a value of several lines", "services:\n  app:\n    image: app\n    build:\n" + strings.ReplaceAll(literal, "RUN x", "${RUN}"), "", "docker-compose.yml:5: oh"},
		{"by a merge", "x-a: &a\n  build:\n" + literal + "services:\n  app:\n    <<: *a\n    image: app\n", "", "docker-compose.yml:8: oh"},
		{"in the context", "services:\n  app: {image: app, build: {context: sub, dockerfile: ../Other}}\n", "", "Other:3: oh"},
		{"at an address", "services:\n  app: {image: app, build: {context: 'https://example.org/app.git#main', dockerfile: web/Dockerfile}}\n", "", "web/Dockerfile:3: oh"},
	} {
		dir := t.TempDir()
		files := map[string]string{"docker-compose.yml": c.file, "over.yml": c.over, "Other": "FROM scratch\n", "Dockerfile": "FROM scratch\n"}
		if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		from := compose.Source{Workspace: dir, Vars: map[string]string{"RUN": "RUN x\nRUN y"}, Files: []string{"docker-compose.yml"}}
		if c.over != "" {
			from.Files = append(from.Files, "over.yml")
		}
		if got := atThird(t, from); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
	inline := compose.Source{Workspace: t.TempDir(), Inline: "app:\n  image: app\n  build:\n    dockerfile_inline: |\n      FROM scratch\n\n      RUN x\n"}
	if got, want := atThird(t, inline), "input services:7: oh"; got != want {
		t.Errorf("in the input: %q, want %q", got, want)
	}
	outside := compose.Build{Context: "/elsewhere", Dockerfile: "/elsewhere/Dockerfile"}
	if got, want := outside.AtLine("/workspace", 3, errors.New("oh")).Error(), "/elsewhere/Dockerfile:3: oh"; got != want {
		t.Errorf("outside: %q, want %q", got, want)
	}
}

func atThird(t *testing.T, from compose.Source) string {
	t.Helper()
	project, err := compose.Load(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	build, err := project.Build(project.Services["app"], image.Parse)
	if err != nil {
		t.Fatal(err)
	}
	return build.AtLine(project.Workspace, 3, errors.New("oh")).Error()
}
