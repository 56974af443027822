package junit

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Mapping tells where a folder of a container is in the repository.
type Mapping struct {
	// From is absolute, To relative to the workspace.
	From, To string
}

// PathMap are mappings. The one with the longest From counts, the first of
// several.
type PathMap []Mapping

// UnmarshalText reads lines of /path/in/container=path/in/repository.
func (m *PathMap) UnmarshalText(text []byte) error {
	*m = nil
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSpace(line)
		if line == "" {
			continue
		}
		from, to, found := strings.Cut(line, "=")
		from, to = strings.TrimSpace(from), strings.TrimSpace(to)
		switch {
		case !found || to == "":
			return fmt.Errorf("line %q is not /path/in/container=path/in/repository", line)
		case !path.IsAbs(from):
			return fmt.Errorf("line %q: %s is no absolute path of the container", line, from)
		case !filepath.IsLocal(to):
			return fmt.Errorf("line %q: %s leaves the workspace; give a path in the repository", line, to)
		}
		*m = append(*m, Mapping{path.Clean(from), path.Clean(to)})
	}
	return nil
}

// Map is where a file of the container is in the repository. A relative path
// is tried below every mapping. Only a file that exists is given.
func (m PathMap) Map(name string, exists func(string) bool) (string, bool) {
	sorted := slices.Clone(m)
	slices.SortStableFunc(sorted, func(a, b Mapping) int { return len(b.From) - len(a.From) })
	for _, one := range sorted {
		inside, ok := path.Clean(name), !path.IsAbs(name)
		if !ok {
			inside, ok = strings.CutPrefix(inside, strings.TrimSuffix(one.From, "/")+"/")
		}
		at := path.Join(one.To, inside)
		if ok && filepath.IsLocal(at) && exists(at) {
			return at, true
		}
	}
	return "", false
}

// frames are how test runners write a place in a stack: JavaScript and most
// others as file:line, Python in words.
var frames = regexp.MustCompile(`(?:file://)?((?:/|\.{0,2}/)?[\w@.+~/-]*[\w-]+\.[A-Za-z]\w{0,4}):(\d+)(?::\d+)?|File "([^"]+)", line (\d+)|(/[\w@.+~/-]+\.php)\((\d+)\)`)

// foreign are parts of paths that are not the author's.
var foreign = regexp.MustCompile(`(^|/)(node_modules|site-packages|vendor|usr/lib|usr/local/lib)/`)

// maxFrames is how many places of a stack are looked at.
const maxFrames = 200

// Place is where in the repository a test is: where it failed, if that can be
// told, else where it is written. Line 0 is the whole file.
func (c Case) Place(paths PathMap, exists func(string) bool) (file string, line int) {
	known := map[string]bool{}
	cached := func(name string) bool {
		if _, asked := known[name]; !asked {
			known[name] = exists(name)
		}
		return known[name]
	}
	var own string
	for _, name := range []string{c.File, c.Class, c.Suite, dotted(c.Class)} {
		if at, ok := paths.Map(name, cached); ok && path.Ext(name) != "" {
			own = at
			break
		}
	}
	file, line = framed(c.Message+"\n"+c.Output, own, paths, cached)
	if file == "" || own != "" && file != own && c.Line > 0 {
		return own, c.Line
	}
	return file, line
}

// dotted is the file that Python's tests write as package.module.
func dotted(class string) string {
	if class == "" || strings.ContainsAny(class, "/ ") {
		return ""
	}
	return strings.ReplaceAll(class, ".", "/") + ".py"
}

// framed is the first place of a stack that is in the repository, one in the
// test's own file before all others.
func framed(text, own string, paths PathMap, exists func(string) bool) (file string, line int) {
	for _, found := range frames.FindAllStringSubmatch(text, maxFrames) {
		name, number := first(found[1], found[3], found[5]), first(found[2], found[4], found[6])
		if foreign.MatchString(name) {
			continue
		}
		at, ok := paths.Map(name, exists)
		if !ok {
			continue
		}
		parsed, err := strconv.Atoi(number)
		if err != nil {
			continue
		}
		if at == own {
			return at, parsed
		}
		if file == "" {
			file, line = at, parsed
		}
	}
	return file, line
}
