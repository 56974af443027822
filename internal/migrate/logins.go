package migrate

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"github.com/guk0/travois/internal/workflow"
)

// logins are the registries that a job logs in to.
type logins struct {
	scope *scope
	list  []login
	ecr   bool
}

type login struct {
	registry, username, password arg
}

// add reads a docker login. The password comes from a flag or from what is
// piped into it.
func (l *logins) add(d *docker) error {
	if d.has("ecr") {
		l.ecr = true
		return nil
	}
	if flag := d.unknown("username password password-stdin email"); flag != "" {
		return fmt.Errorf("docker login --%s is not understood", flag)
	}
	in := login{username: d.last("username"), password: d.last("password")}
	if len(d.args) > 0 {
		in.registry = d.args[0]
	}
	if d.has("password-stdin") {
		if in.password = l.piped(d); in.password == nil {
			return fmt.Errorf("the password of docker login comes from %s, which is not understood", sourceOf(d.input))
		}
	}
	if text, ok := in.password.lit(); ok && text != "" {
		in.password = arg{{expr: l.scope.todo.secret(passwordName(in.registry.String()), inPlainText, d.place)}}
	}
	if in.username == nil || in.password == nil {
		return fmt.Errorf("docker login needs -u and -p, or --password-stdin")
	}
	for i, other := range l.list {
		if other.registry.String() == in.registry.String() {
			l.list[i] = in
			return nil
		}
	}
	l.list = append(l.list, in)
	return nil
}

func sourceOf(s *syntax.Stmt) string {
	if s == nil {
		return "nowhere"
	}
	return source(s)
}

// piped is what echo or printf pipes into a command.
func (l *logins) piped(d *docker) arg {
	if d.input == nil || l.scope == nil {
		return nil
	}
	call, ok := d.input.Cmd.(*syntax.CallExpr)
	if !ok || len(call.Args) < 2 {
		return nil
	}
	if name := call.Args[0].Lit(); name != "echo" && name != "printf" {
		return nil
	}
	a, err := l.scope.word(call.Args[len(call.Args)-1], d.place)
	if err != nil {
		return nil
	}
	return a
}

// hub tells whether a registry is Docker Hub by one of its names.
func hub(registry string) bool {
	registry = strings.TrimSuffix(strings.TrimPrefix(registry, "https://"), "/")
	switch registry {
	case "", "docker.io", "index.docker.io", "index.docker.io/v1", "registry-1.docker.io", "hub.docker.com", "registry.hub.docker.com":
		return true
	}
	return false
}

// inputs sets the inputs that log in: one login as username and password,
// several as auths.
func (l *logins) inputs(with *workflow.Map) {
	switch len(l.list) {
	case 0:
	case 1:
		one := l.list[0]
		if registry := one.registry.String(); !hub(registry) {
			with.Set("registry", registry)
		}
		with.Set("username", one.username.String()).Set("password", one.password.String())
	default:
		var entries []string
		for _, one := range l.list {
			registry := one.registry.String()
			if hub(registry) {
				registry = "docker.io"
			}
			entries = append(entries, fmt.Sprintf("  %q: {\"username\": ${{ toJSON(%s) }}, \"password\": ${{ toJSON(%s) }}}", registry, asExpression(one.username), asExpression(one.password)))
		}
		with.Set("auths", workflow.Block("{\"auths\": {\n"+strings.Join(entries, ",\n")+"\n}}\n"))
	}
}

// asExpression is an arg inside of an expression.
func asExpression(a arg) string {
	if len(a) == 1 && a[0].expr != "" {
		return a[0].expr
	}
	var format strings.Builder
	var values []string
	for _, p := range a {
		if p.expr == "" {
			format.WriteString(strings.NewReplacer("{", "{{", "}", "}}").Replace(p.text))
			continue
		}
		fmt.Fprintf(&format, "{%d}", len(values))
		values = append(values, p.expr)
	}
	if len(values) == 0 {
		return quote(strings.NewReplacer("{{", "{", "}}", "}").Replace(format.String()))
	}
	return "format(" + quote(format.String()) + ", " + strings.Join(values, ", ") + ")"
}
