package buildpush

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/guk0/travois/internal/action"
	"github.com/guk0/travois/internal/image"
)

// shortSHA is how many digits of the commit a tag holds.
const shortSHA = 12

// latest is the tag that Docker takes for an image that names none.
const latest = "latest"

var (
	placeholder = regexp.MustCompile(`\{[^{}]*\}`)
	release     = regexp.MustCompile(`^v?(\d+)\.(\d+)\.(\d+)(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$`)
)

// defaultTags are the lines in place of an empty input tags.
func defaultTags(t action.Trigger) []string {
	lines := []string{"sha-{sha}", "{branch}", "pr-{pr}", "{version}", "{major}.{minor}", "{major}"}
	onDefault := !t.IsPullRequest() && t.Branch != "" && t.Branch == t.DefaultBranch
	if _, isRelease := values(t)["major"]; isRelease || onDefault {
		lines = append(lines, latest)
	}
	return lines
}

// mergeQueue is the event of a branch that GitHub makes for one entry of a
// merge queue and removes.
const mergeQueue = "merge_group"

// values are the placeholders that have a value for a trigger. A pull request
// has no branch, since its head may be called main in a fork, and neither has
// an entry of a merge queue, whose tag nobody would ever move or remove.
func values(t action.Trigger) map[string]string {
	known := map[string]string{"run": t.RunNumber}
	if len(t.SHA) >= shortSHA {
		known["sha"] = t.SHA[:shortSHA]
	}
	if t.Branch != "" && !t.IsPullRequest() && t.Event != mergeQueue {
		known["branch"] = image.BranchTag(t.Branch)
	}
	if t.PullRequest > 0 {
		known["pr"] = strconv.Itoa(t.PullRequest)
	}
	if !t.Date.IsZero() {
		known["date"] = t.Date.UTC().Format("20060102")
	}
	if part := release.FindStringSubmatch(t.Tag); part != nil {
		known["version"] = strings.ReplaceAll(strings.TrimPrefix(t.Tag, "v"), "+", "-")
		if part[4] == "" {
			known["major"], known["minor"] = part[1], part[2]
		}
	}
	if known["run"] == "" {
		delete(known, "run")
	}
	return known
}

// placeholders are all names that may stand in braces.
var placeholders = []string{"sha", "branch", "pr", "version", "major", "minor", "run", "date"}

// expand makes tags of lines. A line whose placeholder has no value is left
// out; a line with a placeholder that does not exist, or that gives no tag, is
// an error.
func expand(lines []string, t action.Trigger) ([]string, error) {
	known := values(t)
	var tags []string
	var problems []error
	for _, line := range lines {
		tag, ok, err := expandLine(line, known)
		if err != nil {
			problems = append(problems, err)
		}
		if ok && !slices.Contains(tags, tag) {
			tags = append(tags, tag)
		}
	}
	if len(problems) == 0 && len(tags) == 0 {
		problems = append(problems, action.BadInput("tags", "no line has a value for this run (event %q, no commit known?); add a line without placeholders", t.Event))
	}
	return tags, errors.Join(problems...)
}

// fixing are the placeholders whose value no later commit has again.
var fixing = []string{"{sha}", "{version}", "{run}"}

// lasting is the first tag made of what no later commit has, "" if there is
// none.
func lasting(lines []string, t action.Trigger) string {
	known := values(t)
	for _, line := range lines {
		tag, ok, err := expandLine(line, known)
		if ok && err == nil && slices.ContainsFunc(fixing, func(one string) bool { return strings.Contains(line, one) }) {
			return tag
		}
	}
	return ""
}

func expandLine(line string, known map[string]string) (tag string, ok bool, err error) {
	ok = true
	tag = placeholder.ReplaceAllStringFunc(line, func(braced string) string {
		name := strings.Trim(braced, "{}")
		if !slices.Contains(placeholders, name) {
			err = action.BadInput("tags", "%q: there is no %s; there are {%s}", line, braced, strings.Join(placeholders, "} {"))
		}
		value, has := known[name]
		ok = ok && has
		return value
	})
	if err != nil || !ok {
		return "", false, err
	}
	if over := len(tag) - image.MaxTag; over > 0 && strings.Count(line, "{branch}") == 1 {
		short := maps.Clone(known)
		short["branch"] = image.Shorten(known["branch"], len(known["branch"])-over)
		if short["branch"] != known["branch"] {
			return expandLine(line, short)
		}
	}
	if err := image.CheckTag(tag); err != nil {
		return "", false, fmt.Errorf("input tags: %w", err)
	}
	return tag, true, nil
}
