package migrate

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/guk0/travois/internal/travis"
)

// todo is what the workflow does not settle by itself.
type todo struct {
	secrets, variables map[string]*need
	byHand, notes      []remark
	// passwords are names that a docker login takes for one, whatever they are
	// called.
	passwords map[string]bool
	// anonymous are encrypted values whose name is encrypted too.
	anonymous []travis.Place
}

// need is a secret or a variable to create.
type need struct {
	why    string
	places []travis.Place
}

type remark struct {
	place travis.Place
	text  string
}

func newTodo() *todo {
	return &todo{secrets: map[string]*need{}, variables: map[string]*need{}}
}

// secretName guesses from a name whether its value is a secret. A user name,
// a region or a host is none, and must not be one: GitHub drops job outputs in
// which a secret's value occurs.
var secretName = regexp.MustCompile(`(?i)pass|pwd|token|secret|key|cred|auth(_|$)|encrypted|_iv$|webhook|dsn|^gh_?pat|_pat$|database_url|mongo(db)?_ur[il]`)

// need is the expression for a value that only the repository's settings have.
func (t *todo) need(name string, at travis.Place) string {
	upper := strings.ToUpper(name)
	if upper != name && !strings.HasPrefix(name, "encrypted_") {
		t.tell(at, "GitHub's names have no case: $%s is %s", name, upper)
	}
	if t.passwords[name] && !strings.Contains(upper, "DOCKER") {
		return t.secret(upper, "an access token of the registry with write permission", at)
	}
	if t.passwords[name] || secretName.MatchString(name) {
		return t.secret(upper, "", at)
	}
	return t.variable(upper, "", at)
}

func (t *todo) secret(name, why string, at travis.Place) string {
	note(t.secrets, name, why, at)
	return "secrets." + name
}

func (t *todo) variable(name, why string, at travis.Place) string {
	note(t.variables, name, why, at)
	return "vars." + name
}

func note(needs map[string]*need, name, why string, at travis.Place) {
	n := needs[name]
	if n == nil {
		n = &need{}
		needs[name] = n
	}
	if n.why == "" {
		n.why = why
	}
	if at.Line > 0 && !slices.Contains(n.places, at) {
		n.places = append(n.places, at)
	}
}

func (t *todo) hand(at travis.Place, format string, args ...any) {
	t.byHand = appendOnce(t.byHand, remark{at, fmt.Sprintf(format, args...)})
}

func (t *todo) tell(at travis.Place, format string, args ...any) {
	t.notes = appendOnce(t.notes, remark{at, fmt.Sprintf(format, args...)})
}

func appendOnce(remarks []remark, r remark) []remark {
	if slices.Contains(remarks, r) {
		return remarks
	}
	return append(remarks, r)
}

// String is the list as a person reads it.
func (t *todo) String() string {
	var b strings.Builder
	writeNeeds(&b, "Secrets to create (repository settings, Secrets and variables, Actions):", t.secrets)
	writeNeeds(&b, "Variables to create (same page, tab Variables):", t.variables)
	t.writeAnonymous(&b)
	writeRemarks(&b, "Left to do by hand:", t.byHand)
	writeRemarks(&b, "Good to know:", t.notes)
	return b.String()
}

func writeNeeds(b *strings.Builder, title string, needs map[string]*need) {
	if len(needs) == 0 {
		return
	}
	b.WriteString(title + "\n")
	for _, name := range slices.Sorted(maps.Keys(needs)) {
		n := needs[name]
		text := n.why
		if text == "" {
			text = meaning(name)
		}
		if len(n.places) > 0 {
			text = strings.TrimPrefix(text+" ("+n.places[0].String()+")", " ")
		}
		fmt.Fprintf(b, "  %s: %s\n", name, text)
	}
	b.WriteString("\n")
}

// meaning says what usually stands behind a name.
func meaning(name string) string {
	docker := strings.Contains(name, "DOCKER")
	switch {
	case name == "AWS_ACCESS_KEY_ID":
		return "the key id of an IAM user that may deploy"
	case name == "AWS_SECRET_ACCESS_KEY":
		return "its secret key"
	case docker && secretName.MatchString(name):
		return "an access token of Docker Hub with write permission"
	case docker && (strings.Contains(name, "USER") || strings.HasSuffix(name, "_ID")):
		return "the user name at Docker Hub; no secret, since GitHub drops job outputs that hold one"
	}
	return "the value that Travis's settings have"
}

func (t *todo) writeAnonymous(b *strings.Builder) {
	if len(t.anonymous) == 0 {
		return
	}
	b.WriteString("Encrypted values, whose names only Travis can read:\n")
	for _, at := range t.anonymous {
		fmt.Fprintf(b, "  %s: create what it held as a secret; the value is not to be had back from the file\n", at)
	}
	if names := slices.Sorted(maps.Keys(t.secrets)); len(names) > 0 {
		fmt.Fprintf(b, "  It may be one of those above: %s\n", strings.Join(names, ", "))
	}
	b.WriteString("\n")
}

func writeRemarks(b *strings.Builder, title string, remarks []remark) {
	if len(remarks) == 0 {
		return
	}
	b.WriteString(title + "\n")
	remarks = slices.Clone(remarks)
	slices.SortStableFunc(remarks, func(x, y remark) int {
		if x.place.File != y.place.File {
			return 0
		}
		return cmp.Compare(x.place.Line, y.place.Line)
	})
	for _, r := range remarks {
		if r.place.Line == 0 {
			fmt.Fprintf(b, "  %s\n", r.text)
			continue
		}
		fmt.Fprintf(b, "  %s: %s\n", r.place, r.text)
	}
	b.WriteString("\n")
}
