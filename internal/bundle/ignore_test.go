package bundle

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// gitKeeps is what git itself would add to an empty index.
func gitKeeps(t *testing.T, dir string) []string {
	t.Helper()
	for _, args := range [][]string{{"init", "-q"}, {"ls-files", "-z", "--others", "--exclude-per-directory=.gitignore"}} {
		command := exec.CommandContext(t.Context(), "git", args...)
		command.Dir = dir
		out, err := command.Output()
		if err != nil {
			t.Fatalf("git %s: %v", args, err)
		}
		if args[0] == "ls-files" {
			names := strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
			slices.Sort(names)
			return names
		}
	}
	return nil
}

func weKeep(t *testing.T, dir string) []string {
	t.Helper()
	b, err := source(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range b.Files() {
		names = append(names, f.Path)
	}
	return names
}

// ignoreTree has every way to write a rule that gitignore(5) tells of.
var ignoreTree = map[string]string{
	".gitignore": "\ufeff# comment\n\\#number\n\\!bang\n*.log\n!keep.log\r\n/root.txt\nfolder/\nslash/inner\n**/deep/x\na/**/z\nall/**\n" +
		"trail   \nblank\\ \n[abc].c\n[!abc].h\n[^x]?.m\n[[:digit:]]x\n[a-c]-[]-]\nfoo**bar\nq\\*\nbad[\nend\\\n/*.top\nsub/*.t\n\nnode_modules/\n!node_modules/kept\n" +
		"dist/*\n!dist/keep\nnested/**/\n??.u\n**\\/odd\n[a-]d\n[+-0]s\n",
	"#number": "", "!bang": "", "a.log": "", "keep.log": "", "x/keep.log": "", "x/b.log": "", "root.txt": "", "x/root.txt": "",
	"folder/x": "", "x/folder": "", "y/folder/z": "", "slash/inner": "", "x/slash/inner": "", "deep/x": "", "x/deep/x": "", "x/y/deep/x": "", "deep/y": "",
	"a/z": "", "a/b/z": "", "a/b/c/z": "", "a/b/zz": "", "x/a/z": "", "all/x": "", "all/y/z": "", "trail": "", "blank ": "", "blank": "",
	"a.c": "", "d.c": "", "a.h": "", "d.h": "", "xy.m": "", "yx.m": "", "1x": "", "ax": "", "a-]": "", "b--": "", "d--": "", "foobar": "", "foo-bar": "", "foo/bar": "",
	"q*": "", "qq": "", "bad[": "", "end\\x": "", "1.top": "", "x/1.top": "", "sub/1.t": "", "sub/x/1.t": "", "x/sub/1.t": "",
	"node_modules/kept": "", "node_modules/m/x": "", "x/node_modules/y": "", "dist/keep": "", "dist/other": "", "dist/d/x": "", "nested/f": "", "nested/d/f": "",
	"ab.u": "", "é.u": "", "기.u": "", "-d": "", "ad": "", "bd": "", "/s": "", ".s": "", "1s": "", "+s": "",
	"x/.gitignore": "!b.log\n*.local\n/only\ninner/two\n", "x/a.local": "", "a.local": "", "x/only": "", "x/z/only": "", "x/inner/two": "", "inner/two": "",
	"x/y/.gitignore": "!*.local\n", "x/y/b.local": "", "folder/.gitignore": "!*\n",
}

func TestIgnoreAsGit(t *testing.T) {
	files := map[string]string{}
	for name, content := range ignoreTree {
		if !strings.ContainsAny(name, `\*`) && !strings.HasPrefix(name, "/") {
			files[name] = content
		}
	}
	dir := tree(t, files)
	for _, name := range []string{"q*", "wild*star"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want := append(gitKeeps(t, dir), dockerComposeName)
	slices.Sort(want)
	if diff := cmp.Diff(want, weKeep(t, dir)); diff != "" {
		t.Errorf("(-git +ours):\n%s", diff)
	}
}

// TestWildcardsAsGit makes up patterns and names of a small alphabet, so that
// they often match, and asks git.
func TestWildcardsAsGit(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		var rules strings.Builder
		for range 1 + random.IntN(4) {
			rules.WriteString(madeUp(random, []string{"a", "b", "-", "/", "*", "**", "**/", "/**", "?", "[a]", "[!a]", "[a-b]", "[]-]", "[", "]", "!", "\\", "[^b-]", "[[:alpha:]]", "[[:b]", " ", "#"}) + "\n")
		}
		files := map[string]string{".gitignore": rules.String()}
		for range 40 {
			name := strings.Trim(madeUp(random, []string{"a", "b", "-", "/", "]", "[", "c"}), "/")
			for strings.Contains(name, "//") {
				name = strings.ReplaceAll(name, "//", "/")
			}
			if name != "" && !crosses(files, name) {
				files[name] = ""
			}
		}
		dir := tree(t, files)
		want := append(gitKeeps(t, dir), dockerComposeName)
		slices.Sort(want)
		if diff := cmp.Diff(slices.DeleteFunc(want, func(n string) bool { return n == "" }), weKeep(t, dir)); diff != "" {
			t.Errorf("rules %q (-git +ours):\n%s", rules.String(), diff)
		}
	}
}

func madeUp(random *rand.Rand, parts []string) string {
	var text strings.Builder
	for range 1 + random.IntN(5) {
		text.WriteString(parts[random.IntN(len(parts))])
	}
	return text.String()
}

// crosses tells that a name is a folder of another.
func crosses(files map[string]string, name string) bool {
	for other := range files {
		if strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/") {
			return true
		}
	}
	return false
}

func BenchmarkIgnore(b *testing.B) {
	var rules bytes.Buffer
	for i := range 50 {
		fmt.Fprintf(&rules, "folder%d/\n*.ext%d\n/a/**/b%d\n", i, i, i)
	}
	file := &ignoreFile{rules: parseIgnore(rules.Bytes())}
	for b.Loop() {
		file.ignores("a/b/c/d/file.txt", false)
	}
}
