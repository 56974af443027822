package bundle

import (
	"path"
	"regexp"
	"strings"
)

// ignoreNames are the files that tell what stays out of a bundle; the first
// that the tree's root has is the one that counts, in its folders too.
var ignoreNames = []string{".ebignore", ".gitignore"}

// ignoreRule is a line of a file of ignoreNames, with the meaning that
// gitignore(5) gives it.
type ignoreRule struct {
	match *regexp.Regexp
	// keep is set for a line with !, folders for one that is only for folders,
	// name for one that is for names at any depth.
	keep, folders, name bool
}

// ignoreFile is one file's rules, in a chain to those of the folders above.
type ignoreFile struct {
	// dir is the folder that they are for; empty for the tree's root. For a
	// file above the tree, below is the way from it to the tree.
	dir, below string
	rules      []ignoreRule
	above      *ignoreFile
}

func parseIgnore(content []byte) []ignoreRule {
	var rules []ignoreRule
	for line := range strings.Lines(strings.TrimPrefix(string(content), "\ufeff")) {
		line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
		if rule, ok := parseRule(line); ok {
			rules = append(rules, rule)
		}
	}
	return rules
}

func parseRule(line string) (ignoreRule, bool) {
	if strings.HasPrefix(line, "#") {
		return ignoreRule{}, false
	}
	line = trimBlanks(line)
	var rule ignoreRule
	line, rule.keep = strings.CutPrefix(line, "!")
	line, rule.folders = strings.CutSuffix(line, "/")
	rule.name = !strings.Contains(line, "/")
	line = strings.TrimPrefix(line, "/")
	if line == "" {
		return ignoreRule{}, false
	}
	rule.match = wildcard(line)
	return rule, rule.match != nil
}

// trimBlanks takes blanks off the end, but not one behind a backslash.
func trimBlanks(line string) string {
	end := 0
	for i := 0; i < len(line); i++ {
		if line[i] == '\\' {
			i++
			end = min(i+1, len(line))
		} else if line[i] != ' ' {
			end = i + 1
		}
	}
	return line[:end]
}

// ignores tells whether a file or folder stays out. Nothing below a folder
// that stays out is to be asked for.
func (f *ignoreFile) ignores(name string, isFolder bool) bool {
	for ; f != nil; f = f.above {
		relative := path.Join(f.below, strings.TrimPrefix(strings.TrimPrefix(name, f.dir), "/"))
		for i := len(f.rules) - 1; i >= 0; i-- {
			if f.rules[i].covers(relative, isFolder) {
				return !f.rules[i].keep
			}
		}
	}
	return false
}

func (r ignoreRule) covers(name string, isFolder bool) bool {
	if r.folders && !isFolder {
		return false
	}
	if r.name {
		name = path.Base(name)
	}
	return r.match.MatchString(asBytes(name))
}
