package migrate

import (
	"regexp"

	"github.com/guk0/travois/internal/travis"
)

// passwordPatterns find the variable that is the password of a docker login: its
// flag, what is piped into it, or its here-string.
var passwordPatterns = []*regexp.Regexp{
	regexp.MustCompile(`docker\s+login\b[^\n|;&]*\s(?:-p|--password)[ =]?["']?\$\{?(\w+)`),
	regexp.MustCompile(`\b(?:echo|printf)\b[^\n|;&]*\$\{?(\w+)\}?["']?\s*\|\s*(?:sudo\s+)?docker\s+login\b`),
	regexp.MustCompile(`docker\s+login\b[^\n|;&]*<<<\s*["']?\$\{?(\w+)`),
}

// passwords are the variables that log in to a registry. A name such as PW says
// little, and in a variable the value would be read by everybody who sees the
// repository's settings or a log.
func passwords(files []travis.File) map[string]bool {
	found := map[string]bool{}
	for _, file := range files {
		for _, pattern := range passwordPatterns {
			for _, match := range pattern.FindAllSubmatch(file.Source, -1) {
				found[string(match[1])] = true
			}
		}
	}
	return found
}
