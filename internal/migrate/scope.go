package migrate

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/travis"
)

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
	if strings.HasPrefix(name, "TRAVIS_") {
		return nil, fmt.Errorf("$%s is only known to the shell", name)
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
	"TRAVIS_COMMIT_RANGE":        "format('{0}...{1}', github.event.pull_request.base.sha || github.event.before, github.event.pull_request.head.sha || github.sha)",
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
	"TRAVIS_TEST_RESULT":         "job.status == 'success' && '0' || '1'",
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
