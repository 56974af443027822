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

// Mend repairs what is known to go wrong in a deploy file: a tab in the
// indentation, *** in place of a variable, a misspelt version key, no essential
// container. The bytes around stay as they are. changes are lines of the form
// "LINE: what was done", or what can't be repaired.
func Mend(name string, source []byte) (mended []byte, changes []string) {
	if name == "Dockerrun.aws.json" {
		return mendDockerrun(source)
	}
	return mendCompose(source)
}

var placeholderValue = regexp.MustCompile(`^(\s*(?:- +)?["']?([\w.-]+)["']?\s*:\s+)(\*{2,})(\s*(?:#.*)?)$`)

var environmentName = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

func mendCompose(source []byte) ([]byte, []string) {
	var changes []string
	spaced, lines := yamlsource.SpacesForTabs(source)
	for _, line := range lines {
		changes = append(changes, fmt.Sprintf("%d: repaired: spaces for the tab in the indentation", line))
	}
	all := strings.SplitAfter(string(spaced), "\n")
	for i, line := range all {
		body := strings.TrimRight(line, "\r\n")
		found := placeholderValue.FindStringSubmatch(body)
		switch {
		case found == nil:
		case environmentName.MatchString(found[2]):
			all[i] = found[1] + "${" + found[2] + "}" + found[4] + line[len(body):]
			changes = append(changes, fmt.Sprintf("%d: repaired: %s: ${%s}; set %s as a property of the environment", i+1, found[2], found[2], found[2]))
		default:
			changes = append(changes, fmt.Sprintf("%d: left: %s: %s stands for a value that only you know", i+1, found[2], found[3]))
		}
	}
	return []byte(strings.Join(all, "")), changes
}

var (
	versionKey   = regexp.MustCompile(`(?i)"(AWSEB_?DOCKER_?RUN_?VERSION)"\s*:`)
	essential    = regexp.MustCompile(`"essential"(\s*):(\s*)(true|false)`)
	hostPort     = regexp.MustCompile(`"hostPort"\s*:\s*80\b`)
	containerEnd = regexp.MustCompile(`"containerDefinitions"`)
)

const rightKey = "AWSEBDockerrunVersion"

func mendDockerrun(source []byte) ([]byte, []string) {
	var changes []string
	text := string(source)
	if at := versionKey.FindStringSubmatchIndex(text); at != nil && text[at[2]:at[3]] != rightKey {
		changes = append(changes, fmt.Sprintf("%d: repaired: the key %q is spelt %q", lineOf(text, at[2]), text[at[2]:at[3]], rightKey))
		text = text[:at[2]] + rightKey + text[at[3]:]
	}
	text, change := oneEssential(text)
	if change != "" {
		changes = append(changes, change)
	}
	return []byte(text), changes
}

// oneEssential makes the container with port 80 the essential one when all say
// that they are not: ECS takes no task without one.
func oneEssential(text string) (string, string) {
	marks := essential.FindAllStringSubmatchIndex(text, -1)
	port := hostPort.FindStringIndex(text)
	if !containerEnd.MatchString(text) || len(marks) == 0 || port == nil {
		return text, ""
	}
	if slices.ContainsFunc(marks, func(m []int) bool { return text[m[6]:m[7]] == "true" }) {
		return text, ""
	}
	from, to := objectAround(text, port[0])
	for _, m := range marks {
		if m[0] > from && m[0] < to {
			return text[:m[6]] + "true" + text[m[7]:], fmt.Sprintf("%d: repaired: the container with port 80 is essential, since ECS takes no task without one", lineOf(text, m[6]))
		}
	}
	return text, ""
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
