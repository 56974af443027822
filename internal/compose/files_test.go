package compose_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/guk0/travois/internal/compose"
)

func filesOf(t *testing.T, services string) ([]compose.File, string, error) {
	t.Helper()
	dir := t.TempDir()
	put(t, dir, "word.txt", "a word")
	put(t, dir, "compose.yml", "services:\n  a: {image: x, "+services+"}\n"+`secrets:
  word: {file: ./word.txt}
  token: {environment: TOKEN}
  unset: {environment: UNSET}
  gone: {file: ./gone.txt}
  elsewhere: {external: true}
configs:
  plain: {content: "a: 1"}
`)
	project, err := compose.Load(t.Context(), compose.Source{Workspace: dir, Files: []string{"compose.yml"}, Vars: map[string]string{"TOKEN": "of vars"}})
	if err != nil {
		t.Fatal(err)
	}
	found, err := project.Files(project.Services["a"])
	return found, dir, err
}

func TestFiles(t *testing.T) {
	got, _, err := filesOf(t, `secrets: [word, {source: token, target: t, uid: "1000", gid: "1000", mode: 0400}, {source: word, target: /etc/w}], configs: [plain, {source: plain, target: /etc/p.yml}]`)
	if err != nil {
		t.Fatal(err)
	}
	want := []compose.File{
		{Path: "/run/secrets/word", Content: []byte("a word"), Mode: 0o444, Secret: true},
		{Path: "/run/secrets/t", Content: []byte("of vars"), Mode: 0o400, UID: 1000, GID: 1000, Secret: true},
		{Path: "/etc/w", Content: []byte("a word"), Mode: 0o444, Secret: true},
		{Path: "/plain", Content: []byte("a: 1"), Mode: 0o444},
		{Path: "/etc/p.yml", Content: []byte("a: 1"), Mode: 0o444},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFilesErrors(t *testing.T) {
	_, dir, err := filesOf(t, "secrets: [gone, elsewhere, unset, {source: word, uid: node}]")
	const want = `compose.yml:2: service "a": secrets: gone: there is no file gone.txt in the workspace
compose.yml:2: service "a": secrets: elsewhere: is external; give the test a Compose file that has it with file, content or environment
compose.yml:2: service "a": secrets: unset: has no value: give a line UNSET=… in the input vars, or give the test a Compose file that has it with file, content or environment
compose.yml:2: service "a": secrets: word: uid "node" is no number`
	if err == nil {
		t.Fatal("no error")
	}
	if diff := cmp.Diff(want, strings.ReplaceAll(err.Error(), dir+"/", "")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
