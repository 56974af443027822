package engine

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/compose"
)

func TestBases(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "Dockerfile")
	const text = `# syntax=registry.example/dockerfile:1
ARG REGISTRY=registry.example IMAGE
ARG BASE=${REGISTRY}/base
FROM --platform=$BUILDPLATFORM "$BASE:1" AS made
RUN --mount=type=bind,from=localhost:5000/tools,target=/t --mount=type=cache,target=/c true
HEALTHCHECK CMD curl http://localhost:8080/
FROM ${IMAGE:-scratch}
COPY --from=made --chown=1 /a /a
COPY --from=127.0.0.1:5000/files / /
`
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		build compose.Build
		want  []string
	}{
		{"a file", compose.Build{Context: dir, Dockerfile: file},
			[]string{"registry.example/dockerfile:1", "registry.example/base:1", "localhost:5000/tools", "scratch", "made", "127.0.0.1:5000/files"}},
		{"arguments", compose.Build{Context: dir, Dockerfile: file, Args: map[string]string{"REGISTRY": "[::1]:5000", "IMAGE": "nginx", "other": "x"}},
			[]string{"registry.example/dockerfile:1", "[::1]:5000/base:1", "localhost:5000/tools", "nginx", "made", "127.0.0.1:5000/files"}},
		{"inline, with contexts", compose.Build{Context: dir, Inline: "FROM one", Contexts: map[string]string{"b": "docker-image://two", "c": dir, "d": "service:x"}}, []string{"two", "one"}},
		{"an address", compose.Build{Context: "https://example.com/a.git", Dockerfile: "Dockerfile"}, nil},
		{"no file", compose.Build{Context: dir, Dockerfile: file + "2"}, nil},
		{"no Dockerfile", compose.Build{Context: dir, Inline: "FROM\n"}, nil},
	} {
		if diff := cmp.Diff(c.want, Bases(c.build)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}
