package migrate

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/yamlsource"
)

// Mendable are the deploy files that Mend knows.
var Mendable = []string{"docker-compose.yml", "Dockerrun.aws.json"}

// Mistake is one that was found in a deploy file.
type Mistake struct {
	Line int
	// Text says what is to be done about it.
	Text string
	// Repaired tells that Mend has done it; otherwise only a person can.
	Repaired bool
}

func (m Mistake) String() string {
	verb := "left"
	if m.Repaired {
		verb = "repaired"
	}
	return fmt.Sprintf("%d: %s: %s", m.Line, verb, m.Text)
}

// Mend repairs what is known to go wrong in a deploy file: a tab in the
// indentation, *** in place of a variable, a misspelt version key, no essential
// container. The bytes around stay as they are.
func Mend(name string, source []byte) (mended []byte, mistakes []Mistake) {
	if name == "Dockerrun.aws.json" {
		return mendDockerrun(source)
	}
	return mendCompose(source)
}

var placeholderValue = regexp.MustCompile(`^(\s*(?:- +)?["']?([\w.-]+)["']?\s*:\s+)(\*{2,})(\s*(?:#.*)?)$`)

var environmentName = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

func mendCompose(source []byte) ([]byte, []Mistake) {
	var mistakes []Mistake
	spaced, lines := yamlsource.SpacesForTabs(source)
	for _, line := range lines {
		mistakes = append(mistakes, Mistake{line, "spaces for the tab in the indentation", true})
	}
	all := strings.SplitAfter(string(spaced), "\n")
	for i, line := range all {
		body := strings.TrimRight(line, "\r\n")
		found := placeholderValue.FindStringSubmatch(body)
		switch {
		case found == nil:
		case environmentName.MatchString(found[2]):
			all[i] = found[1] + "${" + found[2] + "}" + found[4] + line[len(body):]
			mistakes = append(mistakes, Mistake{i + 1, fmt.Sprintf("%s: ${%s}; set %s as a property of the environment", found[2], found[2], found[2]), true})
		default:
			mistakes = append(mistakes, Mistake{i + 1, fmt.Sprintf("%s: %s stands for a value that only you know", found[2], found[3]), false})
		}
	}
	return []byte(strings.Join(all, "")), mistakes
}

var (
	versionKey   = regexp.MustCompile(`(?i)"(AWSEB_?DOCKER_?RUN_?VERSION)"\s*:`)
	essential    = regexp.MustCompile(`"essential"(\s*):(\s*)(true|false)`)
	hostPort     = regexp.MustCompile(`"hostPort"\s*:\s*80\b`)
	containerEnd = regexp.MustCompile(`"containerDefinitions"`)
)

const rightKey = "AWSEBDockerrunVersion"

func mendDockerrun(source []byte) ([]byte, []Mistake) {
	var mistakes []Mistake
	text := string(source)
	if at := versionKey.FindStringSubmatchIndex(text); at != nil && text[at[2]:at[3]] != rightKey {
		mistakes = append(mistakes, Mistake{lineOf(text, at[2]), fmt.Sprintf("the key %q is spelt %q", text[at[2]:at[3]], rightKey), true})
		text = text[:at[2]] + rightKey + text[at[3]:]
	}
	text, line := oneEssential(text)
	if line > 0 {
		mistakes = append(mistakes, Mistake{line, "the container with port 80 is essential, since ECS takes no task without one", true})
	}
	return []byte(text), mistakes
}

// oneEssential makes the container with port 80 the essential one when all say
// that they are not; line is where, 0 when nothing changed.
func oneEssential(text string) (mended string, line int) {
	marks := essential.FindAllStringSubmatchIndex(text, -1)
	port := hostPort.FindStringIndex(text)
	if !containerEnd.MatchString(text) || len(marks) == 0 || port == nil {
		return text, 0
	}
	if slices.ContainsFunc(marks, func(m []int) bool { return text[m[6]:m[7]] == "true" }) {
		return text, 0
	}
	from, to := objectAround(text, port[0])
	for _, m := range marks {
		if m[0] > from && m[0] < to {
			return text[:m[6]] + "true" + text[m[7]:], lineOf(text, m[6])
		}
	}
	return text, 0
}

// objectAround is the container whose definition holds an offset: the object
// two levels above a port mapping.
func objectAround(text string, at int) (from, to int) {
	depth := 0
	from = at
	for from > 0 {
		from--
		switch text[from] {
		case '}':
			depth++
		case '{':
			depth--
		}
		if depth == -2 {
			break
		}
	}
	depth, to = 0, from
	for to < len(text) {
		switch text[to] {
		case '{':
			depth++
		case '}':
			depth--
		}
		to++
		if depth == 0 {
			break
		}
	}
	return from, to
}

func lineOf(text string, offset int) int { return strings.Count(text[:offset], "\n") + 1 }
