package buildpush

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/action"
)

// secretWords are words of a name that stand for a secret by themselves,
// secretKeys before KEY, and secretEnds at the end of a longer name. plainWords
// end names of what is known to everybody.
var (
	secretWords = []string{"PASSWORD", "PASSWD", "PASSPHRASE", "SECRET", "TOKEN", "CREDENTIAL", "CREDENTIALS", "APIKEY"}
	secretKeys  = []string{"API", "ACCESS", "PRIVATE", "SECRET", "SIGNING", "ENCRYPTION", "DEPLOY", "SSH", "MASTER", "AUTH", "JWT", "LICENSE"}
	secretEnds  = []string{"PASS", "PWD", "PAT"}
	plainWords  = []string{"URL", "URI", "ENDPOINT", "NAME", "FILE", "PATH", "TTL", "LENGTH", "EXPIRY", "ENABLED", "TYPE", "ID"}
	notInWord   = regexp.MustCompile(`[^A-Z0-9]+`)
)

// looksSecret tells by its name whether a build argument is a secret.
func looksSecret(name string) bool {
	words := notInWord.Split(strings.ToUpper(name), -1)
	if slices.Contains(words, "PUBLIC") || slices.Contains(plainWords, words[len(words)-1]) {
		return false
	}
	if len(words) > 1 && slices.Contains(secretEnds, words[len(words)-1]) {
		return true
	}
	for i, word := range words {
		if slices.Contains(secretWords, word) || word == "KEY" && i > 0 && slices.Contains(secretKeys, words[i-1]) {
			return true
		}
	}
	return false
}

// switches are values that tell nothing.
var switches = []string{"", "true", "false", "0", "1"}

// exposed warns of build arguments that look like secrets by their name, or are
// by their value: whoever has the image reads them in its history.
func (p plan) exposed(masked func(string) bool) []error {
	var warnings []error
	for _, one := range p.images {
		for _, name := range slices.Sorted(maps.Keys(one.build.Args)) {
			value, found := one.build.Args[name], ""
			switch {
			case slices.Contains(switches, value):
				continue
			case masked(value):
				found = "holds the value of a secret"
			case looksSecret(name):
				found = "looks like a secret"
			default:
				continue
			}
			warnings = append(warnings, fmt.Errorf(
				"service %q: the build argument %s %s, and the image's history shows it to whoever has the image: give it in the input secrets and read it with RUN --mount=type=secret,id=%s", one.build.Service, name, found, name))
		}
	}
	return warnings
}

// handedOn are the outputs that other jobs may want.
var handedOn = []string{"images", "tags", "digests"}

// hidden tells what of a text GitHub hides as a secret, as far as it can be
// known here; "" is nothing.
func hidden(r *action.Runner) func(text string) string {
	known := r.FromSecrets("build-push")
	return func(text string) string {
		for _, one := range known {
			if strings.Contains(text, one.Value) {
				return "what the workflow gives the input " + one.Input + " out of secrets"
			}
		}
		if r.Log.Masked(text) {
			return "a value that is masked as a secret"
		}
		return ""
	}
}

// dropped warns of outputs that GitHub would not hand to other jobs (actions/
// runner, JobExtension.cs): it drops what holds a masked value, with a line in
// the log that few find.
func dropped(outputs action.Outputs, hidden func(text string) string) error {
	var gone, kept []string
	found := ""
	for _, name := range handedOn {
		if what := hidden(outputs[name]); what != "" {
			gone, found = append(gone, name), cmp.Or(found, what)
			continue
		}
		kept = append(kept, name)
	}
	if len(gone) == 0 {
		return nil
	}
	survivors := "none of the three survives;"
	if len(kept) > 0 {
		survivors = "hand on " + strings.Join(kept, " and ") + " instead, or"
	}
	return fmt.Errorf("%s stands in the output %s: GitHub drops it as an output of a job (within the job it is whole); %s keep what is no secret, as a user name, in vars and not in secrets", found, strings.Join(gone, ", "), survivors)
}
