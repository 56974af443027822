package migrate

import (
	"fmt"
	"slices"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/travis"
)

// part is a piece of a word: a text, or what an expression stands for.
type part struct {
	text string
	// name is the variable that the expression is the value of.
	name, expr string
	// short marks a commit cut to its first digits.
	short bool
}

// arg is a word of a command, its variables looked up.
type arg []part

func literal(text string) arg { return arg{{text: text}} }

// lit is the text of an arg without expressions.
func (a arg) lit() (string, bool) {
	var b strings.Builder
	for _, p := range a {
		if p.expr != "" {
			return "", false
		}
		b.WriteString(p.text)
	}
	return b.String(), true
}

// prefix is the text before the first expression.
func (a arg) prefix() string {
	var b strings.Builder
	for _, p := range a {
		if p.expr != "" {
			break
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// after is the arg without its first n bytes, which are text.
func (a arg) after(n int) arg {
	var out arg
	for i, p := range a {
		if n >= len(p.text) && p.expr == "" {
			n -= len(p.text)
			continue
		}
		out = append(out, part{text: p.text[n:], name: p.name, expr: p.expr, short: p.short})
		return append(out, a[i+1:]...)
	}
	return out
}

// cut splits at the first of some bytes that stands in a text.
func (a arg) cut(chars string) (before, after arg, found bool) {
	for i, p := range a {
		if at := strings.IndexAny(p.text, chars); p.expr == "" && at >= 0 {
			before = append(before, a[:i]...)
			before = append(before, part{text: p.text[:at]})
			after = append(after, part{text: p.text[at+1:]})
			return before, append(after, a[i+1:]...), true
		}
	}
	return a, nil, false
}

// String is the arg with expressions as GitHub writes them.
func (a arg) String() string {
	var b strings.Builder
	for _, p := range a {
		if p.expr != "" {
			b.WriteString("${{ " + p.expr + " }}")
			continue
		}
		b.WriteString(p.text)
	}
	return b.String()
}

// fields collects the lines of the input vars that Compose texts need.
type fields struct {
	names  []string
	values map[string]string
	// lookup is the value of a variable that is passed on by its name alone.
	lookup func(name string) arg
}

// compose is the arg as a value in a Compose file; what is no text becomes a
// ${NAME} that the input vars fills.
func (f *fields) compose(a arg) string {
	var b strings.Builder
	for _, p := range a {
		if p.expr == "" {
			b.WriteString(strings.ReplaceAll(p.text, "$", "$$"))
			continue
		}
		name := p.name
		if name == "" {
			name = "VALUE"
		}
		if f.values == nil {
			f.values = map[string]string{}
		}
		if _, there := f.values[name]; !there {
			f.names = append(f.names, name)
			f.values[name] = "${{ " + p.expr + " }}"
		}
		b.WriteString("${" + name + "}")
	}
	return b.String()
}

func (f *fields) lines() string {
	var lines []string
	for _, name := range f.names {
		lines = append(lines, name+"="+f.values[name])
	}
	return strings.Join(lines, "\n")
}

// scope knows what variables stand for.
type scope struct {
	todo *todo
	// values are those that the file gives, by name.
	values map[string]arg
	// unknown are those whose value only a shell knows.
	unknown map[string]bool
}

func newScope(t *todo) *scope {
	return &scope{todo: t, values: map[string]arg{}, unknown: map[string]bool{}}
}

// word looks up a shell word. The error says what only a shell could tell.
func (s *scope) word(w *syntax.Word, at travis.Place) (arg, error) {
	if w == nil {
		return literal(""), nil
	}
	return s.parts(w.Parts, at, false)
}

func (s *scope) parts(parts []syntax.WordPart, at travis.Place, quoted bool) (arg, error) {
	var out arg
	for _, p := range parts {
		switch p := p.(type) {
		case *syntax.Lit:
			out = append(out, part{text: unescape(p.Value, quoted)})
		case *syntax.SglQuoted:
			if p.Dollar {
				return nil, fmt.Errorf("$'…' is not understood")
			}
			out = append(out, part{text: p.Value})
		case *syntax.DblQuoted:
			inner, err := s.parts(p.Parts, at, true)
			if err != nil {
				return nil, err
			}
			out = append(append(out, part{}), inner...)
		case *syntax.ParamExp:
			inner, err := s.param(p, at)
			if err != nil {
				return nil, err
			}
			out = append(out, inner...)
		case *syntax.CmdSubst:
			inner, err := s.substitution(p)
			if err != nil {
				return nil, err
			}
			out = append(out, inner...)
		default:
			return nil, fmt.Errorf("%s needs a shell", source(p))
		}
	}
	return joined(out), nil
}

// joined puts texts that follow each other into one.
func joined(a arg) arg {
	var out arg
	for _, p := range a {
		if last := len(out) - 1; last >= 0 && p.expr == "" && out[last].expr == "" {
			out[last].text += p.text
			continue
		}
		out = append(out, p)
	}
	if len(out) > 1 {
		out = slices.DeleteFunc(out, func(p part) bool { return p.expr == "" && p.text == "" })
	}
	return out
}

func unescape(text string, quoted bool) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) && (!quoted || strings.IndexByte("$`\"\\\n", text[i+1]) >= 0) {
			i++
			if text[i] == '\n' {
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func (s *scope) param(p *syntax.ParamExp, at travis.Place) (arg, error) {
	name := p.Param.Value
	plain := !p.Excl && !p.Length && !p.Width && p.Index == nil && p.Repl == nil && p.Exp == nil && p.Names == 0
	if plain && p.Slice == nil {
		return s.variable(name, at)
	}
	if name == "TRAVIS_COMMIT" && plain {
		return arg{{name: "COMMIT", expr: "github.sha", short: true}}, nil
	}
	if p.Exp != nil && (p.Exp.Op == syntax.DefaultUnset || p.Exp.Op == syntax.DefaultUnsetOrNull) {
		if _, known := s.values[name]; known {
			return s.variable(name, at)
		}
		if fallback, err := s.word(p.Exp.Word, at); err == nil && name == "TRAVIS_TAG" {
			if text, ok := fallback.lit(); ok {
				return arg{{name: name, expr: "github.ref_type == 'tag' && github.ref_name || " + quote(text)}}, nil
			}
		}
		if fallback, err := s.word(p.Exp.Word, at); err == nil && !strings.HasPrefix(name, "TRAVIS") {
			if text, ok := fallback.lit(); ok {
				return literal(text), nil
			}
		}
	}
	return nil, fmt.Errorf("%s needs a shell", source(p))
}

func (s *scope) variable(name string, at travis.Place) (arg, error) {
	if value, ok := s.values[name]; ok {
		return value, nil
	}
	if s.unknown[name] || !settable(name) {
		return nil, fmt.Errorf("$%s is only known to the shell", name)
	}
	if name == "PWD" {
		return arg{{text: "."}}, nil
	}
	if expr, ok := travisVariables[name]; ok {
		return arg{{name: name, expr: expr}}, nil
	}
	return arg{{name: name, expr: s.todo.need(name, at)}}, nil
}

// settable tells whether a name can be that of a variable in a repository's
// settings: not $1, $?, nor what every shell sets.
func settable(name string) bool {
	if name == "" || !isLetter(name[0]) {
		return false
	}
	return !shellVariables[name]
}

func isLetter(c byte) bool { return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' }

var shellVariables = map[string]bool{
	"HOME": true, "PATH": true, "USER": true, "SHELL": true, "RANDOM": true, "HOSTNAME": true, "OLDPWD": true, "UID": true,
	"LANG": true, "TERM": true, "TMPDIR": true, "SECONDS": true, "LINENO": true, "IFS": true, "BASH_SOURCE": true,
	"GITHUB_OUTPUT": true, "GITHUB_ENV": true, "LD_LIBRARY_PATH": true, "GOPATH": true, "JAVA_HOME": true, "DISPLAY": true,
	"NVM_DIR": true, "CI": true, "PIPESTATUS": true, "FUNCNAME": true, "BASH_VERSION": true, "EUID": true, "PPID": true,
	"ANDROID_HOME": true, "PYTHONPATH": true, "VIRTUAL_ENV": true, "PS1": true, "DEBIAN_FRONTEND": true,
}

// travisVariables are Travis's variables as expressions of GitHub's contexts.
// Source: Travis's documentation, "Default environment variables".
var travisVariables = map[string]string{
	"TRAVIS":                     "'true'",
	"CONTINUOUS_INTEGRATION":     "'true'",
	"TRAVIS_BRANCH":              "github.base_ref || github.ref_name",
	"TRAVIS_BUILD_DIR":           "github.workspace",
	"TRAVIS_BUILD_ID":            "github.run_id",
	"TRAVIS_BUILD_NUMBER":        "github.run_number",
	"TRAVIS_BUILD_WEB_URL":       "format('{0}/{1}/actions/runs/{2}', github.server_url, github.repository, github.run_id)",
	"TRAVIS_COMMIT":              "github.sha",
	"TRAVIS_COMMIT_MESSAGE":      "github.event.head_commit.message",
	"TRAVIS_COMMIT_RANGE":        "format('{0}...{1}', github.event.before, github.sha)",
	"TRAVIS_EVENT_TYPE":          "github.event_name == 'schedule' && 'cron' || github.event_name == 'workflow_dispatch' && 'api' || github.event_name",
	"TRAVIS_JOB_ID":              "github.run_id",
	"TRAVIS_JOB_NUMBER":          "github.run_number",
	"TRAVIS_JOB_WEB_URL":         "format('{0}/{1}/actions/runs/{2}', github.server_url, github.repository, github.run_id)",
	"TRAVIS_PULL_REQUEST":        "github.event.number || 'false'",
	"TRAVIS_PULL_REQUEST_BRANCH": "github.head_ref",
	"TRAVIS_PULL_REQUEST_SHA":    "github.event.pull_request.head.sha",
	"TRAVIS_PULL_REQUEST_SLUG":   "github.event.pull_request.head.repo.full_name",
	"TRAVIS_REPO_SLUG":           "github.repository",
	"TRAVIS_SECURE_ENV_VARS":     "github.event.pull_request.head.repo.fork && 'false' || 'true'",
	"TRAVIS_TAG":                 "github.ref_type == 'tag' && github.ref_name || ''",
	"TRAVIS_TEST_RESULT":         "'0'",
}

// substitution knows the few commands whose output is known beforehand.
func (s *scope) substitution(c *syntax.CmdSubst) (arg, error) {
	text := ""
	if len(c.Stmts) == 1 {
		text = source(c.Stmts[0])
	}
	fields := strings.Fields(text)
	switch {
	case text == "pwd":
		return literal("."), nil
	case strings.HasPrefix(text, "git rev-parse") && strings.HasSuffix(text, "HEAD") && !strings.Contains(text, "abbrev-ref"):
		return arg{{name: "COMMIT", expr: "github.sha", short: len(fields) > 3}}, nil
	case text == "git log -1 --pretty=%h" || strings.HasPrefix(text, "git log -1 --format=%h"):
		return arg{{name: "COMMIT", expr: "github.sha", short: true}}, nil
	}
	return nil, fmt.Errorf("%s needs a shell", source(c))
}

// source is a piece of a command as text.
func source(node syntax.Node) string {
	var b strings.Builder
	if err := syntax.NewPrinter(syntax.SingleLine(true)).Print(&b, node); err != nil {
		return "?"
	}
	return strings.TrimSpace(b.String())
}
