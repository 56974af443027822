package migrate

import (
	"slices"
	"strings"
)

// tagLines are build-push's tags. plain tells that its default is what is
// meant: latest, the branch, the commit. What names one commit comes first,
// since that is the tag that never moves.
func tagLines(tags []arg) (lines []string, plain bool) {
	plain = true
	var moving []string
	for _, tag := range tags {
		text, only := tag.lit()
		switch {
		case only && text == "latest":
			moving = append(moving, "latest")
			continue
		case only && text == usualTag:
			moving = append(moving, "{branch}", latestOnDefault)
			continue
		case len(tag) == 1 && tag[0].name == "TRAVIS_BRANCH":
			moving = append(moving, "{branch}")
			continue
		}
		plain = false
		line, unique := tagLine(tag)
		if unique {
			lines = append(lines, line)
			continue
		}
		moving = append(moving, line)
	}
	if plain {
		return nil, true
	}
	lines = append(lines, moving...)
	return unique(lines), false
}

func unique(lines []string) []string {
	var out []string
	for _, line := range lines {
		if !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

// latestOnDefault is the tag latest on the default branch, and an empty line
// elsewhere.
const latestOnDefault = "${{ github.ref_name == github.event.repository.default_branch && 'latest' || '' }}"

// tagPlaceholders are build-push's words for Travis's variables.
var tagPlaceholders = map[string]string{"TRAVIS_BRANCH": "{branch}", "TRAVIS_BUILD_NUMBER": "{run}", "TRAVIS_PULL_REQUEST": "{pr}"}

func tagLine(tag arg) (line string, unique bool) {
	var b strings.Builder
	for _, p := range tag {
		switch {
		case p.expr == "":
			b.WriteString(p.text)
		case p.short:
			b.WriteString("{sha}")
			unique = true
		case tagPlaceholders[p.name] != "":
			b.WriteString(tagPlaceholders[p.name])
			unique = unique || p.name == "TRAVIS_BUILD_NUMBER"
		default:
			b.WriteString("${{ " + p.expr + " }}")
			unique = unique || p.expr == "github.sha" || p.expr == "github.run_id"
		}
	}
	return b.String(), unique
}
