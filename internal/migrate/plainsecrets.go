package migrate

import (
	"regexp"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/travis"
)

// inPlainText says why a secret is to be created.
const inPlainText = "stood in plain text in the file: make a new one"

// forTests are the names of passwords that containers of a test agree on:
// these open nothing outside of it.
var forTests = regexp.MustCompile(`(?i)^(postgres|pg|mysql|mariadb|mongo|mongodb|redis|rabbitmq|couchdb|db|database|test)_`)

// isPlainSecret tells whether a variable's value must not be copied.
func isPlainSecret(name, text string) bool {
	return urlWithPassword.MatchString(text) || secretName.MatchString(name) && !forTests.MatchString(name) && !harmlessValue(text)
}

// hide is a variable's value, a secret of the repository in place of one in
// plain text.
func (s *scope) hide(name string, value arg, at travis.Place) arg {
	if text, ok := value.lit(); !ok || !isPlainSecret(name, text) {
		return value
	}
	return arg{{name: name, expr: s.todo.secret(strings.ToUpper(name), inPlainText, at)}}
}

// passwordName is the secret for a registry's password that has no variable.
func passwordName(registry string) string {
	if hub(registry) {
		return "DOCKER_PASSWORD"
	}
	return strings.ToUpper(strings.ReplaceAll(slug(strings.NewReplacer(".", "_", ":", "_", "/", "_").Replace(registry)), "-", "_")) + "_PASSWORD"
}

// edit replaces a part of a line.
type edit struct {
	from, to int
	text     string
}

// plainSecrets are the edits that take secrets in plain text out of a line, and
// the variables that it has them from then.
func plainSecrets(file *syntax.File) (edits []edit, names []string) {
	replaced := map[*syntax.Word]bool{}
	replace := func(w *syntax.Word, before, name string) {
		if replaced[w] {
			return
		}
		replaced[w] = true
		edits = append(edits, edit{int(w.Pos().Offset()), int(w.End().Offset()), before + `"$` + name + `"`})
		names = append(names, name)
	}
	inAddress := func(text string, at syntax.Pos, password string) {
		if found := urlWithPassword.FindStringSubmatchIndex(text); found != nil {
			from := int(at.Offset())
			edits = append(edits, edit{from + found[2], from + found[3], password})
			names = append(names, "HTTP_PASSWORD")
		}
	}
	syntax.Walk(file, func(node syntax.Node) bool {
		switch n := node.(type) {
		case *syntax.Word:
			return !replaced[n]
		case *syntax.Lit:
			// One with line breaks that the shell takes out stands elsewhere
			// than its value says.
			if int(n.End().Offset()-n.Pos().Offset()) == len(n.Value) {
				inAddress(n.Value, n.Pos(), "${HTTP_PASSWORD}")
			}
		case *syntax.SglQuoted:
			if !n.Dollar {
				inAddress("'"+n.Value, n.Pos(), `'"$HTTP_PASSWORD"'`)
			}
		case *syntax.Assign:
			if text, ok := plainText(n.Value); ok && n.Name != nil && isPlainSecret(n.Name.Value, text) {
				replace(n.Value, "", n.Name.Value)
			}
		case *syntax.CallExpr:
			for _, w := range n.Args {
				text, ok := plainText(w)
				name, value, found := strings.Cut(text, "=")
				if ok && found && syntax.ValidName(name) && isPlainSecret(name, value) {
					replace(w, name+"=", name)
				}
			}
			if w, user := curlPassword(n); w != nil {
				replace(w, user, "HTTP_PASSWORD")
			}
			if w, before, registry := loginPassword(n); w != nil {
				replace(w, before, passwordName(registry))
			}
		case *syntax.BinaryCmd:
			if w, registry := pipedPassword(n.X, n.Y); n.Op == syntax.Pipe && w != nil {
				replace(w, "", passwordName(registry))
			}
		case *syntax.Stmt:
			if input, _ := hereString(n); input != nil {
				if w, registry := pipedPassword(input, n); w != nil {
					replace(w, "", passwordName(registry))
				}
			}
		}
		return true
	})
	return edits, names
}

// plainText is the text of a word without variables.
func plainText(w *syntax.Word) (string, bool) {
	if w == nil || len(w.Parts) == 0 {
		return "", false
	}
	a, err := newScope(newTodo()).word(w, travis.Place{})
	if err != nil {
		return "", false
	}
	return a.lit()
}

// loginPassword is the word of a docker login that has the password in plain
// text, and what stands before the password in it.
func loginPassword(call *syntax.CallExpr) (w *syntax.Word, before, registry string) {
	d, err := parseDocker(newScope(newTodo()), &command{call: unwrapped(call)}, "")
	if err != nil || d == nil || d.verb != "login" {
		return nil, "", ""
	}
	password, ok := d.last("password").lit()
	if !ok || password == "" {
		return nil, "", ""
	}
	if len(d.args) > 0 {
		registry = d.args[0].String()
	}
	for i, w := range d.call.Args {
		text, _ := plainText(w)
		switch text {
		case "-p=" + password, "--password=" + password, "-p" + password:
			return w, strings.TrimSuffix(text, password), registry
		case "-p", "--password":
			if i+1 < len(d.call.Args) {
				return d.call.Args[i+1], "", registry
			}
		}
	}
	return nil, "", ""
}

// curlPassword is the word of curl that has user and password, and what stands
// before the password.
func curlPassword(call *syntax.CallExpr) (w *syntax.Word, user string) {
	call = unwrapped(call)
	if len(call.Args) == 0 || call.Args[0].Lit() != "curl" {
		return nil, ""
	}
	for i, flag := range call.Args[:len(call.Args)-1] {
		text, ok := plainText(call.Args[i+1])
		name, password, found := strings.Cut(text, ":")
		if lit := flag.Lit(); (lit == "-u" || lit == "--user") && ok && found && !harmlessValue(password) {
			return call.Args[i+1], name + ":"
		}
	}
	return nil, ""
}

// urlWithPassword is an address of the internet with a user and a password.
var urlWithPassword = regexp.MustCompile(`://[^/\s:@$'"]+:([^/\s:@$'"]+)@[\w-]+\.`)

// pipedPassword is the word that echo pipes into docker login.
func pipedPassword(x, y *syntax.Stmt) (w *syntax.Word, registry string) {
	from, isCall := x.Cmd.(*syntax.CallExpr)
	to, takes := y.Cmd.(*syntax.CallExpr)
	if !isCall || !takes || len(from.Args) < 2 || firstWord(x) != "echo" && firstWord(x) != "printf" {
		return nil, ""
	}
	d, err := parseDocker(newScope(newTodo()), &command{call: unwrapped(to)}, "")
	if err != nil || d == nil || d.verb != "login" || !d.has("password-stdin") {
		return nil, ""
	}
	if len(d.args) > 0 {
		registry = d.args[0].String()
	}
	w = from.Args[len(from.Args)-1]
	if _, ok := plainText(w); !ok {
		return nil, ""
	}
	return w, registry
}
