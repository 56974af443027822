package ebdeploy

import (
	"regexp"
	"strings"

	"github.com/guk0/travois/internal/beanstalk"
)

const secretWords = `(?:pass|pwd|secret|token|credential|private|api_?key|[_-]key|[_-]auth|dsn|salt)`

var (
	// secretLines are keys of a Compose file that look secret, with their values.
	// What stands in the lines below such a key, as below a service that is
	// called so, are other keys.
	secretLines = regexp.MustCompile(`(?i)([\w.-]*` + secretWords + `[\w.-]*["']?[ \t]*[:=][ \t]*)([^\s].*)`)
	// secretPairs are the variables of a container in a Dockerrun.aws.json, in
	// either order.
	secretPairs = regexp.MustCompile(`(?i)("name"\s*:\s*"[^"]*` + secretWords + `[^"]*"\s*,\s*"value"\s*:\s*")(?:[^"\\]|\\.)*()"`)
	valueFirst  = regexp.MustCompile(`(?i)("value"\s*:\s*")(?:[^"\\]|\\.)*("\s*,\s*"name"\s*:\s*"[^"]*` + secretWords + `[^"]*)"`)
	// userInfo is the password in an address.
	userInfo = regexp.MustCompile(`(://[^/\s:@]*:)[^@/\s$]+@`)
	// onlyVariable is a value that the file itself does not know.
	onlyVariable = regexp.MustCompile(`^["']?\$(?:\w+|\{\w+\})["']?\s*$`)
	// block is a text that goes on in the lines below, as YAML begins it.
	block = regexp.MustCompile(`^[|>][-+0-9]*\s*(?:#.*)?$`)
)

// conceal hides the environment's secrets in a deploy file, and what looks like
// one by its name or its shape.
func conceal(text string, secrets beanstalk.Secrets) []byte {
	text = secretPairs.ReplaceAllString(text, "${1}"+beanstalk.Hidden+`${2}"`)
	text = valueFirst.ReplaceAllString(text, "${1}"+beanstalk.Hidden+`${2}"`)
	text = concealLines(text)
	text = userInfo.ReplaceAllString(text, "${1}"+beanstalk.Hidden+"@")
	if secrets.Known() {
		text = secrets.Hide(text)
	}
	return []byte(text)
}

// concealLines hides what stands behind a secret's name, to the end of its
// text. Lines that are left out show as one.
func concealLines(text string) string {
	var shown strings.Builder
	below := -1 // the indent of the key whose text is hidden
	for line := range strings.Lines(text) {
		bare := strings.TrimSpace(line)
		if below >= 0 && (bare == "" || indent(line) > below) {
			continue
		}
		below = -1
		found := secretLines.FindStringSubmatch(line)
		if found == nil || onlyVariable.MatchString(found[2]) {
			shown.WriteString(line)
			continue
		}
		if block.MatchString(strings.TrimSpace(found[2])) {
			below = indent(line)
		}
		end := line[len(strings.TrimRight(line, "\r\n")):]
		shown.WriteString(secretLines.ReplaceAllString(strings.TrimSuffix(line, end), "${1}"+beanstalk.Hidden) + end)
	}
	return shown.String()
}

func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }
